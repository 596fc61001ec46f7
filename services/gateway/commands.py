"""What a request asks for, read from its form: parameter validation, ahead of the reservation.

Each reader takes a `Form` and the id in the path and gives one frozen command, or raises a 400
that is never saved, as Stripe saves nothing that failed validation. Accepted names are those of
Stripe's own lists (stripe-python 16.1, `stripe/params`): real ones pass even where unused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import cards, intents, refunds
from .endpoint_commands import CreateEndpoint, DeleteEndpoint, UpdateEndpoint
from .errors import InvalidRequest, missing_parameter
from .forms import Form
from .parameters import CURRENCIES

MAX_AMOUNT = 99_999_999  # Stripe: "up to eight digits"
_CAPTURE_METHODS = frozenset({"automatic", "automatic_async", "manual"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The card a request brings: a payment method's name or id, or a bare number or token."""

    payment_method: str | None = None
    number: str | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateIntent:
    """Make an intent, and confirm it at once if `confirm`."""

    amount: int
    currency: str
    capture_method: str
    card: Card | None
    confirm: bool
    return_url: str | None
    fails_on_action: bool
    metadata: Mapping[str, str]
    described: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateIntent:
    """Change an intent; None leaves a thing as it is."""

    intent: str
    amount: int | None
    currency: str | None
    card: Card | None
    metadata: Mapping[str, str]
    described: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmIntent:
    """Charge an intent, with another card if one is brought."""

    intent: str
    card: Card | None
    capture_method: str | None
    return_url: str | None
    fails_on_action: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureIntent:
    """Take what was authorized, or less."""

    intent: str
    amount: int | None
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelIntent:
    """Fence an intent off."""

    intent: str
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRefund:
    """Give a charge back, wholly or in part."""

    payment_intent: str | None
    charge: str | None
    amount: int | None
    reason: str | None
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRefund:
    """Stop a pending refund."""

    refund: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePaymentMethod:
    """Keep a card."""

    card: Card
    metadata: Mapping[str, str]


Command = (
    CreateIntent
    | UpdateIntent
    | ConfirmIntent
    | CaptureIntent
    | CancelIntent
    | CreateRefund
    | CancelRefund
    | CreatePaymentMethod
    | CreateEndpoint
    | UpdateEndpoint
    | DeleteEndpoint
)


def create_intent(form: Form, _: str) -> CreateIntent:
    """Read the parameters of `POST /v1/payment_intents`."""
    amount = _amount(form, "amount")
    if amount is None:
        raise missing_parameter("amount")
    form.required("currency")
    currency = _currency(form)
    assert currency is not None
    confirm = form.boolean("confirm")
    return_url = form.text("return_url")
    if return_url is not None and not confirm:
        raise InvalidRequest(
            "`return_url` can only be set when `confirm` is true.", param="return_url"
        )
    return CreateIntent(
        amount=amount,
        currency=currency,
        capture_method=form.one_of("capture_method", _CAPTURE_METHODS) or "automatic",
        card=_card(form),
        confirm=confirm,
        return_url=return_url,
        fails_on_action=form.boolean("error_on_requires_action"),
        metadata=_set_only(form.metadata()),
        described=_described(form),
    )


def update_intent(form: Form, intent: str) -> UpdateIntent:
    """Read the parameters of `POST /v1/payment_intents/{id}`."""
    return UpdateIntent(
        intent=intent,
        amount=_amount(form, "amount"),
        currency=_currency(form),
        card=_card(form),
        metadata=form.metadata(),
        described=_described(form),
    )


def confirm_intent(form: Form, intent: str) -> ConfirmIntent:
    """Read the parameters of `POST /v1/payment_intents/{id}/confirm`."""
    return ConfirmIntent(
        intent=intent,
        card=_card(form),
        capture_method=form.one_of("capture_method", _CAPTURE_METHODS),
        return_url=form.text("return_url"),
        fails_on_action=form.boolean("error_on_requires_action"),
    )


def capture_intent(form: Form, intent: str) -> CaptureIntent:
    """Read the parameters of `POST /v1/payment_intents/{id}/capture`."""
    return CaptureIntent(
        intent=intent, amount=form.integer("amount_to_capture"), metadata=form.metadata()
    )


