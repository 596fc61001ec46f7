"""New rows of the payments table. Pure."""

from .payment import Charge, Payment, Phase, Wanted


def new_payment(
    payment_id: str,
    charge: Charge,
    *,
    phase: Phase,
    now_ms: int,
    keys: tuple[str, ...] = (),
    lease_until_ms: int = 0,
) -> Payment:
    """Return a payment recorded now and due now: whoever finds its lease run out takes it up."""
    return Payment(
        id=payment_id,
        order_id=charge.order_id,
        user_id=charge.user_id,
        amount_minor=charge.amount_minor,
        currency=charge.currency,
        card=charge.card,
        phase=phase,
        wanted=Wanted.CHARGE,
        payment_intent=None,
        refund=None,
        keys=keys,
        create_n=1,
        cancel_n=1,
        refund_n=1,
        confirm_spent=False,
        refund_spent=False,
        attempts=0,
        created_at_ms=now_ms,
        next_at_ms=now_ms,
        fence=1,
        lease_until_ms=lease_until_ms,
        code=None,
        message=None,
    )
