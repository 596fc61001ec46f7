"""What a shopper is told by an orchestrator, and what is on record when it is told."""

import asyncio

import httpx
import pytest

from services.chassis.errors import DatabaseUnavailable
from services.chassis.sqlite import SqliteDatabase
from tests.services.orchestrator.world import Orchestrator, Payment, Shop
from tests.services.order.world import Gate, declining, refuse


def told(answer: httpx.Response) -> tuple[int, str]:
    """The status code, and the order's status or why there is none."""
    body = answer.json()
    order = body.get("order")
    return answer.status_code, order["status"] if order else body["code"]


async def test_confirmed_charged_once_and_logged_step_by_step(
    orchestrator: Orchestrator, shop: Shop, payment: Payment
) -> None:
    await shop.add()
    answer = await orchestrator.place(key="k1")
    assert told(answer) == (200, "confirmed")
    assert payment.captured_minor == answer.json()["order"]["totalMinor"] == 4200
    assert await shop.cart() == []
    assert await orchestrator.log() == [
        "create STARTED",
        "create DONE",
        "charge STARTED",
        "charge DONE",
        "confirm STARTED",
        "confirm DONE",
    ]
    assert orchestrator.kinds() == [
        "saga.started",
        "saga.step_started",
        "saga.step_ended",
        "saga.step_started",
        "saga.step_ended",
        "saga.step_started",
        "saga.step_ended",
        "saga.ended",
    ]


async def test_a_decline_rolls_the_order_back_before_the_shopper_hears_of_it(
    orchestrator: Orchestrator, shop: Shop, payment: Payment
) -> None:
    await shop.add()
    payment.then("process", declining())
    answer = await orchestrator.place()
    assert told(answer) == (402, "failed")
    assert answer.json()["details"] == [{"field": "payment", "message": "card_declined"}]
    assert await shop.statuses() == ["failed"]
    assert len(await shop.cart()) == 1
    assert (await orchestrator.log())[-3:] == ["charge FAILED", "cancel STARTED", "cancel DONE"]
    assert payment.bodies("refund") == []


async def test_the_order_service_s_refusal_is_told_as_it_is_and_frees_the_key(
    orchestrator: Orchestrator, shop: Shop
) -> None:
    assert told(await orchestrator.place(key="k1")) == (400, "cart_empty")
    await shop.add()
    assert told(await orchestrator.place(key="k1")) == (200, "confirmed")
    assert [row["state"] for row in await orchestrator.sagas()] == ["failed", "confirmed"]


async def test_the_same_key_gets_the_same_order_and_another_body_is_refused(
    orchestrator: Orchestrator, shop: Shop, payment: Payment
) -> None:
    await shop.add()
    first = await orchestrator.place(key="k1")
    again = await orchestrator.place(key="k1")
    other = await orchestrator.place(key="k1", paymentMethod="pm_card_mastercard")
    assert again.json() == first.json()
    assert told(other) == (422, "idempotency_key_reused")
    assert len(payment.bodies("process")) == 1


async def test_a_second_press_waits_for_the_first_and_hears_the_same(
    orchestrator: Orchestrator, shop: Shop, payment: Payment
) -> None:
    await shop.add()
    gate = Gate(payment.do)
    payment.then("process", gate)
    first = asyncio.create_task(orchestrator.place(key="k1"))
    await payment.arrival("process")
    second = asyncio.create_task(orchestrator.place(key="k1"))
    await orchestrator.seen("order.deduplicated")
    gate.open()
    assert (await second).json() == (await first).json()
    assert len(await orchestrator.sagas()) == 1


async def test_a_new_key_on_the_same_cart_hears_of_the_live_order(
    orchestrator: Orchestrator, shop: Shop, payment: Payment
) -> None:
    await shop.add()
    gate = Gate(payment.do)
    payment.then("process", gate)
    first = asyncio.create_task(orchestrator.place(key="k1"))
    await payment.arrival("process")
    second = asyncio.create_task(orchestrator.place(key="k2"))
    await orchestrator.seen("order.deduplicated")
    gate.open()
    assert (await second).json() == (await first).json()
    assert (await orchestrator.place(key="k2")).json() == (await first).json()
    assert await shop.statuses() == ["confirmed"]