def cancel_intent(form: Form, intent: str) -> CancelIntent:
    """Read the parameters of `POST /v1/payment_intents/{id}/cancel`."""
    return CancelIntent(
        intent=intent, reason=form.one_of("cancellation_reason", intents.CANCELLATION_REASONS)
    )


def create_refund(form: Form, _: str) -> CreateRefund:
    """Read the parameters of `POST /v1/refunds`."""
    payment_intent, charge = form.text("payment_intent"), form.text("charge")
    if payment_intent is None and charge is None:
        raise InvalidRequest(
            "One of the following params should be provided for this request: payment_intent or "
            "charge.",
            code="parameter_missing",
            param="payment_intent",
        )
    return CreateRefund(
        payment_intent=payment_intent,
        charge=charge,
        amount=form.integer("amount"),
        reason=form.one_of("reason", refunds.REASONS),
        metadata=_set_only(form.metadata()),
    )


def cancel_refund(_: Form, refund: str) -> CancelRefund:
    """Read the parameters of `POST /v1/refunds/{id}/cancel`: there are none that matter."""
    return CancelRefund(refund=refund)


def create_payment_method(form: Form, _: str) -> CreatePaymentMethod:
    """Read the parameters of `POST /v1/payment_methods`; only cards are kept here."""
    if form.required("type") != "card":
        raise InvalidRequest("This gateway keeps payment methods of type card only.", param="type")
    return CreatePaymentMethod(
        card=_card_data(form.mapping("card"), param="card"), metadata=_set_only(form.metadata())
    )


def _amount(form: Form, name: str) -> int | None:
    amount = form.integer(name)
    if amount is None:
        return None
    if amount < 1:
        raise InvalidRequest(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param=name,
        )
    if amount > MAX_AMOUNT:
        raise InvalidRequest(
            f"Amount must be no more than {MAX_AMOUNT}.", code="amount_too_large", param=name
        )
    return amount


def _currency(form: Form) -> str | None:
    given = form.text("currency")
    if given is None:
        return None
    if given.lower() not in CURRENCIES:
        raise InvalidRequest(
            f"Invalid currency: {given[:40]}. Stripe currently supports these currencies: "
            f"{', '.join(sorted(CURRENCIES))}",
            param="currency",
        )
    return given.lower()


def _card(form: Form) -> Card | None:
    payment_method = form.text("payment_method")
    data = form.mapping("payment_method_data")
    if payment_method is not None:
        return Card(payment_method=payment_method)
    if not data:
        return None
    if data.get("type") != "card":
        raise InvalidRequest(
            "This gateway keeps payment methods of type card only.",
            param="payment_method_data[type]",
        )
    return _card_data(data.get("card"), param="payment_method_data[card]")


def _card_data(given: object, *, param: str) -> Card:
    card = given if isinstance(given, dict) else {}
    number, token = card.get("number"), card.get("token")
    if isinstance(token, str) and token:
        return Card(token=token)
    if isinstance(number, str) and number:
        return Card(number=number)
    raise missing_parameter(f"{param}[number]")


def _described(form: Form) -> dict[str, Any]:
    told: dict[str, Any] = {
        name: form.text(name) for name in intents.DESCRIPTIONS if name in form.values
    }
    if "confirmation_method" in told and told["confirmation_method"] is None:
        del told["confirmation_method"]
    if "shipping" in form.values:
        told |= {"shipping": dict(form.mapping("shipping")) or None}
    automatic = form.mapping("automatic_payment_methods")
    if automatic:
        told |= {
            "automatic_payment_methods": {
                "allow_redirects": automatic.get("allow_redirects", "always"),
                "enabled": automatic.get("enabled") == "true",
            }
        }
    return told


def _set_only(metadata: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in metadata.items() if value != ""}


def resolve(card: Card) -> cards.Card:
    """Return the test card behind a bare number, token or `pm_card_…` name."""
    if card.token is not None:
        return cards.by_token(card.token)
    if card.number is not None:
        return cards.numbered(card.number)
    assert card.payment_method is not None
    return cards.named(card.payment_method)
