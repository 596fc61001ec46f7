"""The gateway's application: /v1 on a path of its own, everything else through Starlette."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Connection
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from ..chassis.background import background
from ..chassis.clock import Clock
from ..chassis.database import Database
from ..chassis.errors import install_error_handlers
from ..chassis.health import CountInFlight, InFlight, Page, Undecided, Watch
from ..chassis.ids import Ids
from ..chassis.logs import EventLog
from ..chassis.serve import Surroundings
from . import endpoints, idempotency, journal, outbox, signing
from .api import Parts, StripeApi
from .control_routes import ControlRoutes
from .controls import Controls
from .metrics import Durations, MetricsRoute
from .outbox import Outbox
from .settings import GatewaySettings
from .settling import settle_refunds
from .store import driver
from .tables import METADATA
from .webhooks import send_webhooks
from .work import Facts


class Gateway(Starlette):
    """Starlette for the routes the tool calls; /v1 goes straight to `api`, before its stack."""

    def __init__(self, api: ASGIApp, **starlette: Any) -> None:
        super().__init__(**starlette)
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "http" and scope["path"].startswith("/v1/"):
            await self._api(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(
    settings: GatewaySettings, *, clock: Clock, ids: Ids, events: EventLog, db: Database
) -> Starlette:
    """Build the gateway over an open database; its lifespan releases what a crash left behind."""
    if settings.webhook_url:
        signing.prepare()
    outgoing = Outbox(controls=Controls())
    parts = Parts(
        settings=settings,
        clock=clock,
        ids=ids,
        events=events,
        database=db,
        outbox=outgoing,
        settling=asyncio.Event(),
        sending=asyncio.Event(),
    )
    in_flight, durations = InFlight(), Durations()
    watch = Watch(
        settings=settings,
        database=db,
        undecided=lambda connection: _undecided(connection, clock.now_ms()),
        ledgers={"journal": _journal_page},
        last_seq=lambda connection: journal.last_seq(driver(connection)),
        in_flight=in_flight,
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        journal.announce(events, await db.run(_recover, parts))
        async with background(settle_refunds(parts), send_webhooks(parts)):
            yield
        db.close()

    app = Gateway(
        CountInFlight(StripeApi(parts, durations), in_flight=in_flight),
        routes=[
            *watch.routes(),
            *MetricsRoute(db, durations).routes(),
            *ControlRoutes(parts).routes(),
        ],
        lifespan=lifespan,
    )
    install_error_handlers(app)
    return app


def build(settings: GatewaySettings, surroundings: Surroundings) -> ASGIApp:
    """Open the database and build the gateway: what `serve` calls inside the loop."""
    return create_app(
        settings,
        clock=surroundings.clock,
        ids=surroundings.ids,
        events=surroundings.events,
        db=Database.open(settings, METADATA),
    )


def _recover(connection: Connection, parts: Parts) -> list[dict[str, Any]]:
    """Free the keys whose execution a crash prevented, read controls and endpoints."""
    sql, now = driver(connection), parts.clock.now_ms()
    parts.outbox.controls.load(sql)
    endpoints.configure(sql, parts.settings, now_ms=now)
    parts.outbox.endpoints = endpoints.load(sql)
    rows = []
    for key, order_id, payment_intent, request_id, boot in idempotency.release(sql, now_ms=now):
        work = parts.work(sql, Facts(request_id=request_id, key=key))
        work.note("released", order_id=order_id, payment_intent=payment_intent, label=boot)
        rows += work.rows
    return rows


def _journal_page(connection: Connection, after: int, limit: int) -> Page:
    rows = journal.page(driver(connection), after=after, limit=limit + 1)
    kept = rows[:limit]
    return Page(rows=kept, next=str(kept[-1]["seq"]) if len(rows) > limit else None)


def _undecided(connection: Connection, now_ms: int) -> Undecided:
    """Return what still changes by itself: held requests, masked intents, refunds, webhooks."""
    sql = driver(connection)
    masked = sql.execute("SELECT id FROM intents WHERE masked_until_ms > ?", (now_ms,))
    moving = sql.execute("SELECT refund FROM settlements ORDER BY due_ms, n")
    ids = [
        *idempotency.in_flight(sql),
        *(row[0] for row in masked),
        *(row[0] for row in moving),
        *outbox.waiting(sql),
    ]
    return Undecided(count=len(ids), ids=ids)
