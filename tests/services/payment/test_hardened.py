"""Hardened charges once, answers definitely only when it knows, and resolves what it does not."""

import asyncio

import pytest

from .world import Gateway, Service, payment_process, running_payment

ORDER = "ord_1"


async def test_a_good_card_is_charged_once_in_the_order_the_events_tell(
    gateway: Gateway, payment: Service
) -> None:
    answer = await payment.process(ORDER)
    assert (answer.status_code, answer.json()["status"]) == (200, "completed")
    assert answer.json()["payment"]["amountMinor"] == 4200
    assert payment.kinds() == [
        "payment.recorded",
        "payment.intent_created",
        "payment.charge_requested",
        "payment.charge_succeeded",
        "payment.result_written",
    ]
    assert await gateway.net_minor(ORDER) == 4200
    row = await payment.row(ORDER)
    assert row["keys"] == [f"{ORDER}:create:1", f"{ORDER}:confirm:1"]
    assert (row["status"], row["phase"]) == ("completed", "completed")


async def test_the_intent_names_order_and_shopper(gateway: Gateway, payment: Service) -> None:
    await gateway.fault("error_500_after_effect", operation="create", user="shopper-1")
    await payment.process(ORDER)
    rows = await gateway.journal(ORDER, "fault_used")
    assert len(rows) == 1


async def test_a_repeated_request_is_answered_from_the_row(
    gateway: Gateway, payment: Service
) -> None:
    first, second = await payment.process(ORDER), await payment.process(ORDER)
    assert first.json() == second.json()
    assert len(await gateway.journal(ORDER, "captured")) == 1
    assert payment.kinds()[-1] == "payment.deduplicated"


async def test_twenty_requests_at_once_charge_once(gateway: Gateway, payment: Service) -> None:
    answers = await asyncio.gather(*(payment.process(ORDER) for _ in range(20)))
    assert {answer.status_code for answer in answers} <= {200, 202}
    assert await payment.settled(ORDER) == "completed"
    assert len(await gateway.journal(ORDER, "captured")) == 1


@pytest.mark.parametrize(
    "changes", [{"amount": 43.00}, {"paymentMethod": "pm_card_amex"}, {"userId": "shopper-2"}]
)
async def test_the_same_order_with_another_body_is_422(
    gateway: Gateway, payment: Service, changes: dict[str, object]
) -> None:
    await payment.process(ORDER)
    answer = await payment.process(ORDER, **changes)
    assert (answer.status_code, answer.json()["code"]) == (422, "charge_mismatch")
    assert await gateway.net_minor(ORDER) == 4200


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("pm_card_visa_chargeDeclined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_nonesuch", "resource_missing"),
    ],
)
async def test_a_definite_refusal_is_402_and_final(
    gateway: Gateway, payment: Service, card: str, code: str
) -> None:
    answer = await payment.process(ORDER, paymentMethod=card)
    assert (answer.status_code, answer.json()["code"]) == (402, code)
    assert answer.json()["definite"] is True
    assert (await payment.process(ORDER, paymentMethod=card)).status_code == 402
    assert await gateway.net_minor(ORDER) == 0


async def test_a_card_that_wants_its_shopper_is_fenced_then_failed(
    gateway: Gateway, payment: Service
) -> None:
    answer = await payment.process(ORDER, paymentMethod="pm_card_authenticationRequired")
    assert (answer.status_code, answer.json()["code"]) == (402, "authentication_required")
    assert "payment.fenced" in payment.kinds()
    assert len(await gateway.journal(ORDER, "canceled")) == 1


@pytest.mark.parametrize("operation", ["create", "confirm"])
@pytest.mark.parametrize("fault", ["rate_limited", "unavailable", "drop_after_commit"])
async def test_a_passing_fault_is_repeated_under_the_same_key(
    gateway: Gateway, payment: Service, operation: str, fault: str
) -> None:
    await gateway.fault(fault, operation=operation)
    await payment.process(ORDER)
    assert await payment.settled(ORDER) == "completed"
    assert await gateway.net_minor(ORDER) == 4200
    keys = {row["idempotency_key"] for row in await gateway.journal(ORDER, "captured")}
    assert keys == {f"{ORDER}:confirm:1"}


