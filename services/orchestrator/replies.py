"""What the shopper is told about a saga: status, document, headers (docs/rules.md R7). Pure.

200 only for confirmed; 402 only for what is rolled back; 202 for all that is unresolved. The
document is the order service's own, as it was last heard.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from ..chassis.errors import ServiceError
from .answers import body_of
from .saga import Saga, State, Step

PLACED = "Order placed successfully"
UNRESOLVED = "The order is not resolved yet; look at its saga again in a moment."


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer that is not an error."""

    status: HTTPStatus
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


def placed(saga: Saga) -> Reply:
    """Return the answer to whoever asked for this saga, by its present state; 4xx is raised."""
    match saga.state:
        case State.CONFIRMED:
            return Reply(status=HTTPStatus.OK, body={"order": order_doc(saga), "message": PLACED})
        case State.RUNNING:
            return Reply(
                status=HTTPStatus.ACCEPTED,
                body={"order": order_doc(saga), "message": UNRESOLVED},
                headers={"Location": f"/saga/{saga.id}", "Retry-After": "1"},
            )
        case State.FAILED if saga.came_to_nothing:
            raise _refused(saga)
        case State.FAILED:
            raise _rolled_back(saga, "payment_failed", "Payment failed")
        case State.CANCELED:
            raise _rolled_back(saga, "order_canceled", "The order was canceled")


def order_doc(saga: Saga) -> Mapping[str, object]:
    """Return the order as last heard; what nobody has heard yet is left out, not made up."""
    if saga.order is not None:
        return saga.order.document
    return {"_id": saga.order_id, "orderId": saga.order_id, "userId": saga.user_id} | {
        "status": "pending"
    }


def key_reused() -> ServiceError:
    """Return the answer to a key that already stands for another request (Stripe's rule)."""
    return ServiceError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "idempotency_key_reused",
        "This Idempotency-Key was used with another body; send the first body, or a new key.",
    )


def saga_not_found(saga_id: str) -> ServiceError:
    """Return the answer about a saga nobody knows."""
    return ServiceError(HTTPStatus.NOT_FOUND, "saga_not_found", f"There is no saga {saga_id}.")


def _rolled_back(saga: Saga, code: str, error: str) -> ServiceError:
    details = [{"field": "payment", "message": saga.reason}] if saga.reason else None
    return ServiceError(
        HTTPStatus.PAYMENT_REQUIRED,
        code,
        error,
        details=details,
        extra={"order": order_doc(saga)},
    )


def _refused(saga: Saga) -> ServiceError:
    """Return the order service's own refusal, as it came."""
    entry = next(entry for entry in reversed(saga.log) if entry.step is Step.CREATE)
    body = body_of(entry.response) or {}
    return ServiceError(
        entry.http_status or HTTPStatus.BAD_REQUEST,
        str(body.get("code", "order_refused")),
        str(body.get("error", "The order was refused.")),
    )
