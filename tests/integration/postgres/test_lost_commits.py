"""R9 on real connections: a COMMIT is cut off, the service reads what stands before it acts."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.postgres.link import Link, Where
from tests.services.order.world import OrderService, PaymentDouble, declining
from tests.services.payment.world import Gateway, running_gateway, running_payment

BOTH_WAYS = pytest.mark.parametrize("where", ["before", "after"])
PATIENT = {"time_scale": 10, "payment_try_ms": 600_000, "payment_total_ms": 600_000}


@pytest.fixture
def order(link: Link, tmp_path: Path) -> OrderService:
    return OrderService(
        strategy="hardened",
        database=tmp_path / "unused.db",
        payment=PaymentDouble(),
        settings={**PATIENT, "database_url": link.url},
    )


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running_gateway(str(tmp_path / "gateway.db")) as running:
        yield running


async def test_an_order_whose_commit_stands_unheard_is_charged_and_confirmed_at_once(
    order: OrderService, link: Link
) -> None:
    async with order.running():
        await order.add()
        link.cut("INSERT INTO orders", "after")
        placed = await order.place(key="k1")
        assert (placed.status_code, placed.json()["order"]["status"]) == (200, "confirmed")
        assert order.kinds() == ["order.created", "order.confirmed"]
        again = await order.place(key="k1")
        assert again.json()["order"]["orderId"] == placed.json()["order"]["orderId"]
    assert (link.cuts, len(order.payment.charges)) == (1, 1)


async def test_an_order_whose_commit_never_left_is_told_to_have_done_nothing(
    order: OrderService, link: Link
) -> None:
    async with order.running():
        await order.add()
        link.cut("INSERT INTO orders", "before")
        refused = await order.place(key="k1")
        assert (refused.status_code, refused.json()["definite"]) == (503, True)
        assert await order.ledger("orders") == []
        assert order.payment.charges == {}
        placed = await order.place(key="k1")
        assert placed.status_code == 200


@BOTH_WAYS
async def test_a_confirmation_lost_at_commit_is_read_again_and_never_undone(
    order: OrderService, link: Link, where: Where
) -> None:
    async with order.running():
        await order.add()
        link.cut("'confirmed'", where)
        placed = await order.place(key="k1")
        assert placed.status_code == (200 if where == "after" else 202)
        if where == "before":  # nothing was written: the lease runs out, and the charge is repeated
            order.clock.ahead_ms = 3_600_000
        await order.seen("order.confirmed")
        (row,) = await order.ledger("orders")
        assert row["status"] == "confirmed"
        assert await order.cart() == []
    assert link.cuts == 1
    assert order.payment.captured_minor == 4200


@BOTH_WAYS
async def test_a_rollback_lost_at_commit_ends_as_failed_with_the_cart_given_back(
    order: OrderService, link: Link, where: Where
) -> None:
    async with order.running():
        await order.add()
        order.payment.then("process", declining(), declining())
        link.cut("cart_claim=NULL", where)
        placed = await order.place(key="k1")
        assert placed.status_code == (402 if where == "after" else 202)
        if where == "before":
            order.clock.ahead_ms = 3_600_000
        await order.seen("order.failed" if where == "after" else "lease.taken")
        async with asyncio.timeout(30):
            while (await order.ledger("orders"))[0]["status"] == "pending":  # noqa: ASYNC110 - as the tool
                await asyncio.sleep(0.01)
        assert len(await order.cart()) == 1
    assert (link.cuts, order.payment.captured_minor) == (1, 0)


@BOTH_WAYS
@pytest.mark.parametrize(
    "word", ["INSERT INTO payments", "confirming", "completed"], ids=["intent", "key", "result"]
)
async def test_a_payment_cut_off_at_any_commit_charges_once_and_knows_it(
    gateway: Gateway, link: Link, word: str, where: Where
) -> None:
    async with running_payment(gateway.url, "", database_url=link.url, time_scale=10) as payment:
        link.cut(word, where)
        answer = await payment.process("ord_1")
        if (word, where) == ("INSERT INTO payments", "before"):
            assert (answer.status_code, answer.json()["definite"]) == (503, True)
            answer = await payment.process("ord_1")
        assert answer.status_code == (202 if where == "before" and "INSERT" not in word else 200)
        assert await payment.settled("ord_1") == "completed"
    assert link.cuts == 1
    assert await gateway.net_minor("ord_1") == 4200
    assert len(await gateway.journal("ord_1", "captured")) == 1


async def test_naive_tells_a_failure_of_what_it_recorded(gateway: Gateway, link: Link) -> None:
    async with running_payment(
        gateway.url, "", strategy="naive", database_url=link.url, time_scale=10
    ) as payment:
        link.cut("completed", "after")
        answer = await payment.process("ord_1")
        assert answer.status_code == 503
        assert (await payment.row("ord_1"))["status"] == "completed"
    assert await gateway.net_minor("ord_1") == 4200
