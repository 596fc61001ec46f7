"""The payment service's routes: HTTP in, a strategy asked, HTTP out.

Bodies are read by hand and answers are plain JSON: FastAPI's body and response models cost what
the hot path has not got. OpenAPI is told the same models.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel

from ..chassis import inbox, outbox
from ..chassis.background import background
from ..chassis.clock import Clock
from ..chassis.database import Database
from ..chassis.direct import Asked, DirectAPI
from ..chassis.errors import (
    JsonResponse,
    ServiceError,
    command_of,
    install_error_handlers,
    read_body,
)
from ..chassis.health import CountInFlight, Ledger, Watch
from ..chassis.ids import Ids
from ..chassis.logs import EventLog
from . import news, schemas, store
from .context import Context, Reply, Strategy
from .settings import PaymentSettings
from .strategies import STRATEGIES
from .stripe_client import StripeGateway
from .webhooks import Webhooks

_LEDGERS: dict[str, Ledger] = {"payments": store.ledger}
_MESSAGE_LEDGERS: dict[str, Ledger] = {"outbox": outbox.ledger, "inbox": inbox.ledger}


def create_app(
    settings: PaymentSettings,
    *,
    clock: Clock,
    ids: Ids,
    events: EventLog,
    gateway: StripeGateway,
    db: Database,
) -> FastAPI:
    """Return the app; its lifespan runs the workers and closes `gateway` and `db`."""
    context = Context(
        settings=settings, clock=clock, ids=ids, events=events, db=db, gateway=gateway
    )
    strategy = STRATEGIES[settings.strategy](context)
    tells = settings.strategy == "choreographed"
    watch = Watch(
        settings=settings,
        database=db,
        undecided=news.undecided if tells else store.undecided,
        ledgers=_LEDGERS | (_MESSAGE_LEDGERS if tells else {}),
        strategy=settings.strategy,
        in_flight=context.in_flight,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            async with background(*strategy.workers()):
                yield
        finally:
            await gateway.aclose()
            db.close()

    app = DirectAPI(
        in_flight=watch.in_flight,
        title="Payment",
        version="1",
        lifespan=lifespan,
        routes=watch.routes(),
    )
    _add_routes(app, strategy, db)
    if settings.strategy != "naive":
        _add_webhooks(app, Webhooks(context, strategy))
    install_error_handlers(app)
    app.add_middleware(CountInFlight, in_flight=watch.in_flight)
    return app


def _add_routes(app: DirectAPI, strategy: Strategy, db: Database) -> None:
    async def process_payment(asked: Asked) -> Response:
        """Charge an order."""
        command = command_of(asked.body, schemas.ProcessRequest)
        return _json(await strategy.process(command.charge()))

    app.direct(
        "/payment/process",
        process_payment,
        **_documented(schemas.ProcessRequest, 202, 400, 402),
    )

    @app.post("/payment/cancel", **_documented(schemas.OrderRequest, 202, 404, 409))
    async def cancel_payment(request: Request) -> Response:
        """Make sure that no charge of an order can follow (the fence)."""
        command = await read_body(request, schemas.OrderRequest)
        return _json(await strategy.cancel(command.orderId))

    @app.post("/payment/refund", **_documented(schemas.OrderRequest, 202, 404))
    async def refund_payment(request: Request) -> Response:
        """Undo the charge of an order: cancel or refund."""
        command = await read_body(request, schemas.OrderRequest)
        return _json(await strategy.refund(command.orderId))

    @app.get(
        "/payment/{order_id}",
        response_model=None,
        responses=_replies(schemas.PaymentDocument, 404),
    )
    async def read_payment(order_id: str) -> Response:
        """Return the newest payment of an order."""
        payment = await db.read(store.of_order, order_id)
        if payment is None:
            sentence = f"There is no payment of order {order_id}."
            raise ServiceError(404, "payment_not_found", sentence)
        return JsonResponse(schemas.document(payment))


def _add_webhooks(app: DirectAPI, webhooks: Webhooks) -> None:
    async def hear_stripe(asked: Asked) -> Response:
        """Hear one event of Stripe's."""
        return _json(await webhooks.hear(asked.body, asked.header(b"stripe-signature")))

    app.direct(
        "/webhooks/stripe",
        hear_stripe,
        response_model=None,
        responses={400: {"model": schemas.ErrorAnswer}, 500: {"model": schemas.ErrorAnswer}},
    )


def _json(reply: Reply) -> Response:
    return JsonResponse(reply.body, status_code=reply.status)


def _replies(model: type[BaseModel], *others: int) -> dict[int | str, dict[str, Any]]:
    errors: dict[int | str, dict[str, Any]] = {
        status: {"model": schemas.ErrorAnswer} for status in (*others, 500, 503)
    }
    return {200: {"model": model}} | errors


def _documented(body: type[BaseModel], *others: int) -> dict[str, Any]:
    """Return what OpenAPI is told of a route that reads `body` and answers about a payment."""
    replies = _replies(schemas.PaymentAnswer, 400, 413, 422)
    replies |= {status: {"model": schemas.PaymentAnswer} for status in others}
    content = {"application/json": {"schema": body.model_json_schema()}}
    return {
        "response_model": None,
        "responses": replies,
        "openapi_extra": {"requestBody": {"required": True, "content": content}},
    }
