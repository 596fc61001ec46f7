"""Wire shapes of the orchestrator: what a shopper sends, and a saga as anybody may read it."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from .saga import Saga, key_of

DEFAULT_CARD = "pm_card_visa"

# The order service's own rules: what it would refuse is refused here, before a saga is begun.
Name = Annotated[
    str,
    StringConstraints(
        strict=True,
        pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]{1,128}$",
    ),
]
Card = Annotated[str, StringConstraints(strict=True, pattern=r"^pm_[A-Za-z0-9_]{1,100}$")]


class Place(BaseModel):
    """Order what is in the shopper's cart and pay for it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user_id: Annotated[Name, Field(alias="userId")]
    payment_method: Annotated[Card, Field(alias="paymentMethod")] = DEFAULT_CARD


class OrderDoc(BaseModel):
    """The order as last heard, for the OpenAPI document; items and total once order told them."""

    model_config = ConfigDict(extra="allow")

    orderId: str  # noqa: N815 - the wire is camelCase
    userId: str  # noqa: N815
    status: str


class PlaceReply(BaseModel):
    """An answer that is no failure."""

    order: OrderDoc
    message: str


class StepDoc(BaseModel):
    """One line of the log."""

    seq: int
    step: str
    phase: str
    key: str
    httpStatus: int | None  # noqa: N815


class SagaDoc(BaseModel):
    """A saga as it stands, with its log."""

    sagaId: str  # noqa: N815
    orderId: str  # noqa: N815
    userId: str  # noqa: N815
    state: str
    direction: str
    step: str
    attempts: int
    reason: str | None
    joined: str | None
    createdAt: str  # noqa: N815
    steps: list[StepDoc]


class ErrorReply(BaseModel):
    """A failure; `order` is there whenever the order exists."""

    error: str
    code: str
    definite: bool
    details: list[dict[str, str]] | None = None
    order: OrderDoc | None = None


def saga_doc(saga: Saga) -> dict[str, Any]:
    """Return a saga as the wire shows it; `attempts` are those of the open `step`."""
    return {
        "sagaId": saga.id,
        "orderId": saga.order_id,
        "userId": saga.user_id,
        "state": saga.state.value,
        "direction": saga.direction.value,
        "step": saga.step.value,
        "attempts": saga.attempts,
        "reason": saga.reason,
        "joined": saga.joined,
        "createdAt": _instant(saga.created_at_ms),
        "steps": [
            {
                "seq": seq,
                "step": entry.step.value,
                "phase": entry.phase.value,
                "key": key_of(saga.order_id, entry.step),
                "httpStatus": entry.http_status,
            }
            for seq, entry in enumerate(saga.log, 1)
        ],
    }


def _instant(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def amount_of(minor: int) -> int | float:
    """Return minor units as a JSON number: 4200 as 42, 1999 as 19.99, exact up to 15 digits."""
    return minor // 100 if minor % 100 == 0 else minor / 100


def canonical(wish: Place) -> bytes:
    """Return what a body asks for, the same for every way of writing it."""
    return json.dumps([wish.user_id, wish.payment_method]).encode()
