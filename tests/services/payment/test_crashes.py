"""Killed at any statement, hardened finishes the order after a restart; naive does not."""

import pytest

from .world import Gateway, Killed, dies, running_payment

ORDER = "ord_1"


@pytest.mark.parametrize(
    "kill_at",
    [
        "payment.recorded",  # after commit B
        "call.started",  # before the create leaves
        "payment.intent_created",  # after commit C
        "payment.charge_requested",  # before the confirm leaves
        "payment.charge_succeeded",  # charged, not yet written
        "payment.result_written",  # written, not yet committed
    ],
)
async def test_an_order_killed_anywhere_is_charged_once_after_the_restart(
    gateway: Gateway, database: str, kill_at: str
) -> None:
    async with running_payment(gateway.url, database, kill_at=kill_at) as doomed:
        await dies(doomed, ORDER)
    async with running_payment(gateway.url, database, fence_after_ms=60_000) as payment:
        assert await payment.settled(ORDER) == "completed"
        assert (await payment.process(ORDER)).status_code == 200
    assert len(await gateway.journal(ORDER, "captured")) == 1


@pytest.mark.parametrize("kill_at", ["payment.intent_created", "payment.charge_succeeded"])
async def test_an_old_order_killed_on_the_way_agrees_with_the_gateway_after_the_restart(
    gateway: Gateway, database: str, kill_at: str
) -> None:
    async with running_payment(gateway.url, database, kill_at=kill_at) as doomed:
        await dies(doomed, ORDER)
    async with running_payment(gateway.url, database, fence_after_ms=1) as payment:
        phase = await payment.settled(ORDER)
    assert (phase, await gateway.net_minor(ORDER)) in {("completed", 4200), ("canceled", 0)}


@pytest.mark.parametrize("kill_at", ["payment.refund_requested", "payment.result_written"])
async def test_a_refund_killed_on_the_way_is_finished_once(
    gateway: Gateway, database: str, kill_at: str
) -> None:
    async with running_payment(gateway.url, database) as first:
        await first.process(ORDER)
    async with running_payment(gateway.url, database, kill_at=kill_at) as doomed:
        with pytest.raises(Killed):
            await doomed.refund(ORDER)
    async with running_payment(gateway.url, database) as payment:
        assert await payment.settled(ORDER) == "refunded"
    assert await gateway.net_minor(ORDER) == 0
    assert len(await gateway.journal(ORDER, "refunded")) == 1


async def test_naive_never_learns_that_it_charged(gateway: Gateway, database: str) -> None:
    async with running_payment(
        gateway.url, database, strategy="naive", kill_at="payment.charge_succeeded"
    ) as doomed:
        await dies(doomed, ORDER)
    async with running_payment(gateway.url, database, strategy="naive") as payment:
        assert (await payment.row(ORDER))["status"] == "pending"
        assert (await payment.http.get("/undecided")).json()["count"] == 1
    assert await gateway.net_minor(ORDER) == 4200
