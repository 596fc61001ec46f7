"""hardened answers truthfully, places one order per wish, and charges under one key."""

import asyncio

import httpx
import pytest

from tests.services.order.world import (
    Gate,
    OrderService,
    PaymentDouble,
    Reaction,
    answering,
    answering_raw,
    completed,
    declining,
    hang,
    refuse,
)


async def test_a_paid_order_is_confirmed_and_takes_its_lines_out_of_the_cart(
    hardened: OrderService, payment: PaymentDouble
) -> None:
    await hardened.add(quantity=2, price=19.99)
    answer = await hardened.place(key="k1", paymentMethod="pm_card_amex")
    order = answer.json()["order"]
    assert (answer.status_code, order["status"], order["totalMinor"]) == (200, "confirmed", 3998)
    assert payment.bodies("process") == [
        {
            "orderId": order["orderId"],
            "userId": "ada",
            "amount": 39.98,
            "amountMinor": 3998,
            "currency": "usd",
            "paymentMethod": "pm_card_amex",
        }
    ]
    assert payment.keys() == [f"{order['orderId']}:charge"]
    assert await hardened.cart() == []
    assert hardened.kinds() == ["order.created", "order.confirmed"]


async def test_the_intent_is_durable_before_the_first_byte_leaves(
    hardened: OrderService, payment: PaymentDouble
) -> None:
    gate = Gate(payment.do)
    payment.then("process", gate)
    await hardened.add()
    placing = asyncio.create_task(hardened.place(key="k1"))
    await payment.arrival("process")
    assert hardened.kinds() == ["order.created"]
    (row,) = await hardened.ledger("orders")
    assert (row["status"], row["client_key"], row["total_minor"]) == ("pending", "k1", 4200)
    gate.open()
    assert (await placing).status_code == 200


async def test_a_decline_is_told_only_after_the_rollback_and_keeps_the_cart(
    hardened: OrderService, payment: PaymentDouble
) -> None:
    payment.then("process", declining("card_declined"))
    await hardened.add()
    answer = await hardened.place(key="k1")
    body = answer.json()
    assert (answer.status_code, body["order"]["status"]) == (402, "failed")
    assert (body["code"], body["definite"]) == ("payment_failed", True)
    assert body["details"] == [{"field": "payment", "message": "card_declined"}]
    assert [item["productId"] for item in await hardened.cart()] == ["mug"]
    assert hardened.kinds() == ["order.created", "order.failed"]


async def test_after_a_failed_order_its_key_repeats_it_and_a_new_key_orders_anew(
    hardened: OrderService, payment: PaymentDouble
) -> None:
    payment.then("process", declining())
    await hardened.add()
    first = await hardened.place(key="k1")
    again = await hardened.place(key="k1")
    anew = await hardened.place(key="k2")
    assert (again.status_code, again.json()) == (402, first.json())
    assert (anew.status_code, payment.captured_minor) == (200, 4200)
    assert anew.json()["order"]["orderId"] != first.json()["order"]["orderId"]
    assert await hardened.cart() == []


async def test_a_resend_after_success_gets_its_order_not_an_empty_cart(
    hardened: OrderService, payment: PaymentDouble
) -> None:
    await hardened.add()
    first = await hardened.place(key="k1")
    again = await hardened.place(key="k1")
    assert (again.status_code, again.json()) == (200, first.json())
    assert len(payment.requests) == 1
    assert hardened.kinds()[-1] == "order.deduplicated"


async def test_two_posts_with_one_key_at_once_make_one_order(
    hardened: OrderService, payment: PaymentDouble
) -> None:
    gate = Gate(payment.do)
    payment.then("process", gate)
    await hardened.add()
    twice = asyncio.gather(hardened.place(key="k1"), hardened.place(key="k1"))
    await payment.arrival("process")
    await hardened.seen("order.deduplicated")
    gate.open()
    first, second = await twice
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    assert (len(await hardened.ledger("orders")), payment.captured_minor) == (1, 4200)


async def test_a_new_key_on_a_claimed_cart_gets_the_live_order_for_good(
    hardened: OrderService, payment: PaymentDouble
) -> None:
    gate = Gate(payment.do)
    payment.then("process", gate)
    await hardened.add()
    first = asyncio.create_task(hardened.place(key="k1"))
    await payment.arrival("process")
    second = asyncio.create_task(hardened.place(key="k2"))
    await hardened.seen("order.deduplicated")
    gate.open()
    order = (await first).json()["order"]
    assert (await second).json()["order"] == order
    later = await hardened.place(key="k2")
    assert (later.status_code, later.json()["order"]) == (200, order)
    assert payment.captured_minor == 4200


