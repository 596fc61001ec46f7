"""The routes of a saga's steps: `/order/create`, `/order/confirm`, and the undo on `/order/cancel`.

Only a strategy that takes part in sagas has them. `/order/cancel` is the shopper's route too: the
step's key, `{order}:cancel` in `Idempotency-Key`, tells the saga's undo from a shopper's wish.
"""

import hashlib
from typing import Protocol, TypeVar, runtime_checkable

from fastapi.responses import Response

from ..chassis.direct import Asked, DirectAPI
from ..chassis.errors import InvalidRequest, command_of
from . import documentation, schemas
from .applied import Applied, StepKey

StepT = TypeVar("StepT", bound=schemas.Step)


@runtime_checkable
class Participant(Protocol):
    """A strategy whose orders are driven by a saga elsewhere."""

    async def create(self, asked: schemas.CreateStep, key: StepKey) -> Applied:
        """Take the cart's lines and write the order."""
        ...

    async def confirm(self, asked: schemas.ConfirmStep, key: StepKey) -> Applied:
        """Confirm an order that is paid."""
        ...

    async def undo(self, asked: schemas.CancelStep, key: StepKey) -> Applied:
        """Undo the creation of an order."""
        ...


def add_steps(app: DirectAPI, participant: Participant) -> None:
    """Answer the forward steps."""

    async def create_order(asked: Asked) -> Response:
        """Write the order of a saga."""
        step, key = step_of(asked, schemas.CreateStep, "create")
        return _json(await participant.create(step, key))

    async def confirm_order(asked: Asked) -> Response:
        """Confirm the order of a saga."""
        step, key = step_of(asked, schemas.ConfirmStep, "confirm")
        return _json(await participant.confirm(step, key))

    for name, handler, body in (
        ("create", create_order, "CreateStep"),
        ("confirm", confirm_order, "ConfirmStep"),
    ):
        app.direct(
            f"/order/{name}",
            handler,
            response_model=None,
            responses=documentation.replies("StepReply", 400, 404, 409, 413, 422, 503),
            openapi_extra={
                "requestBody": documentation.body(body),
                "parameters": [documentation.STEP_KEY],
            },
        )


async def undo_creation(asked: Asked, participant: Participant) -> Response:
    """Answer the undo."""
    step, key = step_of(asked, schemas.CancelStep, "cancel")
    return _json(await participant.undo(step, key))


def is_undo(asked: Asked) -> bool:
    """Return whether a request to `/order/cancel` is a saga's: it carries the step's key."""
    return (asked.header(b"idempotency-key") or "").endswith(":cancel")


def step_of(asked: Asked, model: type[StepT], name: str) -> tuple[StepT, StepKey]:
    """Return the step and its key; 422 unless the key is `{order}:{name}`."""
    step = command_of(asked.body, model)
    found, expected = asked.header(b"idempotency-key"), f"{step.order_id}:{name}"
    if found != expected:
        raise InvalidRequest([{"field": "Idempotency-Key", "message": f"expected {expected}"}])
    request_hash = hashlib.sha256(asked.body).hexdigest()
    return step, StepKey(key=expected, request_hash=request_hash)


def _json(applied: Applied) -> Response:
    return Response(
        applied.response.encode(),
        status_code=applied.http_status,
        media_type="application/json",
    )
