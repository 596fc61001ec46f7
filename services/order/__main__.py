"""`python -m services.order`: the order service as a process (services/README.md)."""

import sys
from collections.abc import Mapping

from sqlalchemy import MetaData
from starlette.types import ASGIApp

from ..chassis import inbox, outbox
from ..chassis.database import Database
from ..chassis.http_client import http_client
from ..chassis.serve import Surroundings, serve
from .app import create_app
from .settings import OrderSettings
from .tables import metadata


def main(environ: Mapping[str, str] | None = None) -> int:
    """Serve until told to stop and return the exit code."""
    settings = OrderSettings.from_environ(environ)
    return serve(_app, settings)


def tables_of(strategy: str) -> tuple[MetaData, ...]:
    """Return the tables of a strategy; messages are the choreographed one's alone."""
    messages = (outbox.metadata, inbox.metadata) if strategy == "choreographed" else ()
    return (metadata, *messages)


def _app(settings: OrderSettings, surroundings: Surroundings) -> ASGIApp:
    http = http_client(
        base_url=settings.payment_url,
        connect_ms=settings.scaled(settings.payment_connect_ms),
        read_ms=settings.scaled(settings.payment_try_ms),
    )
    return create_app(
        settings,
        clock=surroundings.clock,
        ids=surroundings.ids,
        events=surroundings.events,
        http=http,
        db=Database.open(settings, *tables_of(settings.strategy), events=surroundings.events),
    )


if __name__ == "__main__":
    sys.exit(main())