async def test_without_a_key_the_cart_claim_alone_holds_off_a_second_order(
    hardened: OrderService, payment: PaymentDouble
) -> None:
    gate = Gate(payment.do)
    payment.then("process", gate)
    await hardened.add()
    twice = asyncio.gather(hardened.place(), hardened.place())
    await payment.arrival("process")
    await hardened.seen("order.deduplicated")
    gate.open()
    first, second = await twice
    assert first.json()["order"] == second.json()["order"]


async def test_one_key_with_another_body_is_refused_without_effect(
    hardened: OrderService, payment: PaymentDouble
) -> None:
    await hardened.add()
    await hardened.place(key="k1")
    await hardened.add()
    for other in ({"paymentMethod": "pm_card_amex"}, {"user": "bob"}):
        answer = await hardened.place(key="k1", **other)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
        assert answer.json()["definite"] is True
    assert (len(payment.requests), len(await hardened.cart())) == (1, 1)


async def test_the_default_card_and_no_card_are_the_same_body(hardened: OrderService) -> None:
    await hardened.add()
    first = await hardened.place(key="k1")
    again = await hardened.place(key="k1", paymentMethod="pm_card_visa")
    assert again.json() == first.json()


async def test_lines_added_meanwhile_stay_in_the_cart_and_make_their_own_order(
    hardened: OrderService, payment: PaymentDouble
) -> None:
    gate = Gate(payment.do)
    payment.then("process", gate)
    await hardened.add()
    first = asyncio.create_task(hardened.place(key="k1"))
    await payment.arrival("process")
    await hardened.add(quantity=2)  # the very product that is being ordered
    second = await hardened.place(key="k2")
    gate.open()
    assert (await first).json()["order"]["items"][0]["quantity"] == 1
    assert second.json()["order"]["items"][0]["quantity"] == 2
    assert await hardened.cart() == []
    assert payment.captured_minor == 3 * 4200


async def test_a_line_given_back_and_its_twin_grow_once(
    hardened: OrderService, payment: PaymentDouble
) -> None:
    gate = Gate(declining())
    payment.then("process", gate)
    await hardened.add()
    first = asyncio.create_task(hardened.place(key="k1"))
    await payment.arrival("process")
    await hardened.add()
    gate.open()
    await first
    await hardened.add()
    assert [item["quantity"] for item in await hardened.cart()] == [3]


@pytest.mark.parametrize(
    "answer",
    [
        answering(202, {"status": "pending"}),
        answering(200, {"status": "pending"}),
        answering(200, {"status": "completed"}),
        answering(200, {"status": "completed", "payment": {"orderId": "ord_another"}}),
        answering(409, {"code": "in_flight", "definite": True}),
        answering(408, {}),
        answering(402, {"status": "failed"}),
        answering(404, {"detail": "Not Found"}),
    ],
)
async def test_an_answer_that_settles_nothing_is_told_as_unresolved_and_then_found_out(
    hardened: OrderService, payment: PaymentDouble, answer: Reaction
) -> None:
    payment.then("process", answer)
    await hardened.add()
    placed = await hardened.place(key="k1")
    order = placed.json()["order"]
    assert (placed.status_code, order["status"]) == (202, "pending")
    assert placed.headers["location"] == f"/order/{order['orderId']}"
    assert placed.headers["retry-after"] == "1"
    await hardened.seen("order.confirmed")
    assert (await hardened.order(order["orderId"]))["status"] == "confirmed"
    assert set(payment.keys()) == {f"{order['orderId']}:charge"}
    assert payment.captured_minor == 4200


@pytest.mark.parametrize(
    "answer",
    [
        *(answering(status, {"error": "later"}) for status in (500, 502, 503, 429)),
        answering(200, ["completed"]),
        answering_raw(200, b'{"status": "comple'),
        answering_raw(200, b"[" * 100_000),
    ],
)
async def test_an_answer_that_says_nothing_is_repeated_at_once_with_the_same_key_and_body(
    hardened: OrderService, payment: PaymentDouble, answer: Reaction
) -> None:
    payment.then("process", answer)
    await hardened.add()
    assert (await hardened.place(key="k1")).status_code == 200
    first, second = payment.keys()
    assert first == second
    assert payment.bodies("process")[0] == payment.bodies("process")[1]


