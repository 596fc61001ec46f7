"""Every row of the test card table, over a real port and as pure data."""

import pytest

from services.gateway import cards
from services.gateway.errors import CardDeclined, InvalidRequest, Refused
from tests.services.gateway.gateway_process import GatewayProcess, intent

SUCCEEDING = {
    "visa": "4242424242424242",
    "mastercard": "5555555555554444",
    "amex": "378282246310005",
    "visa_debit": "4000056655665556",
}
DECLINING = {
    "visa_chargeDeclined": ("4000000000000002", "card_declined", "generic_decline"),
    "visa_chargeDeclinedInsufficientFunds": (
        "4000000000009995",
        "card_declined",
        "insufficient_funds",
    ),
    "visa_chargeDeclinedLostCard": ("4000000000009987", "card_declined", "lost_card"),
    "visa_chargeDeclinedStolenCard": ("4000000000009979", "card_declined", "stolen_card"),
    "visa_chargeDeclinedVelocityLimitExceeded": (
        "4000000000006975",
        "card_declined",
        "card_velocity_exceeded",
    ),
    "chargeDeclinedExpiredCard": ("4000000000000069", "expired_card", None),
    "chargeDeclinedIncorrectCvc": ("4000000000000127", "incorrect_cvc", None),
    "chargeDeclinedProcessingError": ("4000000000000119", "processing_error", None),
    "chargeCustomerFail": ("4000000000000341", "card_declined", "generic_decline"),
    "radarBlock": ("4100000000000019", "card_declined", "fraudulent"),
}
OLDER = ("", "InsufficientFunds", "LostCard", "StolenCard", "VelocityLimitExceeded")


@pytest.mark.parametrize("name", SUCCEEDING)
def test_a_good_card_is_charged(gateway: GatewayProcess, order: str, name: str) -> None:
    paid = gateway.paid(order, card=f"pm_card_{name}", **{"expand[]": "latest_charge"})

    assert paid["status"] == "succeeded"
    assert paid["amount_received"] == 4200
    details = paid["latest_charge"]["payment_method_details"]["card"]
    assert details["last4"] == SUCCEEDING[name][-4:]
    assert gateway.net(order) == 4200


@pytest.mark.parametrize("name", DECLINING)
def test_a_bad_card_is_declined_in_stripes_words(
    gateway: GatewayProcess, order: str, name: str
) -> None:
    form = intent(order, confirm="true", payment_method=f"pm_card_{name}")
    answer = gateway.post("payment_intents", form)
    error = answer.json()["error"]

    _, code, decline_code = DECLINING[name]
    assert answer.status_code == 402
    assert (error["type"], error["code"]) == ("card_error", code)
    assert error.get("decline_code") == decline_code
    failed = error["payment_intent"]
    assert failed["status"] == "requires_payment_method"
    assert failed["last_payment_error"]["code"] == code
    assert failed["payment_method"] is None
    assert gateway.get(f"charges/{error['charge']}").json()["status"] == "failed"
    assert gateway.kinds(order) == ["intent_created", "declined"]


@pytest.mark.parametrize("name", [*SUCCEEDING, *DECLINING])
def test_a_name_and_its_number_are_the_same_card(name: str) -> None:
    number = SUCCEEDING.get(name) or DECLINING[name][0]

    assert cards.numbered(number) is cards.named(f"pm_card_{name}")


@pytest.mark.parametrize("reason", OLDER)
def test_the_older_spelling_without_visa_is_an_alias(reason: str) -> None:
    older = cards.named(f"pm_card_chargeDeclined{reason}")

    assert older is cards.named(f"pm_card_visa_chargeDeclined{reason}")


@pytest.mark.parametrize("name", ["pm_card_golden", "visa", "pm_card_", "pm_card_pm_card_visa"])
def test_any_other_name_is_missing(name: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        cards.named(name)

    assert (refusal.value.status, refusal.value.code) == (404, "resource_missing")


def test_an_unknown_payment_method_is_404_on_the_wire(gateway: GatewayProcess, order: str) -> None:
    answer = gateway.post(
        "payment_intents", intent(order, confirm="true", payment_method="pm_card_golden")
    )

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "resource_missing"
    assert gateway.kinds(order) == ["refused"]


def test_a_wrong_check_digit_is_an_incorrect_number() -> None:
    with pytest.raises(CardDeclined) as refusal:
        cards.numbered("4242424242424241")

    assert refusal.value.code == "incorrect_number"


@pytest.mark.parametrize("number", ["", "4242", "not a number", "٤٢٤٢", "6011000990139424"])
def test_no_number_but_a_test_card_is_taken(number: str) -> None:
    with pytest.raises(Refused):
        cards.numbered(number)


def test_authentication_leaves_the_shopper_to_act(gateway: GatewayProcess, order: str) -> None:
    waiting = gateway.paid(order, card="pm_card_authenticationRequired")

    assert waiting["status"] == "requires_action"
    assert waiting["next_action"]["type"] == "use_stripe_sdk"
    assert gateway.kinds(order) == ["intent_created"]


def test_authentication_can_be_refused_instead(gateway: GatewayProcess, order: str) -> None:
    form = {"confirm": "true", "payment_method": "pm_card_authenticationRequired"}
    answer = gateway.post("payment_intents", intent(order, error_on_requires_action="true", **form))

    assert answer.status_code == 402
    assert answer.json()["error"]["code"] == "authentication_required"
    assert gateway.kinds(order) == ["refused"]


def test_a_card_can_be_kept_and_charged_by_its_id(gateway: GatewayProcess, order: str) -> None:
    card = {"type": "card", "card[number]": "4000000000009995"}
    kept = gateway.post("payment_methods", card).json()
    form = intent(order, confirm="true", payment_method=kept["id"])
    answer = gateway.post("payment_intents", form)

    assert kept["card"]["last4"] == "9995"
    assert gateway.get(f"payment_methods/{kept['id']}").json() == kept
    assert answer.json()["error"]["decline_code"] == "insufficient_funds"


def test_a_refund_on_the_pending_card_succeeds_later(gateway: GatewayProcess, order: str) -> None:
    paid = gateway.paid(order, card="pm_card_pendingRefund")
    refund = gateway.post("refunds", {"payment_intent": paid["id"]}).json()
    gateway.event("gateway.refunded", refund=refund["id"])

    assert refund["status"] == "pending"
    assert gateway.get(f"refunds/{refund['id']}").json()["status"] == "succeeded"
    assert gateway.net(order) == 0


def test_a_refund_on_the_failing_card_succeeds_and_fails(
    gateway: GatewayProcess, order: str
) -> None:
    paid = gateway.paid(order, card="pm_card_refundFail")
    refund = gateway.post("refunds", {"payment_intent": paid["id"]}).json()
    gateway.event("gateway.refund_failed", refund=refund["id"])

    assert refund["status"] == "succeeded"
    assert gateway.get(f"refunds/{refund['id']}").json()["status"] == "failed"
    assert gateway.kinds(order)[-2:] == ["refunded", "refund_failed"]
    assert gateway.net(order) == 4200
