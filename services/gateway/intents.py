"""The PaymentIntent: its states and legal moves, pure.

Each move takes an intent and gives its successor, or raises `InvalidRequest` with code
`payment_intent_unexpected_state` and the whole intent, as Stripe does (third-party recordings).
States and moves: docs.stripe.com/payments/paymentintents/lifecycle. Amounts are integer minor
units, times epoch seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, NoReturn

from .errors import InvalidRequest, JsonObject


class Status(StrEnum):
    """Stripe's names; the last two absorb."""

    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_CONFIRMATION = "requires_confirmation"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    REQUIRES_CAPTURE = "requires_capture"
    SUCCEEDED = "succeeded"
    CANCELED = "canceled"


OPEN = frozenset(
    {Status.REQUIRES_PAYMENT_METHOD, Status.REQUIRES_CONFIRMATION, Status.REQUIRES_ACTION}
)
_CANCELABLE = OPEN | {Status.REQUIRES_CAPTURE}
CANCELLATION_REASONS = frozenset({"duplicate", "fraudulent", "requested_by_customer", "abandoned"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One PaymentIntent. Fields bear their wire names; `described` is what no rule reads."""

    id: str
    amount: int
    currency: str
    status: Status
    created: int
    client_secret: str
    capture_method: str = "automatic"
    amount_capturable: int = 0
    amount_received: int = 0
    payment_method: str | None = None
    latest_charge: str | None = None
    last_payment_error: JsonObject | None = None
    next_action: JsonObject | None = None
    canceled_at: int | None = None
    cancellation_reason: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    described: Mapping[str, Any] = field(default_factory=dict)

    @property
    def order_id(self) -> str | None:
        """The order this intent was made for, as its maker says."""
        return self.metadata.get("order_id")

    def wire(self) -> JsonObject:
        """Return Stripe's PaymentIntent object."""
        moving = {name: getattr(self, name) for name in _RULED}
        return {**_UNUSED, **self.described, **moving, "metadata": dict(self.metadata)}


_RULED = tuple(f.name for f in fields(Intent) if f.name not in {"metadata", "described"})
_UNUSED: JsonObject = {
    "object": "payment_intent",
    "amount_details": {"tip": {}},
    "application": None,
    "application_fee_amount": None,
    "automatic_payment_methods": None,
    "confirmation_method": "automatic",
    "customer": None,
    "description": None,
    "livemode": False,
    "on_behalf_of": None,
    "payment_method_configuration_details": None,
    "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
    "payment_method_types": ["card"],
    "processing": None,
    "receipt_email": None,
    "review": None,
    "setup_future_usage": None,
    "shipping": None,
    "source": None,
    "statement_descriptor": None,
    "statement_descriptor_suffix": None,
    "transfer_data": None,
    "transfer_group": None,
}
# Parameters kept and shown, but read by no rule here.
DESCRIPTIONS = (
    "confirmation_method",
    "customer",
    "description",
    "on_behalf_of",
    "receipt_email",
    "setup_future_usage",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
)


def of(document: Mapping[str, Any]) -> Intent:
    """Read an intent back from its wire form."""
    ruled = {name: document[name] for name in _RULED}
    ruled["status"] = Status(ruled["status"])
    kept = {
        name: document[name] for name in (*DESCRIPTIONS, "shipping", "automatic_payment_methods")
    }
    return Intent(**ruled, metadata=document["metadata"], described=kept)


def attach(intent: Intent, payment_method: str) -> Intent:
    """Give an open intent its payment method: it now waits for a confirm."""
    if intent.status not in OPEN:
        _unexpected(intent, "update", "payment_method")
    return replace(
        intent,
        payment_method=payment_method,
        status=Status.REQUIRES_CONFIRMATION,
        next_action=None,
    )


def changed_amount(intent: Intent, *, amount: int, currency: str) -> Intent:
    """Change what will be charged, as long as nothing has been."""
    if intent.status not in OPEN:
        _unexpected(intent, "update", "amount")
    return replace(intent, amount=amount, currency=currency)


def require_open(intent: Intent, verb: str) -> None:
    """Raise unless nothing was charged, canceled or left in doubt yet."""
    if intent.status not in OPEN:
        _unexpected(intent, verb)


def require_not_processing(intent: Intent) -> None:
    """Raise while the outcome is unknown: what is shown then is not what is kept."""
    if intent.status is Status.PROCESSING:
        _unexpected(intent, "update")


def require_confirmable(intent: Intent) -> None:
    """Raise unless a confirm may execute now."""
    if intent.status not in OPEN:
        _unexpected(intent, "confirm")
    if intent.payment_method is None:
        raise InvalidRequest(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can "
            "either update the PaymentIntent with a payment method and then confirm it again, or "
            "confirm it again directly with a payment method.",
            code="payment_intent_unexpected_state",
            about={"payment_intent": intent.wire()},
        )


def charged(intent: Intent, *, charge: str) -> Intent:
    """Return the intent after a successful charge: captured, or authorized when manual."""
    require_confirmable(intent)
    manual = intent.capture_method == "manual"
    return replace(
        intent,
        status=Status.REQUIRES_CAPTURE if manual else Status.SUCCEEDED,
        amount_capturable=intent.amount if manual else 0,
        amount_received=0 if manual else intent.amount,
        latest_charge=charge,
        last_payment_error=None,
        next_action=None,
    )


def declined(intent: Intent, *, charge: str, error: JsonObject) -> Intent:
    """Return the intent after a declined charge: it wants another payment method."""
    require_confirmable(intent)
    return replace(
        intent,
        status=Status.REQUIRES_PAYMENT_METHOD,
        payment_method=None,
        latest_charge=charge,
        last_payment_error=error,
        next_action=None,
    )


def waiting_for_shopper(intent: Intent, *, return_url: str | None) -> Intent:
    """Return the intent after the issuer asked for authentication; here nobody answers."""
    require_confirmable(intent)
    action: JsonObject
    if return_url is None:
        action = {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
    else:
        hook = f"https://hooks.stripe.com/redirect/authenticate/{intent.id}"
        action = {
            "type": "redirect_to_url",
            "redirect_to_url": {"return_url": return_url, "url": hook},
        }
    return replace(intent, status=Status.REQUIRES_ACTION, next_action=action)


def captured(intent: Intent, *, amount: int | None) -> Intent:
    """Capture an authorization once, up to what is capturable; the remainder is released."""
    if intent.status is not Status.REQUIRES_CAPTURE:
        _unexpected(intent, "capture")
    wanted = intent.amount_capturable if amount is None else amount
    if wanted < 1:
        raise InvalidRequest(
            f"This value must be greater than or equal to 1: {wanted}.",
            code="parameter_invalid_integer",
            param="amount_to_capture",
        )
    if wanted > intent.amount_capturable:
        raise InvalidRequest(
            f"The amount you provided ({wanted}) is greater than the amount that can be captured "
            f"({intent.amount_capturable}).",
            code="amount_too_large",
            param="amount_to_capture",
        )
    return replace(intent, status=Status.SUCCEEDED, amount_capturable=0, amount_received=wanted)


def canceled(intent: Intent, *, reason: str | None, now: int) -> Intent:
    """Cancel: the fence. Whatever comes afterwards finds a terminal state and errors."""
    if intent.status not in _CANCELABLE:
        _unexpected(intent, "cancel")
    return replace(
        intent,
        status=Status.CANCELED,
        amount_capturable=0,
        canceled_at=now,
        cancellation_reason=reason,
        next_action=None,
    )


def _unexpected(intent: Intent, verb: str, param: str | None = None) -> NoReturn:
    raise InvalidRequest(
        f"You cannot {verb} this PaymentIntent because it has a status of {intent.status}.",
        code="payment_intent_unexpected_state",
        param=param,
        about={"payment_intent": intent.wire()},
    )
