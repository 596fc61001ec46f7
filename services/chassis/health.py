"""The three routes by which the tool watches a service: /health, /undecided, /ledger/{name}.

They are built from callables over a Core connection, so that every service tells the same way
what it believes. `InFlight` counts the requests being handled, these routes apart.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from .database import Database
from .errors import InvalidRequest, JsonResponse, ServiceError
from .settings import ServiceSettings

LEDGER_LIMIT = 1000
LEDGER_LIMIT_MAX = 5000
UNDECIDED_SHOWN = 20

_WATCHED = ("/health", "/undecided", "/ledger/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecided:
    """Rows not in an end state: how many, and the ids of the first 20 at most."""

    count: int
    ids: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of a ledger, oldest first; `next` is the cursor of the following page, if any."""

    rows: Sequence[Mapping[str, Any]]
    next: str | None


# (connection, after: rowid cursor exclusive, limit) → Page
Ledger = Callable[[Connection, int, int], Page]


@dataclass(slots=True)
class InFlight:
    """How many requests are being handled now."""

    count: int = 0


class CountInFlight:
    """Plain ASGI middleware that keeps an InFlight; costs well under a microsecond."""

    def __init__(self, app: ASGIApp, *, in_flight: InFlight) -> None:
        self._app = app
        self._in_flight = in_flight

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http" or scope["path"].startswith(_WATCHED):
            await self._app(scope, receive, send)
            return
        self._in_flight.count += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._in_flight.count -= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What a service shows of itself; `routes()` is added to its app."""

    settings: ServiceSettings
    database: Database
    undecided: Callable[[Connection], Undecided]
    ledgers: Mapping[str, Ledger]
    last_seq: Callable[[Connection], int] | None = None
    strategy: str | None = None
    in_flight: InFlight = field(default_factory=InFlight)

    def routes(self) -> list[BaseRoute]:
        """Return the routes, to be put before those of the service."""
        return [
            Route("/health", self.health, methods=["GET"]),
            Route("/undecided", self.show_undecided, methods=["GET"]),
            Route("/ledger/{name}", self.show_ledger, methods=["GET"]),
        ]

    async def health(self, _: Request) -> Response:
        """Answer who this is, once the database answers."""
        healthy = await self.database.healthy()
        body = {
            "status": "ok" if healthy else "starting",
            "service": self.settings.service,
            "instance": self.settings.instance,
            "replica": self.settings.replica,
            "pid": os.getpid(),
            "strategy": self.strategy,
        }
        return JsonResponse(body, status_code=200 if healthy else 503)

    async def show_undecided(self, _: Request) -> Response:
        """Answer what is not settled yet, here and now."""
        open_rows = await self.database.read(self.undecided)
        last_seq = await self.database.read(self.last_seq) if self.last_seq else None
        body = {
            "count": open_rows.count,
            "ids": list(open_rows.ids)[:UNDECIDED_SHOWN],
            "in_flight": self.in_flight.count,
            "last_seq": last_seq,
        }
        return JsonResponse(body)

    async def show_ledger(self, request: Request) -> Response:
        """Answer one page of what this service finally says."""
        name = request.path_params["name"]
        ledger = self.ledgers.get(name)
        if ledger is None:
            known = ", ".join(sorted(self.ledgers))
            sentence = f'There is no ledger "{name}"; there is: {known}.'
            raise ServiceError(404, "ledger_not_found", sentence)
        after = _integer(request, "after", default=0, low=0, high=2**63 - 1)
        limit = _integer(request, "limit", default=LEDGER_LIMIT, low=1, high=LEDGER_LIMIT_MAX)
        page = await self.database.read(ledger, after, limit)
        return JsonResponse({"rows": list(page.rows), "next": page.next})


def _integer(request: Request, name: str, *, default: int, low: int, high: int) -> int:
    text = request.query_params.get(name)
    if not text:
        return default
    if text.isascii() and text.isdigit() and low <= int(text) <= high:
        return int(text)
    raise InvalidRequest([{"field": name, "message": f"must be an integer from {low} to {high}"}])


def page_of(rows: Sequence[Mapping[str, Any]], *, limit: int, cursor: str = "seq") -> Page:
    """Return a Page of `rows` fetched with `LIMIT limit + 1`, dropping the column `cursor`.

    The last kept row's `cursor` becomes `next` when more rows follow.
    """
    kept = [dict(row) for row in rows[:limit]]
    following = str(kept[-1][cursor]) if len(rows) > limit else None
    for row in kept:
        del row[cursor]
    return Page(rows=kept, next=following)
