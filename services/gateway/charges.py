"""The Charge: one attempt to move money for an intent, pure. Amounts are integer minor units."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from .cards import Card
from .errors import JsonObject
from .payment_methods import card_details


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One Charge. Fields bear their wire names; `status` is `succeeded` or `failed`."""

    id: str
    payment_intent: str
    payment_method: str | None
    amount: int
    currency: str
    created: int
    status: str
    captured: bool
    amount_captured: int = 0
    amount_refunded: int = 0
    refunded: bool = False
    balance_transaction: str | None = None
    failure_code: str | None = None
    failure_message: str | None = None
    outcome: JsonObject | None = None
    payment_method_details: JsonObject | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    def wire(self) -> JsonObject:
        """Return Stripe's Charge object."""
        return (
            _UNUSED
            | {name: getattr(self, name) for name in _NAMES}
            | {
                "paid": self.status == "succeeded",
                "metadata": dict(self.metadata),
                "receipt_url": f"https://pay.stripe.com/receipts/payment/{self.id}",
            }
        )


_NAMES = tuple(f.name for f in fields(Charge) if f.name != "metadata")
_UNUSED: JsonObject = {
    "object": "charge",
    "application": None,
    "application_fee": None,
    "application_fee_amount": None,
    "billing_details": {
        "address": {
            "city": None,
            "country": None,
            "line1": None,
            "line2": None,
            "postal_code": None,
            "state": None,
        },
        "email": None,
        "name": None,
        "phone": None,
        "tax_id": None,
    },
    "calculated_statement_descriptor": "Stripe",
    "customer": None,
    "description": None,
    "destination": None,
    "dispute": None,
    "disputed": False,
    "failure_balance_transaction": None,
    "fraud_details": {},
    "livemode": False,
    "on_behalf_of": None,
    "order": None,
    "radar_options": {},
    "receipt_email": None,
    "receipt_number": None,
    "review": None,
    "shipping": None,
    "source": None,
    "source_transfer": None,
    "statement_descriptor": None,
    "statement_descriptor_suffix": None,
    "transfer_data": None,
    "transfer_group": None,
}


def of(document: Mapping[str, Any]) -> Charge:
    """Read a charge back from its wire form."""
    return Charge(**{name: document[name] for name in _NAMES}, metadata=document["metadata"])


def outcome_of(card: Card) -> JsonObject:
    """Return what the network and Radar said, as the Charge shows it."""
    if card.code is None:
        return {
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "seller_message": "Payment complete.",
            "type": "authorized",
        }
    blocked = card.decline_code == "fraudulent"
    return {
        "network_status": "not_sent_to_network" if blocked else "declined_by_network",
        "reason": "highest_risk_level" if blocked else (card.decline_code or card.code),
        "risk_level": "highest" if blocked else "normal",
        "seller_message": "Stripe blocked this payment as too risky."
        if blocked
        else "The bank did not return any further details with this decline.",
        "type": "blocked" if blocked else "issuer_declined",
    }


def details_of(card: Card) -> JsonObject:
    """Return `payment_method_details` for a card."""
    return {"type": "card", "card": card_details(card)}


def captured(charge: Charge, *, amount: int, balance_transaction: str) -> Charge:
    """Return the charge once `amount` of it was taken."""
    return replace(
        charge, captured=True, amount_captured=amount, balance_transaction=balance_transaction
    )


def with_refunded(charge: Charge, *, amount: int) -> Charge:
    """Return the charge with `amount` in all given back, pending refunds included."""
    return replace(charge, amount_refunded=amount, refunded=amount == charge.amount_captured)