async def test_a_shopper_who_leaves_changes_nothing(
    orchestrator: Orchestrator, shop: Shop, payment: Payment
) -> None:
    await shop.add()
    gate = Gate(payment.do)
    payment.then("process", gate)
    placing = asyncio.create_task(orchestrator.place())
    await payment.arrival("process")
    placing.cancel()
    gate.open()
    assert (await orchestrator.seen("saga.ended"))["data"]["state"] == "confirmed"


async def test_what_is_not_resolved_in_time_is_202_and_can_be_looked_at(
    asleep: Orchestrator, shop: Shop, payment: Payment
) -> None:
    asleep.settings = {"answer_ms": 1}
    await shop.add()
    gate = Gate(payment.do)
    payment.then("process", gate)
    async with asleep.running() as orchestrator:
        answer = await orchestrator.place()
        assert answer.status_code == 202
        assert answer.headers["Retry-After"] == "1"
        await payment.arrival("process")
        saga = (await orchestrator.http.get(answer.headers["Location"])).json()
        assert (saga["state"], saga["direction"], saga["step"]) == ("running", "forward", "charge")
        assert [step["phase"] for step in saga["steps"]] == ["STARTED", "DONE", "STARTED"]
        undecided = (await orchestrator.http.get("/undecided")).json()
        assert undecided["ids"] == [saga["orderId"]]
        gate.open()
        await orchestrator.seen("saga.ended")
        assert (await orchestrator.saga(saga["sagaId"]))["state"] == "confirmed"
        assert (await orchestrator.http.get("/undecided")).json()["count"] == 0


async def test_an_order_nobody_has_heard_of_yet_is_pending_and_nothing_is_made_up(
    asleep: Orchestrator, shop: Shop
) -> None:
    asleep.settings = {"answer_ms": 1, "tick_ms": 600_000}
    await shop.add()
    shop.wire.then("create", refuse)
    async with asleep.running() as orchestrator:
        answer = await orchestrator.place()
        assert told(answer) == (202, "pending")
        assert set(answer.json()["order"]) == {"_id", "orderId", "userId", "status"}


async def test_a_saga_nobody_knows_is_404(orchestrator: Orchestrator) -> None:
    assert told(await orchestrator.http.get("/saga/saga_0")) == (404, "saga_not_found")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", (400, "malformed_json")),
        (b"[]", (422, "invalid_request")),
        (b'{"userId": ""}', (422, "invalid_request")),
        (b'{"userId": 7}', (422, "invalid_request")),
        (b'{"userId": "a\\u0000"}', (422, "invalid_request")),
        (b'{"userId": "ada", "paymentMethod": "visa"}', (422, "invalid_request")),
        (b'{"userId": "ada", "card": "pm_card_visa"}', (422, "invalid_request")),
    ],
)
async def test_bad_input_begins_no_saga(
    orchestrator: Orchestrator, body: bytes, expected: tuple[int, str]
) -> None:
    assert told(await orchestrator.http.post("/saga/place-order", content=body)) == expected
    assert await orchestrator.sagas() == []


async def test_a_key_that_is_no_key_begins_no_saga(orchestrator: Orchestrator) -> None:
    answer = await orchestrator.place(key="k" * 256)
    assert told(answer) == (422, "invalid_request")
    assert await orchestrator.sagas() == []


async def test_the_routes_are_documented(orchestrator: Orchestrator) -> None:
    paths = (await orchestrator.http.get("/openapi.json")).json()["paths"]
    assert {"/saga/place-order", "/saga/{sagaId}"} == set(paths)
    assert (await orchestrator.http.get("/docs")).status_code == 200


async def test_a_log_that_cannot_be_read_any_more_makes_a_committed_saga_202_and_not_503(
    asleep: Orchestrator, shop: Shop, payment: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    asleep.settings = {"answer_ms": 50, "tick_ms": 600_000}
    await shop.add()
    payment.then("process", refuse)

    async def unreadable(*_: object) -> None:
        raise DatabaseUnavailable("The database cannot be read: disk I/O error", definite=True)

    async with asleep.running() as orchestrator:
        monkeypatch.setattr(SqliteDatabase, "read", unreadable)
        answer = await orchestrator.place(key="k1")
        monkeypatch.undo()
        assert told(answer) == (202, "pending")
