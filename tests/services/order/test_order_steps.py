"""The order service as a participant of sagas: every step once, an undo against what comes late."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.services.order.world import OrderService, PaymentDouble

ORDER = "ord_1"


@pytest.fixture
async def orchestrated(tmp_path: Path, payment: PaymentDouble) -> AsyncIterator[OrderService]:
    service = OrderService(strategy="orchestrated", database=tmp_path / "order.db", payment=payment)
    async with service.running():
        yield service


async def step(
    service: OrderService, name: str, order_id: str = ORDER, **body: Any
) -> httpx.Response:
    """Ask for a step under its key, as an orchestrator does."""
    headers = {"Idempotency-Key": f"{order_id}:{name}"}
    asked = {"orderId": order_id, **body}
    return await service.client.post(f"/order/{name}", json=asked, headers=headers)


async def create(service: OrderService, order_id: str = ORDER, **body: Any) -> httpx.Response:
    return await step(service, "create", order_id, userId="ada", **body)


async def confirm(service: OrderService, amount_minor: int = 4200) -> httpx.Response:
    return await step(service, "confirm", amountMinor=amount_minor, currency="usd")


async def undo(service: OrderService, status: str = "canceled", **body: Any) -> httpx.Response:
    reason = body.pop("reason", "payment_unresolved")
    return await step(service, "cancel", userId="ada", status=status, reason=reason, **body)


def told(answer: httpx.Response) -> tuple[int, str]:
    """The status code, and the order's status or why it was refused."""
    body: Mapping[str, Any] = answer.json()
    return answer.status_code, body.get("code") or body["order"]["status"]


async def test_created_confirmed_and_the_cart_is_empty(orchestrated: OrderService) -> None:
    await orchestrated.add()
    assert told(await create(orchestrated)) == (200, "pending")
    assert len(await orchestrated.cart()) == 1
    assert told(await confirm(orchestrated)) == (200, "confirmed")
    assert await orchestrated.cart() == []
    assert orchestrated.kinds() == ["order.created", "order.confirmed"]


async def test_a_step_that_comes_again_gets_its_first_answer_and_does_nothing(
    orchestrated: OrderService,
) -> None:
    await orchestrated.add()
    first = await create(orchestrated)
    await confirm(orchestrated)
    again = await create(orchestrated)
    assert again.content == first.content
    assert orchestrated.kinds()[-1] == "order.deduplicated"
    assert (await orchestrated.order(ORDER))["status"] == "confirmed"


async def test_steps_that_come_at_the_same_moment_take_effect_once(
    orchestrated: OrderService,
) -> None:
    await orchestrated.add()
    answers = await asyncio.gather(*(create(orchestrated) for _ in range(5)))
    assert {answer.content for answer in answers} == {answers[0].content}
    assert orchestrated.kinds().count("order.created") == 1


async def test_the_same_key_with_another_body_is_refused(orchestrated: OrderService) -> None:
    await orchestrated.add()
    await create(orchestrated)
    other = await create(orchestrated, paymentMethod="pm_card_mastercard")
    assert told(other) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("key", [None, "k1", "ord_2:create", "ord_1:confirm"])
async def test_a_step_without_its_own_key_is_refused(
    orchestrated: OrderService, key: str | None
) -> None:
    headers = {} if key is None else {"Idempotency-Key": key}
    body = {"orderId": ORDER, "userId": "ada"}
    answer = await orchestrated.client.post("/order/create", json=body, headers=headers)
    assert told(answer) == (422, "invalid_request")
    assert answer.json()["details"][0]["message"] == "expected ord_1:create"


async def test_a_refusal_is_kept_so_that_an_earlier_try_coming_late_is_refused_too(
    orchestrated: OrderService,
) -> None:
    assert told(await create(orchestrated)) == (400, "cart_empty")
    await orchestrated.add()
    assert told(await create(orchestrated)) == (400, "cart_empty")
    assert await orchestrated.ledger("orders") == []


async def test_a_cart_that_a_live_order_holds_makes_no_second_order(
    orchestrated: OrderService,
) -> None:
    await orchestrated.add()
    await create(orchestrated)
    answer = await create(orchestrated, "ord_2")
    assert told(answer) == (409, "cart_claimed")
    assert answer.json()["order"]["orderId"] == ORDER
    assert [row["order_id"] for row in await orchestrated.ledger("orders")] == [ORDER]


