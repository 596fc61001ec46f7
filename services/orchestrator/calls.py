"""Which request a step is: a function of the saga alone, so that every repetition is the same.

Pure. Steps on the same participant share nothing but its link.
"""

from .participants import Ask
from .saga import Saga, Step
from .schemas import amount_of

_AT_ORDER = frozenset({Step.CREATE, Step.CONFIRM, Step.CANCEL})
_PATHS = {
    Step.CREATE: "/order/create",
    Step.CONFIRM: "/order/confirm",
    Step.CANCEL: "/order/cancel",
    Step.CHARGE: "/payment/process",
    Step.FENCE: "/payment/cancel",
    Step.REFUND: "/payment/refund",
}
# What the links' log calls them: the name of the route.
_OPERATIONS = {step: path.rpartition("/")[2] for step, path in _PATHS.items()}


def is_at_order(step: Step) -> bool:
    """Return whether the order service takes this step; else payment does."""
    return step in _AT_ORDER


def request_of(saga: Saga, step: Step) -> Ask:
    """Return the request that asks for `step`; AssertionError when the saga has not got so far."""
    return Ask(
        path=_PATHS[step],
        operation=_OPERATIONS[step],
        body=_body(saga, step),
        order=saga.order_id,
        key=saga.key(step),
    )


def _body(saga: Saga, step: Step) -> dict[str, object]:
    match step:
        case Step.CREATE:
            return {
                "orderId": saga.order_id,
                "userId": saga.user_id,
                "paymentMethod": saga.card,
            }
        case Step.CHARGE:
            assert saga.order is not None, f"{saga.id} charges an order it has not created"
            return {
                "orderId": saga.order_id,
                "userId": saga.user_id,
                "amount": amount_of(saga.order.total_minor),
                "amountMinor": saga.order.total_minor,
                "currency": saga.order.currency,
                "paymentMethod": saga.card,
            }
        case Step.CONFIRM:
            assert saga.paid is not None, f"{saga.id} confirms an order it has not charged"
            return {
                "orderId": saga.order_id,
                "amountMinor": saga.paid.amount_minor,
                "currency": saga.paid.currency,
            }
        case Step.FENCE | Step.REFUND:
            return {"orderId": saga.order_id}
        case Step.CANCEL:
            return {
                "orderId": saga.order_id,
                "userId": saga.user_id,
                "paymentMethod": saga.card,
                "status": saga.ends_as.value,
                "reason": saga.reason,
            }
