"""The order service's routes: HTTP in, a strategy asked, HTTP out.

Routes are async and answer plain responses; request bodies are read by hand, because prices must
reach `schemas.py` as decimals, and because FastAPI's body parameters cost what the hot path has
not got. OpenAPI is told the same models.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, TypeVar

import httpx
from fastapi import FastAPI, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ValidationError

from ..chassis import inbox, outbox
from ..chassis.background import background
from ..chassis.clock import Clock
from ..chassis.database import Database
from ..chassis.direct import Asked, DirectAPI
from ..chassis.errors import (
    InvalidRequest,
    JsonResponse,
    ServiceError,
    details_of,
    install_error_handlers,
)
from ..chassis.health import CountInFlight, Ledger, Watch
from ..chassis.ids import Ids
from ..chassis.logs import EventLog
from . import documentation, news, replies, schemas, store
from .cart import MAX_LINES, Line
from .context import Context, Strategy
from .settings import OrderSettings
from .steps import Participant, add_steps, is_undo, undo_creation
from .strategies import STRATEGIES

_CLIENT_KEY = re.compile(r"[\x20-\x7e]{1,255}")
_ORDERS_SHOWN_MAX = 100

_LEDGERS: dict[str, Ledger] = {"orders": store.orders_ledger, "carts": store.carts_ledger}
_MESSAGE_LEDGERS: dict[str, Ledger] = {"outbox": outbox.ledger, "inbox": inbox.ledger}

CommandT = TypeVar("CommandT", bound=BaseModel)


def create_app(
    settings: OrderSettings,
    *,
    clock: Clock,
    ids: Ids,
    events: EventLog,
    http: httpx.AsyncClient,
    db: Database,
) -> FastAPI:
    """Return the app; its lifespan runs the strategy's workers and closes `http` and `db`."""
    context = Context(settings=settings, clock=clock, ids=ids, events=events, http=http, db=db)
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
            await http.aclose()
            db.close()

    app = DirectAPI(
        in_flight=watch.in_flight,
        title="Order",
        version="1",
        lifespan=lifespan,
        routes=[*watch.routes()],
    )
    _add_placing(app, strategy)
    if isinstance(strategy, Participant):
        add_steps(app, strategy)
    _add_carts(app, db, clock)
    _add_reading(app, db)
    documentation.document(app)
    install_error_handlers(app)
    app.add_middleware(CountInFlight, in_flight=watch.in_flight)
    return app


async def read_command(request: Request, model: type[CommandT]) -> CommandT:
    """Return the request's body as `model`, as `command_of` does."""
    return command_of(await request.body(), model)


def command_of(body: bytes, model: type[CommandT]) -> CommandT:
    """Return a body as `model`, fractions kept exact; 400 `malformed_json`, 422 for its shape."""
    try:
        document = schemas.parse_json(body)
    except ValueError as error:
        raise ServiceError(400, "malformed_json", f"The body is not JSON: {error}.") from None
    try:
        return model.model_validate(document)
    except ValidationError as wrong:
        errors = wrong.errors(include_url=False, include_context=False, include_input=False)
        raise InvalidRequest(details_of(errors)) from None


def client_key_of(asked: Asked) -> str | None:
    """Return the Idempotency-Key, or None; 422 unless it is 1 to 255 printable ASCII characters."""
    key = asked.header(b"idempotency-key")
    if key is not None and not _CLIENT_KEY.fullmatch(key):
        message = "expected 1 to 255 printable ASCII characters"
        raise InvalidRequest([{"field": "Idempotency-Key", "message": message}])
    return key


def _json(reply: replies.Reply) -> Response:
    return JsonResponse(reply.body, status_code=reply.status, headers=reply.headers)


def _add_placing(app: DirectAPI, strategy: Strategy) -> None:
    async def place_order(asked: Asked) -> Response:
        """Order what is in the shopper's cart and pay for it."""
        client_key = client_key_of(asked) if strategy.reads_client_keys else None
        wish = command_of(asked.body, schemas.Place)
        return _json(await strategy.place(wish, client_key))

    app.direct(
        "/order/place",
        place_order,
        response_model=None,
        responses=documentation.replies(
            "OrderReply", 400, 402, 413, 422, 500, 503, unresolved=True
        ),
        openapi_extra={
            "requestBody": documentation.body("Place"),
            "parameters": [documentation.CLIENT_KEY],
        },
    )

    @app.post(
        "/order/cancel",
        response_model=None,
        responses=documentation.replies("OrderDoc", 400, 404, 409, 413, 422, 503, unresolved=True),
        openapi_extra={"requestBody": documentation.body("Cancel")},
    )
    async def cancel_order(request: Request) -> Response:
        """Take an order back."""
        asked = Asked(request.scope["headers"], await request.body())
        if isinstance(strategy, Participant) and is_undo(asked):
            return await undo_creation(asked, strategy)
        command = command_of(asked.body, schemas.Cancel)
        return _json(await strategy.cancel(command.order_id))


def _add_carts(app: FastAPI, db: Database, clock: Clock) -> None:
    @app.post(
        "/cart/add",
        response_model=None,
        responses=documentation.replies("CartDoc", 400, 409, 413, 422, 503),
        openapi_extra={"requestBody": documentation.body("CartAdd")},
    )
    async def add_to_cart(request: Request) -> Response:
        """Put so many pieces of a product into a shopper's cart."""
        command = await read_command(request, schemas.CartAdd)
        line = Line(
            product_id=command.product_id,
            quantity=command.quantity,
            price_minor=command.price_minor,
        )
        try:
            cart = await db.run(store.add_to_cart, command.user_id, line, clock.now_ms())
        except store.CartFull:
            sentence = f"A cart holds at most {MAX_LINES} items."
            raise ServiceError(409, "cart_full", sentence) from None
        return JsonResponse(schemas.cart_doc(cart))

    @app.get(
        "/cart/{userId:path}",
        response_model=None,
        responses=documentation.replies("CartDoc", 404, 422, 503),
    )
    async def show_cart(user_id: Annotated[schemas.Name, Path(alias="userId")]) -> Response:
        """Return a shopper's cart."""
        return JsonResponse(schemas.cart_doc(await db.read(store.cart_of, user_id)))


def _add_reading(app: FastAPI, db: Database) -> None:
    @app.get(
        "/order/{orderId}",
        response_model=None,
        responses=documentation.replies("OrderDoc", 404, 422, 503),
    )
    async def show_order(order_id: Annotated[schemas.Name, Path(alias="orderId")]) -> Response:
        """Return an order as it stands."""
        order = await db.read(store.order_by_id, order_id)
        if order is None:
            raise replies.order_not_found(order_id)
        return JsonResponse(schemas.order_doc(order))

    @app.get(
        "/order",
        response_model=None,
        responses=documentation.replies("OrdersReply", 422, 503),
    )
    async def show_orders(
        user_id: Annotated[schemas.Name, Query(alias="userId")],
        limit: Annotated[int, Query(ge=1, le=_ORDERS_SHOWN_MAX)] = 20,
    ) -> Response:
        """Return a shopper's orders, newest first."""
        orders = await db.read(store.orders_of, user_id, limit)
        return JsonResponse({"orders": [schemas.order_doc(order) for order in orders]})
