"""naive keeps the reference design's promises, and breaks them as it does."""

import asyncio

import httpx

from tests.services.order.world import (
    Gate,
    OrderService,
    PaymentDouble,
    answering,
    declining,
    hang,
    refuse,
)


async def test_the_reference_designs_curl_examples_work_as_written(naive: OrderService) -> None:
    headers = {"Content-Type": "application/json"}
    added = await naive.client.post(
        "/cart/add",
        headers=headers,
        content='{"userId":"user123","productId":"prod1","quantity":2,"price":50}',
    )
    placed = await naive.client.post(
        "/order/place", headers=headers, content='{"userId":"user123"}'
    )
    assert added.json()["items"] == [{"productId": "prod1", "quantity": 2, "price": 50}]
    assert placed.status_code == 200
    assert placed.json()["message"] == "Order placed successfully"
    assert placed.json()["order"]["status"] == "confirmed"
    assert placed.json()["order"]["totalAmount"] == 100


async def test_an_order_of_nothing_is_refused_before_anything_is_written(
    naive: OrderService, payment: PaymentDouble
) -> None:
    answer = await naive.place()
    assert (answer.status_code, answer.json()["error"]) == (400, "Cart is empty")
    assert (await naive.ledger("orders"), payment.requests) == ([], [])


async def test_payment_is_asked_once_without_a_key(
    naive: OrderService, payment: PaymentDouble
) -> None:
    await naive.add(quantity=2, price=19.99)
    order = (await naive.place(key="k1")).json()["order"]
    assert payment.keys() == [None]
    assert payment.bodies("process") == [
        {"orderId": order["orderId"], "userId": "ada", "amount": 39.98}
    ]
    assert (await naive.ledger("orders"))[0]["client_key"] is None


async def test_the_card_travels_only_when_it_is_not_the_default(
    naive: OrderService, payment: PaymentDouble
) -> None:
    await naive.add()
    await naive.place(paymentMethod="pm_card_mastercard")
    assert payment.bodies("process")[0]["paymentMethod"] == "pm_card_mastercard"


async def test_the_order_is_on_record_before_payment_hears_of_it(
    naive: OrderService, payment: PaymentDouble
) -> None:
    gate = Gate(payment.do)
    payment.then("process", gate)
    await naive.add()
    placing = asyncio.create_task(naive.place())
    await payment.arrival("process")
    assert naive.kinds() == ["order.created"]
    assert [row["status"] for row in await naive.ledger("orders")] == ["pending"]
    gate.open()
    assert (await placing).status_code == 200


async def test_a_status_other_than_completed_is_told_as_payment_failed(
    naive: OrderService, payment: PaymentDouble
) -> None:
    payment.then("process", answering(200, {"status": "pending"}))
    await naive.add()
    answer = await naive.place()
    assert (answer.status_code, answer.json()["error"]) == (400, "Payment failed")
    assert answer.json()["order"]["status"] == "failed"
    assert len(await naive.cart()) == 1


async def test_a_decline_arrives_as_an_error_of_the_payment_service(
    naive: OrderService, payment: PaymentDouble
) -> None:
    payment.then("process", declining(status=400))
    await naive.add()
    answer = await naive.place()
    assert (answer.status_code, answer.json()["error"]) == (500, "Payment service error")
    assert answer.json()["details"][0]["message"] == "Request failed with status code 400"
    assert answer.json()["order"]["status"] == "failed"


async def test_a_lost_answer_is_told_as_failed_although_the_card_was_charged(
    naive: OrderService, payment: PaymentDouble
) -> None:
    payment.then("process", payment.lose_answer)
    await naive.add()
    answer = await naive.place()
    assert (answer.status_code, answer.json()["order"]["status"]) == (500, "failed")
    assert payment.captured_minor == 4200
    assert len(payment.requests) == 1


async def test_a_refused_connection_is_told_as_failed(
    naive: OrderService, payment: PaymentDouble
) -> None:
    payment.then("process", refuse)
    await naive.add()
    assert (await naive.place()).json()["order"]["status"] == "failed"


async def test_a_resend_with_the_same_key_orders_and_charges_again(
    naive: OrderService, payment: PaymentDouble
) -> None:
    gate = Gate(payment.do)
    payment.then("process", gate, gate)
    await naive.add()
    twice = asyncio.gather(naive.place(key="k1"), naive.place(key="k1"))
    await payment.arrival("process")
    await payment.arrival("process")
    gate.open()
    first, second = await twice
    assert first.json()["order"]["orderId"] != second.json()["order"]["orderId"]
    assert payment.captured_minor == 8400


async def test_a_resend_after_success_hears_that_the_cart_is_empty(naive: OrderService) -> None:
    await naive.add()
    assert (await naive.place(key="k1")).status_code == 200
    again = await naive.place(key="k1")
    assert (again.status_code, again.json()["code"]) == (400, "cart_empty")


async def test_a_late_answer_overwrites_a_cancel(
    naive: OrderService, payment: PaymentDouble
) -> None:
    gate = Gate(payment.do)
    payment.then("process", gate)
    await naive.add()
    placing = asyncio.create_task(naive.place())
    created = await naive.seen("order.created")
    canceled = await naive.cancel(created["order"])
    assert (canceled.status_code, canceled.json()["status"]) == (200, "canceled")
    gate.open()
    assert (await placing).json()["order"]["status"] == "confirmed"
    assert naive.kinds() == ["order.created", "order.canceled", "order.confirmed"]


async def test_cancel_works_even_over_confirmed_and_tells_payment_nothing(
    naive: OrderService, payment: PaymentDouble
) -> None:
    await naive.add()
    order = (await naive.place()).json()["order"]
    assert (await naive.cancel(order["orderId"])).json()["status"] == "canceled"
    assert payment.captured_minor == 4200


async def test_cancel_of_an_unknown_order_is_not_found(naive: OrderService) -> None:
    answer = await naive.cancel("ord_nobody")
    assert (answer.status_code, answer.json()["code"]) == (404, "order_not_found")


async def test_lines_added_while_payment_was_asked_are_cleared_unpaid(
    naive: OrderService, payment: PaymentDouble
) -> None:
    gate = Gate(payment.do)
    payment.then("process", gate)
    await naive.add()
    placing = asyncio.create_task(naive.place())
    await payment.arrival("process")
    await naive.add(productId="late")
    gate.open()
    await placing
    assert await naive.cart() == []


async def test_a_crash_during_the_charge_leaves_the_order_pending_for_ever(
    naive: OrderService, payment: PaymentDouble
) -> None:
    payment.then("process", hang)
    await naive.add()
    placing = asyncio.create_task(naive.place())
    await payment.arrival("process")
    placing.cancel()
    restarted = OrderService(strategy="naive", database=naive.database, payment=payment)
    async with restarted.running():
        assert [row["status"] for row in await restarted.ledger("orders")] == ["pending"]
        undecided = (await restarted.client.get("/undecided")).json()
        assert (undecided["count"], len(payment.requests)) == (1, 1)


async def test_a_payment_service_slower_than_the_limit_is_told_as_failed(
    naive: OrderService, payment: PaymentDouble
) -> None:
    payment.then("process", hang)
    brief = OrderService(
        strategy="naive",
        database=naive.database,
        payment=payment,
        settings={"payment_try_ms": 20},
    )
    async with brief.running():
        await brief.add()
        answer: httpx.Response = await brief.place()
        assert (answer.status_code, answer.json()["order"]["status"]) == (500, "failed")
        assert (await brief.seen("call.ended"))["data"]["error"] == "timeout"