async def test_a_500_after_the_effect_is_read_not_repeated(
    gateway: Gateway, payment: Service
) -> None:
    await gateway.fault("error_500_after_effect", operation="confirm")
    answer = await payment.process(ORDER)
    assert (answer.status_code, answer.json()["status"]) == (200, "completed")
    operations = [e["data"]["operation"] for e in payment.events if e["kind"] == "call.started"]
    assert operations == ["create", "confirm", "retrieve"]
    assert await gateway.net_minor(ORDER) == 4200


async def test_a_500_without_effect_is_fenced_once_the_order_is_old(
    gateway: Gateway, database: str
) -> None:
    await gateway.fault("error_500_no_effect", operation="confirm")
    async with running_payment(gateway.url, database) as payment:
        answer = await payment.process(ORDER)
        assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    async with running_payment(gateway.url, database, fence_after_ms=1) as later:
        assert await later.settled(ORDER) == "canceled"
        assert (await later.process(ORDER)).status_code == 402
        assert "payment.charge_requested" not in later.kinds()  # its key replays only the 500
    assert payment.kinds().count("payment.charge_requested") == 1
    assert await gateway.net_minor(ORDER) == 0


async def test_a_create_stuck_on_a_saved_500_takes_the_next_key(
    gateway: Gateway, payment: Service
) -> None:
    await gateway.fault("error_500_no_effect", operation="create")
    assert (await payment.process(ORDER)).status_code == 200
    row = await payment.row(ORDER)
    assert row["keys"] == [f"{ORDER}:create:1", f"{ORDER}:create:2", f"{ORDER}:confirm:1"]


async def test_processing_that_falls_back_is_fenced_under_the_next_cancel_key(
    gateway: Gateway, payment: Service
) -> None:
    await gateway.fault(
        "error_500_then_back", operation="charge", parameters={"reveal_after_ms": 300}
    )
    await payment.process(ORDER)
    canceled = await payment.cancel(ORDER)  # refused as processing, and saved so
    assert canceled.status_code in {200, 202}
    assert await payment.settled(ORDER) == "canceled"
    assert await gateway.net_minor(ORDER) == 0


async def test_a_late_answer_is_no_decline(gateway: Gateway, database: str) -> None:
    async with running_payment(
        gateway.url, database, gateway_try_ms=300, gateway_total_ms=320, fence_after_ms=5000
    ) as payment:
        await gateway.fault("delay_after_commit", operation="confirm", parameters={"ms": 900})
        answer = await payment.process(ORDER)
        assert (answer.status_code, answer.json()["status"]) == (202, "pending")
        assert await payment.settled(ORDER) == "completed"
        assert await gateway.net_minor(ORDER) == 4200


async def test_a_gateway_that_never_answers_ends_in_a_local_cancel(database: str) -> None:
    async with running_payment("http://127.0.0.1:9", database, fence_after_ms=200) as payment:
        assert (await payment.process(ORDER)).status_code == 202
        assert await payment.settled(ORDER) == "canceled"
        assert "payment.charge_requested" not in payment.kinds()


async def test_cancel_of_an_order_never_seen_leaves_a_tombstone(
    gateway: Gateway, payment: Service
) -> None:
    assert (await payment.cancel(ORDER)).status_code == 200
    late = await payment.process(ORDER)
    assert (late.status_code, late.json()["code"]) == (402, "canceled")
    assert await gateway.journal(ORDER) == []


async def test_cancel_after_the_charge_is_409(gateway: Gateway, payment: Service) -> None:
    await payment.process(ORDER)
    answer = await payment.cancel(ORDER)
    assert (answer.status_code, answer.json()["code"]) == (409, "already_completed")
    assert await gateway.net_minor(ORDER) == 4200


