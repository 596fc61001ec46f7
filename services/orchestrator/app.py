"""The orchestrator's routes: HTTP in, a saga driven, HTTP out.

The hot route reads its body by hand and answers plain JSON: FastAPI's body and response models
cost what it has not got. OpenAPI is told the same models.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, Path
from fastapi.responses import Response
from pydantic import BaseModel

from ..chassis.background import background
from ..chassis.clock import Clock
from ..chassis.database import Database
from ..chassis.direct import Asked, DirectAPI
from ..chassis.errors import (
    InvalidRequest,
    JsonResponse,
    command_of,
    install_error_handlers,
)
from ..chassis.health import CountInFlight, Watch
from ..chassis.ids import Ids
from ..chassis.logs import EventLog
from . import replies, saga_log, schemas
from .context import Context
from .driving import Driver
from .participants import Participant
from .placing import Placing
from .resume import Recovery
from .settings import OrchestratorSettings
from .strategies import STRATEGIES

_CLIENT_KEY = re.compile(r"[\x20-\x7e]{1,255}")


def create_app(
    settings: OrchestratorSettings,
    *,
    clock: Clock,
    ids: Ids,
    events: EventLog,
    order: Participant,
    payment: Participant,
    db: Database,
) -> FastAPI:
    """Return the app; its lifespan runs recovery and closes the participants and `db`."""
    context = Context(
        settings=settings,
        clock=clock,
        ids=ids,
        events=events,
        db=db,
        order=order,
        payment=payment,
        next_command=STRATEGIES[settings.strategy],
    )
    driver = Driver(context)
    placing = Placing(context, driver)
    recovery = Recovery(context, driver)
    watch = Watch(
        settings=settings,
        database=db,
        undecided=saga_log.undecided,
        ledgers={"sagas": saga_log.sagas_ledger, "saga_steps": saga_log.steps_ledger},
        strategy=settings.strategy,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            async with background(recovery.run()):
                yield
        finally:
            await placing.close()
            await order.close()
            await payment.close()
            db.close()

    app = DirectAPI(
        in_flight=watch.in_flight,
        title="Orchestrator",
        version="1",
        lifespan=lifespan,
        routes=[*watch.routes()],
    )
    _add_routes(app, placing, db)
    install_error_handlers(app)
    app.add_middleware(CountInFlight, in_flight=watch.in_flight)
    return app


def client_key_of(asked: Asked) -> str | None:
    """Return the Idempotency-Key, or None; 422 unless it is 1 to 255 printable ASCII characters."""
    key = asked.header(b"idempotency-key")
    if key is not None and not _CLIENT_KEY.fullmatch(key):
        message = "expected 1 to 255 printable ASCII characters"
        raise InvalidRequest([{"field": "Idempotency-Key", "message": message}])
    return key


def _add_routes(app: DirectAPI, placing: Placing, db: Database) -> None:
    async def place_order(asked: Asked) -> Response:
        """Order what is in the shopper's cart and pay for it."""
        client_key = client_key_of(asked)
        reply = await placing.place(command_of(asked.body, schemas.Place), client_key)
        return JsonResponse(reply.body, status_code=reply.status, headers=reply.headers)

    app.direct(
        "/saga/place-order",
        place_order,
        response_model=None,
        responses=_replies(schemas.PlaceReply, 400, 402, 413, 422, 500, 503)
        | {202: {"model": schemas.PlaceReply}},
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": schemas.Place.model_json_schema()}},
            },
            "parameters": [_CLIENT_KEY_DOC],
        },
    )

    @app.get(
        "/saga/{sagaId}",
        response_model=None,
        responses=_replies(schemas.SagaDoc, 404, 422, 503),
    )
    async def show_saga(saga_id: Annotated[schemas.Name, Path(alias="sagaId")]) -> Response:
        """Return a saga as it stands, with its log."""
        saga = await db.read(saga_log.by_id, saga_id)
        if saga is None:
            raise replies.saga_not_found(saga_id)
        return JsonResponse(schemas.saga_doc(saga))


_CLIENT_KEY_DOC: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]*$"},
    "description": "The same key and body get the same order.",
}


def _replies(model: type[BaseModel], *failures: int) -> dict[int | str, dict[str, Any]]:
    errors: dict[int | str, dict[str, Any]] = {
        status: {"model": schemas.ErrorReply} for status in failures
    }
    return {200: {"model": model}} | errors
