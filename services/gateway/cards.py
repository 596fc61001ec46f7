"""Stripe's test cards: pure tables from a name or number to what a charge on it does.

Source: docs.stripe.com/testing, but for a few numbers seen only in third-party recordings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from .errors import CardDeclined, InvalidRequest, no_such


class Outcome(StrEnum):
    """What happens when the card is charged."""

    SUCCEEDS = "succeeds"
    DECLINES = "declines"
    ASKS_THE_SHOPPER = "asks_the_shopper"  # 3-D Secure: `requires_action`, never resolved here
    REFUNDS_LATE = "refunds_late"  # succeeds; its refunds are pending at first
    REFUND_FAILS = "refund_fails"  # succeeds; its refunds succeed, then fail


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One test card; `code` and `decline_code` are Stripe's, set only where it declines."""

    number: str
    brand: str = "visa"
    funding: str = "credit"
    outcome: Outcome = Outcome.SUCCEEDS
    code: str | None = None
    decline_code: str | None = None
    message: str = ""

    @property
    def last4(self) -> str:
        """The digits a receipt shows."""
        return self.number[-4:]


_DECLINED = "Your card was declined."


def _declines(number: str, code: str, decline_code: str | None, message: str) -> Card:
    return Card(
        number=number,
        outcome=Outcome.DECLINES,
        code=code,
        decline_code=decline_code,
        message=message,
    )


_CARDS: Mapping[str, Card] = {
    "visa": Card(number="4242424242424242"),
    "mastercard": Card(number="5555555555554444", brand="mastercard"),
    "amex": Card(number="378282246310005", brand="amex"),
    "visa_debit": Card(number="4000056655665556", funding="debit"),
    "visa_chargeDeclined": _declines(
        "4000000000000002", "card_declined", "generic_decline", _DECLINED
    ),
    "visa_chargeDeclinedInsufficientFunds": _declines(
        "4000000000009995",
        "card_declined",
        "insufficient_funds",
        "Your card has insufficient funds.",
    ),
    "visa_chargeDeclinedLostCard": _declines(
        "4000000000009987", "card_declined", "lost_card", _DECLINED
    ),
    "visa_chargeDeclinedStolenCard": _declines(
        "4000000000009979", "card_declined", "stolen_card", _DECLINED
    ),
    "visa_chargeDeclinedVelocityLimitExceeded": _declines(
        "4000000000006975",
        "card_declined",
        "card_velocity_exceeded",
        "Your card was declined for making repeated attempts too frequently "
        "or exceeding its amount limit.",
    ),
    "chargeDeclinedExpiredCard": _declines(
        "4000000000000069", "expired_card", None, "Your card has expired."
    ),
    "chargeDeclinedIncorrectCvc": _declines(
        "4000000000000127", "incorrect_cvc", None, "Your card's security code is incorrect."
    ),
    "chargeDeclinedProcessingError": _declines(
        "4000000000000119",
        "processing_error",
        None,
        "An error occurred while processing your card. Try again in a little bit.",
    ),
    # Attaching it to a customer succeeds; only the charge is declined.
    "chargeCustomerFail": _declines(
        "4000000000000341", "card_declined", "generic_decline", _DECLINED
    ),
    "authenticationRequired": Card(number="4000002760003184", outcome=Outcome.ASKS_THE_SHOPPER),
    # Which decline code a Radar block carries is unverified.
    "radarBlock": _declines("4100000000000019", "card_declined", "fraudulent", _DECLINED),
    "pendingRefund": Card(number="4000000000007726", outcome=Outcome.REFUNDS_LATE),
    "refundFail": Card(number="4000000000005126", outcome=Outcome.REFUND_FAILS),
}
_ALIASES: Mapping[str, str] = {
    name.removeprefix("visa_"): name for name in _CARDS if name.startswith("visa_charge")
}
_BY_NUMBER: Mapping[str, Card] = {card.number: card for card in _CARDS.values()}

NAMES: frozenset[str] = frozenset(f"pm_card_{name}" for name in (*_CARDS, *_ALIASES))


def named(payment_method: str) -> Card:
    """Return the card behind a `pm_card_…` name; any other name is 404 `resource_missing`."""
    name = payment_method.removeprefix("pm_card_")
    card = _CARDS.get(_ALIASES.get(name, name))
    if card is None or payment_method == name:
        raise no_such("PaymentMethod", payment_method, param="payment_method")
    return card


def by_token(token: str) -> Card:
    """Return the card behind a `tok_…` name: the same names with another prefix."""
    name = token.removeprefix("tok_")
    card = _CARDS.get(_ALIASES.get(name, name))
    if card is None or token == name:
        raise no_such("token", token, param="card[token]")
    return card


def numbered(number: str) -> Card:
    """Return the test card of that number; a wrong check digit is 402 `incorrect_number`."""
    digits = number.replace(" ", "").replace("-", "")
    card = _BY_NUMBER.get(digits)
    if card is not None:
        return card
    if not (digits.isascii() and digits.isdigit() and _luhn(digits)):
        raise CardDeclined(
            "Your card number is incorrect.",
            status=402,
            code="incorrect_number",
            param="card[number]",
        )
    raise InvalidRequest(
        "Your card was declined. Your request was in test mode, but used a non test card. "
        "For a list of valid test cards, visit: https://stripe.com/docs/testing.",
        status=402,
        code="card_declined",
        decline_code="test_mode_live_card",
        param="card[number]",
    )


def _luhn(digits: str) -> bool:
    """Tell whether the check digit fits (ISO/IEC 7812)."""
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0  # noqa: PLR2004 - casting out nines
