"""What an answer about a refund makes of a payment (R5). Pure.

`n` of the refund key steps when the refund object itself is `failed` or `canceled`, which can
happen after it succeeded; and, beyond R5, when a 5xx is saved under the key and a read shows no
refund at all: the key can then only replay its 500, and a second refund of the whole charge is
refused by the gateway's ceiling (refunds never exceed what was captured), so nobody is paid twice.
"""

from dataclasses import replace

from .payment import NO_REFUND, Declined, Outcome, Payment, Phase, ServerError, Told

# How often a refund that succeeded is read again before it is believed; with the backoff that is
# about five seconds. Of a failure later than that only a webhook tells (hearing.py).
REFUND_WATCHES = 4


def after_refund(payment: Payment, outcome: Outcome, *, now_ms: int) -> Payment:
    """Return `payment` after an answer to a refund or to a read of it; same phase: not settled."""
    if isinstance(outcome, Told):
        return _after_told(payment, outcome, now_ms=now_ms)
    if outcome == NO_REFUND and payment.refund_spent:
        return _next_key(payment)
    # Saved, or charge_already_refunded: only a read can tell.
    saved = isinstance(outcome, Declined) or (isinstance(outcome, ServerError) and outcome.saved)
    refused = saved and payment.phase is Phase.REFUNDING
    return replace(payment, refund_spent=True) if refused else payment


def _after_told(payment: Payment, refund: Told, *, now_ms: int) -> Payment:
    match refund.status:
        case "succeeded" if payment.phase is Phase.REFUNDED:
            return payment
        case "succeeded":
            return replace(
                payment, phase=Phase.REFUNDED, refund=refund.id, attempts=0, next_at_ms=now_ms
            )
        case "failed" | "canceled":
            return _next_key(payment)
        case _:  # pending, requires_action: wait for the object to settle
            return replace(payment, refund=refund.id, refund_spent=False)


def _next_key(payment: Payment) -> Payment:
    return replace(
        payment,
        phase=Phase.REFUNDING,
        refund=None,
        refund_n=payment.refund_n + 1,
        refund_spent=False,
    )