async def test_an_undo_gives_the_cart_back(orchestrated: OrderService) -> None:
    await orchestrated.add()
    await create(orchestrated)
    assert told(await undo(orchestrated, "failed", reason="card_declined")) == (200, "failed")
    assert told(await create(orchestrated, "ord_2")) == (200, "pending")
    assert orchestrated.kinds() == ["order.created", "order.failed", "order.created"]


async def test_the_undo_of_an_order_never_created_leaves_a_tombstone_that_stops_a_late_create(
    orchestrated: OrderService,
) -> None:
    await orchestrated.add()
    assert told(await undo(orchestrated)) == (200, "canceled")
    assert told(await create(orchestrated)) == (409, "order_canceled")
    (row,) = await orchestrated.ledger("orders")
    assert (row["status"], row["user_id"], row["total_minor"]) == ("canceled", "ada", 0)
    assert len(await orchestrated.cart()) == 1


async def test_a_late_confirm_finds_the_order_rolled_back(orchestrated: OrderService) -> None:
    await orchestrated.add()
    await create(orchestrated)
    await undo(orchestrated)
    assert told(await confirm(orchestrated)) == (409, "order_canceled")
    assert len(await orchestrated.cart()) == 1


async def test_a_confirmed_order_is_not_undone(orchestrated: OrderService) -> None:
    await orchestrated.add()
    await create(orchestrated)
    await confirm(orchestrated)
    assert told(await undo(orchestrated)) == (409, "order_confirmed")


async def test_a_confirmation_of_another_amount_is_refused(orchestrated: OrderService) -> None:
    await orchestrated.add()
    await create(orchestrated)
    assert told(await confirm(orchestrated, 4100)) == (409, "amount_mismatch")
    assert (await orchestrated.order(ORDER))["status"] == "pending"


async def test_an_order_never_created_cannot_be_confirmed(orchestrated: OrderService) -> None:
    assert told(await confirm(orchestrated)) == (404, "order_not_found")


async def test_a_shopper_who_wants_out_is_heard_at_the_confirmation(
    orchestrated: OrderService,
) -> None:
    await orchestrated.add()
    await create(orchestrated)
    wished = await orchestrated.cancel(ORDER)
    assert (wished.status_code, wished.json()["status"]) == (202, "pending")
    refused = await confirm(orchestrated)
    assert told(refused) == (409, "cancel_wanted")
    assert refused.json()["reason"] == "shopper_canceled"
    assert told(await undo(orchestrated, reason="shopper_canceled")) == (200, "canceled")
    assert (await orchestrated.cancel(ORDER)).status_code == 200


async def test_a_shopper_is_too_late_once_the_order_is_confirmed(
    orchestrated: OrderService,
) -> None:
    await orchestrated.add()
    await create(orchestrated)
    await confirm(orchestrated)
    assert told(await orchestrated.cancel(ORDER)) == (409, "order_confirmed")


async def test_an_order_of_a_saga_stays_undecided_until_its_saga_says_so(
    orchestrated: OrderService,
) -> None:
    await orchestrated.add()
    await create(orchestrated)
    undecided = (await orchestrated.client.get("/undecided")).json()
    assert (undecided["count"], undecided["ids"]) == (1, [ORDER])


async def test_orders_are_placed_at_the_orchestrator(orchestrated: OrderService) -> None:
    await orchestrated.add()
    answer = await orchestrated.place()
    assert told(answer) == (404, "not_offered")


async def test_no_other_strategy_has_the_steps(hardened: OrderService) -> None:
    assert (await create(hardened)).status_code in {404, 405}
    assert "/order/create" not in (await hardened.client.get("/openapi.json")).json()["paths"]


async def test_the_steps_are_documented(orchestrated: OrderService) -> None:
    document = (await orchestrated.client.get("/openapi.json")).json()
    assert {"/order/create", "/order/confirm", "/order/cancel"} <= set(document["paths"])
    assert {"CreateStep", "ConfirmStep", "StepReply"} <= set(document["components"]["schemas"])


async def test_a_wish_that_comes_with_the_order_itself_is_recorded_or_refused(
    orchestrated: OrderService,
) -> None:
    await orchestrated.add()
    wished, _ = await asyncio.gather(orchestrated.cancel(ORDER), create(orchestrated))
    heard = wished.status_code == 202
    assert heard or told(wished) == (404, "order_not_found")
    (row,) = await orchestrated.ledger("orders")
    assert bool(row["cancel_wanted"]) == heard
