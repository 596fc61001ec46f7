"""What becomes of a saga whose orchestrator died, slept or was not answered."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from services.chassis.database import Database
from services.chassis.sqlite import SqliteDatabase
from services.orchestrator import saga_log
from services.orchestrator.moves import moved
from services.orchestrator.saga import Ordered, Saga, Step, Succeeded
from services.orchestrator.saga_log import Fresh, Wish
from services.orchestrator.strategies.orchestrated import next_command
from services.orchestrator.tables import metadata
from tests.services.orchestrator.world import BEYOND_LEASE_MS, Orchestrator, Payment, Shop
from tests.services.order.world import Gate, answering, hang, refuse

Way = Callable[[httpx.Request], Awaitable[httpx.Response]]
FOREVER = {"tick_ms": 600_000}  # recovery that does not look: two in one loop share a write lock


class Points:
    """The calls of a checkout, each with what is to happen to it."""

    def __init__(self, shop: Shop, payment: Payment) -> None:
        self._shop = shop
        self._payment = payment

    def at(self, step: str, *reactions: Way) -> None:
        if step in {"process", "refund"}:
            self._payment.then(step, *reactions)
        else:
            self._shop.wire.then(step, *reactions)

    async def arrival(self, step: str) -> None:
        if step in {"process", "refund"}:
            await self._payment.arrival(step)
        else:
            await self._shop.wire.arrival(step)

    def reaction(self, step: str, when: str) -> Way:
        """One that never answers, and takes effect or not."""
        if when == "before its effect":
            return hang
        do = self._payment.do if step in {"process", "refund"} else self._shop.wire.do

        async def taken(request: httpx.Request) -> httpx.Response:
            await do(request)
            return await hang(request)

        return taken


@pytest.fixture
def points(shop: Shop, payment: Payment) -> Points:
    return Points(shop, payment)


async def dies_at(orchestrator: Orchestrator, points: Points, step: str, reaction: Way) -> None:
    """Place an order, and abandon the orchestrator once `step` has met `reaction`."""
    points.at(step, reaction)
    async with orchestrator.running():
        placing = asyncio.create_task(orchestrator.place(key="k1"))
        await points.arrival(step)
        placing.cancel()


async def ends(orchestrator: Orchestrator) -> str:
    """Let it run until its saga has ended, and return how."""
    async with orchestrator.running():
        ended = await orchestrator.seen("saga.ended")
    return str(ended["data"]["state"])


@pytest.mark.parametrize("when", ["before its effect", "after its effect"])
@pytest.mark.parametrize("step", ["create", "process", "confirm"])
async def test_a_crash_during_a_step_is_resumed_under_its_key_and_takes_effect_once(
    asleep: Orchestrator, shop: Shop, payment: Payment, points: Points, step: str, when: str
) -> None:
    await shop.add()
    await dies_at(asleep, points, step, points.reaction(step, when))
    assert await ends(asleep.next_life()) == "confirmed"
    assert await shop.statuses() == ["confirmed"]
    assert payment.captured_minor == 4200
    assert len(set(payment.keys())) == len(set(shop.wire.keys("create"))) == 1
    assert shop.kinds().count("order.created") == shop.kinds().count("order.confirmed") == 1


@pytest.mark.parametrize("when", ["before its effect", "after its effect"])
@pytest.mark.parametrize("step", ["refund", "cancel"])
async def test_a_crash_during_an_undo_is_resumed_backwards_and_gives_back_once(
    asleep: Orchestrator, shop: Shop, payment: Payment, points: Points, step: str, when: str
) -> None:
    await shop.add()
    gate = Gate(payment.do)
    payment.then("process", gate)
    points.at(step, points.reaction(step, when))
    async with asleep.running():
        placing = asyncio.create_task(asleep.place(key="k1"))
        await payment.arrival("process")
        await shop.cancel((await asleep.seen("saga.started"))["order"])
        gate.open()
        await points.arrival(step)
        placing.cancel()
    again = asleep.next_life()
    assert await ends(again) == "canceled"
    assert await shop.statuses() == ["canceled"]
    assert payment.captured_minor == 0
    assert {charge.status for charge in payment.charges.values()} == {"refunded"}
    assert "saga.turned_back" not in again.kinds()
    assert len(await shop.cart()) == 1


async def test_a_lease_is_waited_for_even_by_the_next_life(
    asleep: Orchestrator, shop: Shop, points: Points
) -> None:
    await shop.add()
    await dies_at(asleep, points, "process", hang)
    hasty = asleep.next_life(**FOREVER)
    hasty.clock.ahead_ms = 0
    async with hasty.running():
        db = SqliteDatabase.file(str(asleep.database), metadata)
        now_ms = hasty.clock.now_ms()
        assert not await db.read(saga_log.is_any_due, now_ms)
        assert await db.read(saga_log.is_any_due, now_ms + BEYOND_LEASE_MS)
        db.close()


@pytest.mark.parametrize("step", ["create", "process", "confirm"])
@pytest.mark.parametrize("times", [1, 3])
async def test_answers_that_are_lost_are_fetched_again(
    orchestrator: Orchestrator,
    shop: Shop,
    payment: Payment,
    points: Points,
    step: str,
    times: int,
) -> None:
    await shop.add()
    lose = payment.lose_answer if step == "process" else shop.wire.lose_answer
    points.at(step, *[lose] * times)
    answer = await orchestrator.place()
    assert answer.json()["order"]["status"] == "confirmed"
    assert payment.captured_minor == 4200
    name = "charge" if step == "process" else step
    assert f"{name} UNKNOWN" in await orchestrator.log()


async def test_who_wants_out_during_the_charge_gets_the_money_back(
    orchestrator: Orchestrator, shop: Shop, payment: Payment
) -> None:
    await shop.add()
    gate = Gate(payment.do)
    payment.then("process", gate)
    placing = asyncio.create_task(orchestrator.place())
    await payment.arrival("process")
    wished = await shop.cancel((await orchestrator.seen("saga.started"))["order"])
    assert wished.status_code == 202
    gate.open()
    answer = await placing
    assert (answer.status_code, answer.json()["order"]["status"]) == (402, "canceled")
    assert payment.captured_minor == 0
    assert (await orchestrator.log())[-5:] == [
        "confirm FAILED",
        "refund STARTED",
        "refund DONE",
        "cancel STARTED",
        "cancel DONE",
    ]


async def test_an_overdue_charge_is_fenced_and_the_order_canceled(
    asleep: Orchestrator, shop: Shop, payment: Payment
) -> None:
    asleep.settings = {"cancel_after_ms": 1}
    await shop.add()
    payment.then("process", refuse, refuse)
    async with asleep.running() as orchestrator:
        answer = await orchestrator.place()
        assert (answer.status_code, answer.json()["code"]) == (402, "order_canceled")
        assert "charge FAILED" in await orchestrator.log()
    assert {charge.status for charge in payment.charges.values()} == {"canceled"}


async def test_an_overdue_charge_that_was_made_goes_forward(
    asleep: Orchestrator, shop: Shop, payment: Payment
) -> None:
    asleep.settings = {"cancel_after_ms": 1}
    await shop.add()
    payment.then("process", payment.lose_answer)
    async with asleep.running() as orchestrator:
        answer = await orchestrator.place()
        assert answer.json()["order"]["status"] == "confirmed"
        assert "fence FAILED" in await orchestrator.log()
    assert payment.captured_minor == 4200


async def test_an_order_given_up_before_it_was_created_is_not_created_by_what_comes_late(
    asleep: Orchestrator, shop: Shop, payment: Payment
) -> None:
    asleep.settings = {"cancel_after_ms": 1}
    await shop.add()
    late: list[httpx.Request] = []

    async def delayed(request: httpx.Request) -> httpx.Response:
        late.append(request)
        raise httpx.ReadTimeout("no answer", request=request)

    shop.wire.then("create", delayed)
    async with asleep.running() as orchestrator:
        answer = await orchestrator.place()
        assert (answer.status_code, answer.json()["order"]["status"]) == (402, "canceled")
        ghost = await shop.wire.do(late[0])
    assert ghost.status_code == 409
    assert await shop.statuses() == ["canceled"]
    assert payment.bodies("process") == []


async def test_an_undo_that_is_refused_is_repeated_and_told_of(
    asleep: Orchestrator,
    shop: Shop,
    payment: Payment,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await shop.add()
    gate = Gate(payment.do)
    payment.then("process", gate)
    payment.then("refund", *[answering(503, {"code": "unavailable"})] * 12)
    async with asleep.running() as orchestrator:
        placing = asyncio.create_task(orchestrator.place())
        await payment.arrival("process")
        await shop.cancel((await orchestrator.seen("saga.started"))["order"])
        gate.open()
        answer = await placing
    assert answer.json()["order"]["status"] == "canceled"
    assert payment.captured_minor == 0
    (alert,) = [line for line in capsys.readouterr().err.splitlines() if "alert" in line]
    assert "refund of saga" in alert
    assert "still unknown after 10 attempts" in alert


async def test_an_orchestrator_that_sleeps_past_its_lease_changes_nothing_when_it_wakes(
    asleep: Orchestrator, shop: Shop, payment: Payment
) -> None:
    asleep.settings = FOREVER
    await shop.add()
    gate = Gate(payment.do)
    payment.then("process", gate)
    async with asleep.running() as sleeper:
        placing = asyncio.create_task(sleeper.place(key="k1"))
        await payment.arrival("process")
        async with asleep.next_life(tick_ms=5).running() as other:
            await other.seen("saga.ended")
            before = await other.log()
            gate.open()
            answer = await placing
            assert await other.log() == before
    assert answer.json()["order"]["status"] == "confirmed"
    assert "saga.ended" not in sleeper.kinds()
    assert payment.captured_minor == 4200
    assert shop.kinds().count("order.confirmed") == 1


@pytest.fixture
async def db(tmp_path: Path) -> Database:
    return SqliteDatabase.file(str(tmp_path / "log.db"), metadata)


def fresh(name: str = "saga_1") -> Wish:
    saga = Saga(
        id=name, order_id=f"ord_{name}", user_id="ada", card="pm_card_visa", created_at_ms=0
    )
    return Wish(saga=saga, client_key=None, request_hash="h", lease_until_ms=4000)


async def test_a_lease_goes_to_one_and_the_writes_of_the_other_find_nothing(db: Database) -> None:
    admitted = await db.run(saga_log.admit, fresh())
    assert isinstance(admitted, Fresh)
    assert await db.run(saga_log.lease_due, 3999, 8000, 16) == []
    (taken,) = await db.run(saga_log.lease_due, 4000, 8000, 16)
    assert await db.run(saga_log.lease_due, 4000, 8000, 16) == []
    assert taken.fence == admitted.saga.fence + 1

    document = {"orderId": taken.order_id, "totalMinor": 1, "currency": "usd", "status": "pending"}
    ordered = Ordered(total_minor=1, currency="usd", status="pending", document=document)
    created = Succeeded(step=Step.CREATE, order=ordered)
    times = {"now_ms": 4000, "lease_until_ms": 8000, "next_at_ms": 4000}
    stale = moved(admitted.saga, created, next_command(admitted.saga, created))
    ours = moved(taken, created, next_command(taken, created))
    assert not await db.run(saga_log.record, stale, **times)
    assert await db.run(saga_log.record, ours, **times)
    found = await db.read(saga_log.by_id, taken.id)
    assert found is not None
    assert len(found.log) == 3
    db.close()


async def test_a_saga_read_back_knows_all_that_decides_what_comes_next(
    orchestrator: Orchestrator, shop: Shop
) -> None:
    await shop.add()
    await orchestrator.place()
    db = SqliteDatabase.file(str(orchestrator.database), metadata)
    (row,) = await orchestrator.sagas()
    saga = await db.read(saga_log.by_id, row["saga_id"])
    db.close()
    assert saga is not None
    assert saga.order is not None
    assert saga.paid is not None
    assert (saga.order.total_minor, saga.paid.amount_minor) == (4200, 4200)
    assert saga.order.status == "confirmed"
