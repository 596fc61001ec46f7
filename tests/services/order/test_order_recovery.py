"""What hardened does after a crash, a lost answer, a cancel or a database that refuses."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.services.order.world import (
    Gate,
    OrderService,
    PaymentDouble,
    Reaction,
    answering,
    declining,
    hang,
    refuse,
)

BEYOND_LEASE_MS = 60_000
ASLEEP = {"tick_ms": 600_000}  # two services of one loop would block it over the write lock


def restarted(crashed: OrderService) -> OrderService:
    """The same database under a new process, whose predecessor's leases have run out."""
    again = OrderService(
        strategy="hardened",
        database=crashed.database,
        payment=crashed.payment,
        settings={"cancel_after_ms": 10 * BEYOND_LEASE_MS},
    )
    again.clock.ahead_ms = BEYOND_LEASE_MS
    return again


async def crash_while(service: OrderService, at_payment: Reaction) -> str:
    """Place an order, and abandon the service once payment has met `at_payment`."""
    service.payment.then("process", at_payment)
    async with service.running():
        await service.add()
        placing = asyncio.create_task(service.place(key="k1"))
        await service.payment.arrival("process")
        order_id: str = (await service.seen("order.created"))["order"]
        placing.cancel()
    return order_id


@pytest.fixture
def service(tmp_path: Path, payment: PaymentDouble) -> OrderService:
    return OrderService(strategy="hardened", database=tmp_path / "order.db", payment=payment)


async def test_a_crash_before_the_charge_is_resumed_under_the_same_key(
    service: OrderService, payment: PaymentDouble
) -> None:
    order_id = await crash_while(service, hang)
    async with restarted(service).running() as again:
        await again.seen("order.confirmed")
        assert set(payment.keys()) == {f"{order_id}:charge"}
        assert payment.captured_minor == 4200
        assert await again.cart() == []
        taken = await again.seen("lease.taken")
        assert taken["data"] == {"name": "orders", "fence": 2}


async def test_a_crash_after_the_charge_gets_the_stored_result(
    service: OrderService, payment: PaymentDouble
) -> None:
    order_id = await crash_while(service, _charged_then_silent(payment))
    assert payment.captured_minor == 4200
    async with restarted(service).running() as again:
        await again.seen("order.confirmed")
        resent = await again.place(key="k1")
        assert (resent.status_code, resent.json()["order"]["orderId"]) == (200, order_id)
        assert payment.captured_minor == 4200


async def test_a_crash_after_a_decline_ends_as_failed_with_the_cart_given_back(
    service: OrderService, payment: PaymentDouble
) -> None:
    await crash_while(service, hang)
    payment.then("process", declining())
    async with restarted(service).running() as again:
        assert (await again.seen("order.failed"))["data"]["reason"] == "card_declined"
        assert (await again.place(key="k2")).status_code == 200


async def test_nobody_touches_an_order_whose_lease_is_alive(
    service: OrderService, payment: PaymentDouble
) -> None:
    await crash_while(service, hang)
    again = OrderService(strategy="hardened", database=service.database, payment=payment)
    async with again.running():
        # A second order, placed and recovered, proves that the reconciler made its rounds.
        payment.then("process", answering(202, {}))
        await again.add("bob")
        await again.place("bob")
        await again.seen("order.confirmed")
        assert [row["status"] for row in await again.ledger("orders")] == ["pending", "confirmed"]


async def test_an_owner_that_wakes_late_writes_nothing_and_tells_the_present_state(
    service: OrderService, payment: PaymentDouble
) -> None:
    gate = Gate(payment.do)
    payment.then("process", gate)
    service.settings = ASLEEP
    async with service.running():
        await service.add()
        placing = asyncio.create_task(service.place(key="k1"))
        await payment.arrival("process")
        async with restarted(service).running() as other:
            await other.seen("order.confirmed")
            gate.open()
            late = await placing
        assert (late.status_code, late.json()["order"]["status"]) == (200, "confirmed")
        assert service.kinds() == ["order.created"]


async def test_a_late_decline_cannot_fail_an_order_another_owner_confirmed(
    service: OrderService, payment: PaymentDouble
) -> None:
    gate = Gate(declining())
    payment.then("process", gate)
    service.settings = ASLEEP
    async with service.running():
        await service.add()
        placing = asyncio.create_task(service.place(key="k1"))
        await payment.arrival("process")
        async with restarted(service).running() as other:
            await other.seen("order.confirmed")
            gate.open()
            assert (await placing).json()["order"]["status"] == "confirmed"
            assert other.kinds() == ["order.confirmed"]


async def test_an_order_too_long_unresolved_is_fenced_and_canceled(
    service: OrderService, payment: PaymentDouble
) -> None:
    async with service.running():
        payment.then("process", *[refuse] * 2, *[answering(202, {})] * 1000)
        await service.add()
        order_id = (await service.place(key="k1")).json()["order"]["orderId"]
        service.clock.ahead_ms = BEYOND_LEASE_MS
        canceled = await service.seen("order.canceled")
        assert canceled["data"]["reason"] == "payment_unresolved"
        assert payment.charges[order_id].status == "canceled"
        told = await service.place(key="k1")
        assert (told.status_code, told.json()["code"]) == (402, "order_canceled")
        assert [item["productId"] for item in await service.cart()] == ["mug"]


