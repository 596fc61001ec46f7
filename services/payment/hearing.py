"""What a webhook makes of a payment. Pure; arrival order cannot matter.

Only two events carry news that is taken at its word, because both are final at Stripe: a
PaymentIntent that `succeeded` or was `canceled`. They apply if the row may still make that move
(R11), so a late or repeated one changes nothing. A refund that failed reopens the refunding it
ended. Everything else only makes an open row due: the reconciler then asks the gateway itself.

Takes the row and the event; gives the row as it shall be, the same when there is nothing to do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .payment import Payment, Phase, Told, is_open, may_move
from .refunding import after_refund


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeEvent:
    """One event: its type, and of its object what finds a payment."""

    id: str
    type: str
    object_id: str
    payment_intent: str | None
    order_id: str | None


def event_of(document: object) -> StripeEvent | None:
    """Read an event from its JSON; None when it is none."""
    match document:
        case {
            "object": "event",
            "id": str(event_id),
            "type": str(kind),
            "data": {"object": {"id": str(object_id)} as about},
        }:
            return StripeEvent(
                id=event_id,
                type=kind,
                object_id=object_id,
                payment_intent=_intent_of(about),
                order_id=_order_of(about),
            )
        case _:
            return None


def _intent_of(about: Mapping[str, Any]) -> str | None:
    if about.get("object") == "payment_intent":
        return str(about["id"])
    named = about.get("payment_intent")
    return named if isinstance(named, str) else None


def _order_of(about: Mapping[str, Any]) -> str | None:
    metadata = about.get("metadata")
    named = metadata.get("order_id") if isinstance(metadata, dict) else None
    return named if isinstance(named, str) else None


def after_event(payment: Payment, event: StripeEvent, *, now_ms: int) -> Payment:
    """Return `payment` after an event about it; times in ms of the wall clock."""
    ours = event.payment_intent is not None and event.payment_intent == payment.payment_intent
    match event.type:
        case "payment_intent.succeeded" if ours and may_move(payment.phase, Phase.COMPLETED):
            return _settled(payment, Phase.COMPLETED, now_ms=now_ms)
        case "payment_intent.canceled" if ours and may_move(payment.phase, Phase.CANCELED):
            # Whoever holds the lease has asked for it, knows why, and is about to hear it.
            if payment.lease_until_ms > now_ms:
                return payment
            canceled = replace(payment, code="canceled", message="The charge was canceled.")
            return _settled(canceled, Phase.CANCELED, now_ms=now_ms)
        case "refund.failed" if (payment.phase, payment.refund) == (
            Phase.REFUNDED,
            event.object_id,
        ):
            told = Told(id=event.object_id, status="failed")
            after = after_refund(payment, told, now_ms=now_ms)
            return replace(after, attempts=0, next_at_ms=now_ms, lease_until_ms=0)
        case _:
            return _due(payment, now_ms=now_ms)


def _settled(payment: Payment, phase: Phase, *, now_ms: int) -> Payment:
    settled = replace(payment, phase=phase, lease_until_ms=0)
    return replace(settled, next_at_ms=now_ms if is_open(settled) else None)


def _due(payment: Payment, *, now_ms: int) -> Payment:
    if payment.next_at_ms is None:
        return payment
    return replace(payment, next_at_ms=min(payment.next_at_ms, now_ms))
