"""Naive is wrong in the ways the reference design is, and in no others."""

from collections.abc import AsyncIterator

import pytest

from .world import Gateway, Service, running_payment

ORDER = "ord_1"


@pytest.fixture
async def payment(gateway: Gateway, database: str) -> AsyncIterator[Service]:
    async with running_payment(gateway.url, database, strategy="naive") as service:
        yield service


async def test_a_good_card_is_charged_in_one_request(gateway: Gateway, payment: Service) -> None:
    answer = await payment.process(ORDER)
    assert (answer.status_code, answer.json()["status"]) == (200, "completed")
    assert payment.kinds("") == [
        "payment.recorded",
        "call.started",
        "payment.charge_requested",
        "call.ended",
        "payment.charge_succeeded",
        "payment.result_written",
    ]
    assert await gateway.net_minor(ORDER) == 4200
    assert (await payment.row(ORDER))["keys"] == []


async def test_a_decline_is_400(gateway: Gateway, payment: Service) -> None:
    answer = await payment.process(ORDER, paymentMethod="pm_card_visa_chargeDeclined")
    assert (answer.status_code, answer.json()["code"]) == (400, "generic_decline")
    assert await gateway.net_minor(ORDER) == 0


async def test_a_repeated_request_charges_again(gateway: Gateway, payment: Service) -> None:
    await payment.process(ORDER)
    await payment.process(ORDER)
    assert await gateway.net_minor(ORDER) == 8400


@pytest.mark.parametrize("fault", ["drop_after_commit", "error_500_after_effect"])
async def test_a_lost_answer_is_taken_for_a_decline(
    gateway: Gateway, payment: Service, fault: str
) -> None:
    await gateway.fault(fault, operation="charge")
    answer = await payment.process(ORDER)
    assert (answer.status_code, answer.json()["status"]) == (400, "failed")
    assert answer.json()["definite"] is True  # and that is the lie
    assert await gateway.net_minor(ORDER) == 4200
    assert payment.kinds()[-2:] == ["payment.charge_unknown", "payment.result_written"]


async def test_a_timeout_is_taken_for_a_decline(gateway: Gateway, database: str) -> None:
    async with running_payment(
        gateway.url, database, strategy="naive", gateway_try_ms=200
    ) as payment:
        await gateway.fault("delay_after_commit", operation="charge", parameters={"ms": 600})
        assert (await payment.process(ORDER)).status_code == 400
        assert await gateway.net_minor(ORDER) == 4200


async def test_a_card_that_wants_its_shopper_counts_as_paid(
    gateway: Gateway, payment: Service
) -> None:
    answer = await payment.process(ORDER, paymentMethod="pm_card_authenticationRequired")
    assert (answer.status_code, answer.json()["status"]) == (200, "completed")
    assert await gateway.net_minor(ORDER) == 0


async def test_it_has_no_fence_and_no_refund(payment: Service) -> None:
    await payment.process(ORDER)
    for answer in (await payment.cancel(ORDER), await payment.refund(ORDER)):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_offered")
