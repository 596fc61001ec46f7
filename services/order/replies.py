"""What the shopper is told about an order: status, document, headers (docs/rules.md R7).

Pure. 200 only for confirmed; 402 only for what is rolled back; 202 for all that is unresolved.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from ..chassis.errors import ServiceError
from .order import Order, Status
from .schemas import order_doc

PLACED = "Order placed successfully"
UNRESOLVED = "The payment is not resolved yet; look at the order again in a moment."


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer that is not an error."""

    status: HTTPStatus
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


def placed(order: Order) -> Reply:
    """Return the answer to whoever placed `order`, by its present state; 402 is raised."""
    match order.status:
        case Status.CONFIRMED:
            return Reply(status=HTTPStatus.OK, body={"order": order_doc(order), "message": PLACED})
        case Status.PENDING:
            return Reply(
                status=HTTPStatus.ACCEPTED,
                body={"order": order_doc(order), "message": UNRESOLVED},
                headers=look_again(order),
            )
        case Status.FAILED:
            raise _rolled_back(order, "payment_failed", "Payment failed")
        case Status.CANCELED:
            raise _rolled_back(order, "order_canceled", "The order was canceled")


def canceled(order: Order) -> Reply:
    """Return the answer to whoever cancels `order`, by its present state; 409 is raised."""
    if order.status is Status.CONFIRMED:
        raise ServiceError(
            HTTPStatus.CONFLICT,
            "order_confirmed",
            f"Order {order.id} is confirmed and can no longer be canceled.",
            extra={"order": order_doc(order)},
        )
    if order.is_decided:
        return Reply(status=HTTPStatus.OK, body=order_doc(order))
    return Reply(status=HTTPStatus.ACCEPTED, body=order_doc(order), headers=look_again(order))


def look_again(order: Order) -> dict[str, str]:
    """Return the headers that say where and when to look again."""
    return {"Location": f"/order/{order.id}", "Retry-After": "1"}


def cart_empty() -> ServiceError:
    """Return the answer to an order of nothing."""
    return ServiceError(HTTPStatus.BAD_REQUEST, "cart_empty", "Cart is empty")


def order_not_found(order_id: str) -> ServiceError:
    """Return the answer about an order nobody knows."""
    return ServiceError(HTTPStatus.NOT_FOUND, "order_not_found", f"There is no order {order_id}.")


def key_reused() -> ServiceError:
    """Return the answer to a key that already stands for another request (Stripe's rule)."""
    return ServiceError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "idempotency_key_reused",
        "This Idempotency-Key was used with another body; send the first body, or a new key.",
    )


def unpayable(total_minor: int, limit_minor: int) -> ServiceError:
    """Return the answer to a cart whose total nobody can charge."""
    if total_minor < 1:
        return ServiceError(
            HTTPStatus.BAD_REQUEST, "nothing_to_pay", "The cart costs nothing; expected 0.01 up."
        )
    return ServiceError(
        HTTPStatus.BAD_REQUEST,
        "total_too_large",
        f"The cart costs {total_minor} minor units; expected at most {limit_minor}.",
    )


def _rolled_back(order: Order, code: str, error: str) -> ServiceError:
    details = [{"field": "payment", "message": order.reason}] if order.reason else None
    return ServiceError(
        HTTPStatus.PAYMENT_REQUIRED,
        code,
        error,
        details=details,
        extra={"order": order_doc(order)},
    )
