"""A payment's state as the wire's answer (R7 and services/README.md). Pure."""

from .context import Reply
from .payment import NET_ZERO, Payment, Phase, wire_status
from .schemas import document


def pending(payment: Payment) -> Reply:
    """Return 202: nobody knows yet."""
    return Reply(status=202, body={"status": "pending", "payment": document(payment)})


def failed(payment: Payment, *, status: int = 402) -> Reply:
    """Return 402 (naive: 400): this order is not charged and never will be."""
    body = {
        "status": "failed",
        "error": payment.message or "The order is not charged.",
        "code": payment.code or wire_status(payment.phase),
        "definite": True,
        "payment": document(payment),
    }
    return Reply(status=status, body=body)


def charged(payment: Payment) -> Reply:
    """Return what became of the charge: 200, 402 or 202."""
    if payment.phase is Phase.COMPLETED:
        return Reply(status=200, body={"status": "completed", "payment": document(payment)})
    return failed(payment) if payment.phase in NET_ZERO else pending(payment)


def fenced(payment: Payment) -> Reply:
    """Return what became of the fence: 200, 409 `already_completed` or 202."""
    if payment.phase in NET_ZERO:
        return Reply(status=200, body={"status": "canceled", "payment": document(payment)})
    if payment.phase is not Phase.COMPLETED:
        return pending(payment)
    body = {
        "status": "completed",
        "error": f"Order {payment.order_id} is already charged; undo it with /payment/refund.",
        "code": "already_completed",
        "definite": True,
        "payment": document(payment),
    }
    return Reply(status=409, body=body)


def undone(payment: Payment) -> Reply:
    """Return what became of the undoing: 200 once the net is zero, else 202."""
    if payment.phase not in NET_ZERO:
        return pending(payment)
    status = "refunded" if payment.phase is Phase.REFUNDED else "canceled"
    return Reply(status=200, body={"status": status, "payment": document(payment)})