async def test_a_lost_answer_is_repeated_and_meets_the_stored_result(
    hardened: OrderService, payment: PaymentDouble
) -> None:
    payment.then("process", payment.lose_answer)
    await hardened.add()
    assert (await hardened.place(key="k1")).status_code == 200
    assert (len(payment.requests), payment.captured_minor) == (2, 4200)
    attempts = [e["data"]["attempt"] for e in hardened.events if e["kind"] == "call.started"]
    assert attempts == [1, 2]


async def test_a_try_starts_only_when_a_whole_try_still_fits(
    hardened: OrderService, payment: PaymentDouble
) -> None:
    payment.then("process", hang, payment.do)
    brief = OrderService(
        strategy="hardened",
        database=hardened.database.with_name("brief.db"),
        payment=payment,
        settings={"payment_try_ms": 30, "payment_total_ms": 40, "retry_low_ms": 60_000}
        | {"retry_high_ms": 60_000},
    )
    async with brief.running():
        await brief.add()
        assert (await brief.place()).status_code == 202
        assert len(payment.requests) == 1


async def test_a_refused_connection_is_tried_again_and_never_told_as_failed(
    hardened: OrderService, payment: PaymentDouble
) -> None:
    payment.then("process", refuse, refuse)
    await hardened.add()
    placed = await hardened.place(key="k1")
    assert placed.status_code == 202
    await hardened.seen("order.confirmed")
    assert payment.captured_minor == 4200


async def test_an_open_breaker_spares_payment_and_is_told_as_unresolved(
    hardened: OrderService, payment: PaymentDouble
) -> None:
    payment.then("process", *[refuse] * 5)
    for user in ("a", "b", "c"):
        await hardened.add(user)
    answers = [await hardened.place(user) for user in ("a", "b", "c")]
    assert {answer.status_code for answer in answers} == {202}
    assert (await hardened.seen("call.ended"))["data"]["error"] in {"refused", "breaker_open"}
    errors = [e["data"]["error"] for e in hardened.events if e["kind"] == "call.ended"]
    assert "breaker_open" in errors
    assert len(payment.requests) == 5


async def test_a_definite_refusal_of_the_request_is_fenced_before_it_is_told_as_failed(
    hardened: OrderService, payment: PaymentDouble
) -> None:
    payment.then("process", answering(422, {"code": "invalid_request", "definite": True}))
    await hardened.add()
    placed = await hardened.place(key="k1")
    assert (placed.status_code, placed.json()["order"]["status"]) == (402, "failed")
    assert [charge.status for charge in payment.charges.values()] == ["canceled"]


async def test_a_wrong_amount_never_confirms_and_is_given_back(
    hardened: OrderService, payment: PaymentDouble
) -> None:
    await hardened.add()
    payment.then("process", _charging(payment, 4100))
    placed = await hardened.place(key="k1")
    assert placed.status_code == 202
    await hardened.seen("order.canceled")
    assert payment.captured_minor == 0
    assert "order.confirmed" not in hardened.kinds()
    assert [item["productId"] for item in await hardened.cart()] == ["mug"]


def _charging(payment: PaymentDouble, amount_minor: int) -> Reaction:
    async def charge(request: httpx.Request) -> httpx.Response:
        await payment.do(request)
        ((order_id, charged),) = payment.charges.items()
        charged.amount_minor = amount_minor
        return completed(order_id, amount_minor)

    return charge


async def test_a_cart_of_free_things_is_nothing_to_pay(hardened: OrderService) -> None:
    await hardened.add(price=0)
    answer = await hardened.place(key="k1")
    assert (answer.status_code, answer.json()["code"]) == (400, "nothing_to_pay")
    assert await hardened.ledger("orders") == []


async def test_a_total_beyond_what_stripe_charges_is_refused(hardened: OrderService) -> None:
    await hardened.add(price=1_000_000)
    answer = await hardened.place(key="k1")
    assert (answer.status_code, answer.json()["code"]) == (400, "total_too_large")


async def test_a_key_whose_request_did_nothing_is_free_to_be_used(hardened: OrderService) -> None:
    assert (await hardened.place(key="k1")).status_code == 400
    await hardened.add()
    assert (await hardened.place(key="k1")).status_code == 200