async def test_a_fence_that_comes_too_late_goes_forward(
    service: OrderService, payment: PaymentDouble
) -> None:
    await crash_while(service, _charged_then_silent(payment))
    again = restarted(service)
    again.settings = {"cancel_after_ms": 1}
    async with again.running():
        await again.seen("order.confirmed")
        assert payment.bodies("cancel") != []
        assert payment.captured_minor == 4200


async def test_a_charge_that_payment_knows_otherwise_is_given_back_and_never_confirmed(
    hardened: OrderService, payment: PaymentDouble
) -> None:
    refusal = answering(422, {"code": "charge_mismatch", "definite": True})
    payment.then("process", _charged_then(payment, refusal), refusal)
    await hardened.add()
    assert (await hardened.place(key="k1")).status_code == 202
    assert (await hardened.seen("order.canceled"))["data"]["reason"] == "amount_mismatch"
    assert payment.captured_minor == 0


async def test_a_cancel_during_the_charge_gives_the_money_back(
    hardened: OrderService, payment: PaymentDouble
) -> None:
    gate = Gate(payment.do)
    payment.then("process", gate)
    await hardened.add()
    placing = asyncio.create_task(hardened.place(key="k1"))
    created = await hardened.seen("order.created")
    asked = await hardened.cancel(created["order"])
    assert (asked.status_code, asked.json()["status"]) == (202, "pending")
    assert asked.headers["location"] == f"/order/{created['order']}"
    gate.open()
    assert (await placing).status_code == 202
    await hardened.seen("order.canceled")
    assert hardened.kinds() == ["order.created", "order.cancel_wanted", "order.canceled"]
    assert [charge.status for charge in payment.charges.values()] == ["refunded"]
    assert (await hardened.cancel(created["order"])).status_code == 200


async def test_a_cancel_before_the_charge_fences_it(
    service: OrderService, payment: PaymentDouble
) -> None:
    order_id = await crash_while(service, hang)
    again = restarted(service)
    again.clock.ahead_ms = 0  # the lease is alive: recovery cannot start before the cancel is there
    async with again.running():
        assert (await again.cancel(order_id)).status_code == 202
        again.clock.ahead_ms = BEYOND_LEASE_MS
        await again.seen("order.canceled")
        assert payment.charges[order_id].status == "canceled"
        assert payment.bodies("refund") == []


async def test_a_refund_is_repeated_until_it_is_done(
    service: OrderService, payment: PaymentDouble
) -> None:
    order_id = await crash_while(service, _charged_then_silent(payment))
    payment.then("refund", answering(503, {}), refuse, answering(202, {}))
    again = restarted(service)
    again.clock.ahead_ms = 0
    async with again.running():
        await again.cancel(order_id)
        again.clock.ahead_ms = BEYOND_LEASE_MS
        await again.seen("order.canceled")
        assert (len(payment.bodies("refund")), payment.captured_minor) == (4, 0)


async def test_a_confirmed_order_is_not_canceled(hardened: OrderService) -> None:
    await hardened.add()
    order = (await hardened.place()).json()["order"]
    answer = await hardened.cancel(order["orderId"])
    assert (answer.status_code, answer.json()["code"]) == (409, "order_confirmed")
    assert answer.json()["order"] == order


async def test_canceling_a_failed_order_tells_its_state_and_changes_nothing(
    hardened: OrderService, payment: PaymentDouble
) -> None:
    payment.then("process", declining())
    await hardened.add()
    order = (await hardened.place()).json()["order"]
    answer = await hardened.cancel(order["orderId"])
    assert (answer.status_code, answer.json()) == (200, order)


async def test_a_database_that_takes_no_writes_is_told_before_anything_was_done(
    hardened: OrderService, payment: PaymentDouble
) -> None:
    await hardened.add()
    with _write_lock(hardened.database):
        answer = await hardened.place(key="k1")
    assert (answer.status_code, answer.json()["definite"]) == (503, True)
    assert payment.requests == []
    assert (await hardened.place(key="k1")).status_code == 200


async def test_a_result_that_cannot_be_recorded_is_unresolved_and_not_a_failure(
    hardened: OrderService, payment: PaymentDouble
) -> None:
    gate = Gate(payment.do)
    payment.then("process", gate)
    await hardened.add()
    placing = asyncio.create_task(hardened.place(key="k1"))
    await payment.arrival("process")
    with _write_lock(hardened.database):
        gate.open()
        placed = await placing
    assert (placed.status_code, placed.json()["order"]["status"]) == (202, "pending")
    hardened.clock.ahead_ms = BEYOND_LEASE_MS
    await hardened.seen("order.confirmed")
    assert payment.captured_minor == 4200


async def test_the_undecided_are_counted_until_they_end(
    hardened: OrderService, payment: PaymentDouble
) -> None:
    gate = Gate(payment.do)
    payment.then("process", gate)
    await hardened.add()
    placing = asyncio.create_task(hardened.place())
    await payment.arrival("process")
    during = (await hardened.client.get("/undecided")).json()
    gate.open()
    await placing
    after = (await hardened.client.get("/undecided")).json()
    assert (during["count"], during["in_flight"]) == (1, 1)
    assert (after["count"], after["in_flight"]) == (0, 0)


def _charged_then_silent(payment: PaymentDouble) -> Reaction:
    return _charged_then(payment, hang)


def _charged_then(payment: PaymentDouble, answer: Reaction) -> Reaction:
    async def charge(request: httpx.Request) -> httpx.Response:
        await payment.do(request)
        return await answer(request)

    return charge


@contextmanager
def _write_lock(database: Path) -> Iterator[None]:
    """Let another connection hold the database's write lock for the block."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.close()
