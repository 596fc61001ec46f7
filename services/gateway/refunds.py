"""The Refund: its states, legal moves and limits, pure. Amounts are integer minor units.

`pending` → `succeeded` | `failed` | `canceled`; `succeeded` → `failed` can still happen
(docs.stripe.com/refunds#failed-refunds).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from .charges import Charge
from .errors import InvalidRequest, JsonObject

REASONS = frozenset({"duplicate", "fraudulent", "requested_by_customer"})


class Status(StrEnum):
    """Stripe's names."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """One Refund. Fields bear their wire names."""

    id: str
    charge: str
    payment_intent: str
    amount: int
    currency: str
    created: int
    status: Status
    reason: str | None = None
    balance_transaction: str | None = None
    failure_reason: str | None = None
    failure_balance_transaction: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    def wire(self) -> JsonObject:
        """Return Stripe's Refund object."""
        document: JsonObject = {"object": "refund", "livemode": False} | {
            name: getattr(self, name) for name in _NAMES
        }
        document |= {
            "metadata": dict(self.metadata),
            "destination_details": {
                "type": "card",
                "card": {"type": "refund", "reference_status": "pending"},
            },
            "receipt_number": None,
            "source_transfer_reversal": None,
            "transfer_reversal": None,
        }
        if self.failure_reason is None:
            del document["failure_reason"], document["failure_balance_transaction"]
        return document


_NAMES = tuple(f.name for f in fields(Refund) if f.name != "metadata")


def of(document: Mapping[str, Any]) -> Refund:
    """Read a refund back from its wire form."""
    known: JsonObject = {name: document.get(name) for name in _NAMES}
    known["status"] = Status(document["status"])
    return Refund(**known, metadata=document["metadata"])


def amount_to_refund(charge: Charge, wanted: int | None) -> int:
    """Return how much to give back: all that is left, or `wanted` if no more than that."""
    left = charge.amount_captured - charge.amount_refunded
    if left < 1:
        raise InvalidRequest(
            f"Charge {charge.id} has already been refunded.", code="charge_already_refunded"
        )
    if wanted is None:
        return left
    if wanted < 1:
        raise InvalidRequest(
            f"This value must be greater than or equal to 1: {wanted}.",
            code="parameter_invalid_integer",
            param="amount",
        )
    if wanted > left:
        raise InvalidRequest(
            f"Refund amount ({_money(wanted)}) is greater than unrefunded amount on charge "
            f"({_money(left)})",
            param="amount",
        )
    return wanted


def paid_out(refund: Refund, *, balance_transaction: str) -> Refund:
    """Return a refund once the money has gone back."""
    return replace(refund, status=Status.SUCCEEDED, balance_transaction=balance_transaction)


def failed(refund: Refund, *, balance_transaction: str | None) -> Refund:
    """Return a refund that its bank sent back, perhaps after it had succeeded."""
    return replace(
        refund,
        status=Status.FAILED,
        failure_reason="expired_or_canceled_card",
        failure_balance_transaction=balance_transaction,
    )


def canceled(refund: Refund) -> Refund:
    """Cancel a pending refund; one in any other state refuses."""
    if refund.status is not Status.PENDING:
        raise InvalidRequest(
            f"Refund {refund.id} cannot be canceled because it has a status of {refund.status}."
        )
    return replace(refund, status=Status.CANCELED)


def _money(minor: int) -> str:
    return f"${minor // 100}.{minor % 100:02d}"