async def test_cancel_that_races_the_confirm_leaves_one_truth(
    gateway: Gateway, payment: Service
) -> None:
    await gateway.fault("slow_execution", operation="confirm", parameters={"ms": 200})
    charged, canceled = await asyncio.gather(payment.process(ORDER), payment.cancel(ORDER))
    phase = await payment.settled(ORDER)
    net = await gateway.net_minor(ORDER)
    assert (phase, net) in {("completed", 4200), ("canceled", 0)}
    assert charged.status_code in {200, 202, 402}
    assert canceled.status_code in {200, 202, 409}


async def test_refund_gives_back_what_was_charged(gateway: Gateway, payment: Service) -> None:
    await payment.process(ORDER)
    answer = await payment.refund(ORDER)
    assert (answer.status_code, answer.json()["status"]) == (200, "refunded")
    assert await gateway.net_minor(ORDER) == 0
    assert (await payment.refund(ORDER)).status_code == 200
    assert len(await gateway.journal(ORDER, "refunded")) == 1


async def test_refund_of_an_order_never_seen_leaves_a_tombstone(
    gateway: Gateway, payment: Service
) -> None:
    assert (await payment.refund(ORDER)).json()["status"] == "canceled"
    assert (await payment.process(ORDER)).status_code == 402
    assert await gateway.net_minor(ORDER) == 0


@pytest.mark.parametrize(
    "fault",
    ["drop_after_commit", "unavailable", "error_500_after_effect", "error_500_no_effect"],
)
async def test_a_refund_meeting_a_fault_happens_once(
    gateway: Gateway, payment: Service, fault: str
) -> None:
    await payment.process(ORDER)
    await gateway.fault(fault, operation="refund")
    await payment.refund(ORDER)
    assert await payment.settled(ORDER) == "refunded"
    assert await gateway.net_minor(ORDER) == 0
    assert len(await gateway.journal(ORDER, "refunded")) == 1


async def test_a_refund_that_is_pending_is_waited_for(gateway: Gateway, payment: Service) -> None:
    await payment.process(ORDER, paymentMethod="pm_card_pendingRefund")
    await payment.refund(ORDER)
    assert await payment.settled(ORDER) == "refunded"
    assert await gateway.net_minor(ORDER) == 0


async def test_a_refund_that_fails_after_it_succeeded_is_made_again(
    gateway: Gateway, payment: Service
) -> None:
    await payment.process(ORDER)
    await gateway.fault("refund_fails_later", operation="refund", parameters={"ms": 60})
    assert (await payment.refund(ORDER)).status_code == 200
    assert await payment.settled(ORDER) == "refunded"
    assert await gateway.net_minor(ORDER) == 0
    assert (await payment.row(ORDER))["keys"][-1] == f"{ORDER}:refund:2"


async def test_two_processes_on_one_file_charge_once(gateway: Gateway, database: str) -> None:
    async with (
        payment_process(gateway.url, database) as one,
        payment_process(gateway.url, database) as two,
    ):
        bodies = [{"orderId": f"ord_{n}", "userId": "u", "amount": 42} for n in range(10)]
        answers = await asyncio.gather(
            *(http.post("/payment/process", json=body) for body in bodies for http in (one, two))
        )
        assert {answer.status_code for answer in answers} <= {200, 202}
    for body in bodies:
        assert len(await gateway.journal(str(body["orderId"]), "captured")) == 1


async def test_an_outage_opens_the_breaker_and_the_order_still_ends(
    gateway: Gateway, database: str
) -> None:
    async with running_payment(
        gateway.url, database, breaker_failures=2, breaker_open_ms=50, fence_after_ms=10_000
    ) as payment:
        await gateway.fault("unavailable", operation="create", times=4)
        await payment.process(ORDER)
        assert await payment.settled(ORDER) == "completed"
        errors = [e["data"]["error"] for e in payment.events if e["kind"] == "call.ended"]
        assert "breaker_open" in errors
        assert len(await gateway.journal(ORDER, "captured")) == 1
