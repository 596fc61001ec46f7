"""`python -m services.payment`: the payment service as a process (services/README.md)."""

from collections.abc import Mapping

from sqlalchemy import MetaData
from starlette.types import ASGIApp

from ..chassis import inbox, outbox
from ..chassis.breaker import Breaker
from ..chassis.database import Database
from ..chassis.serve import Surroundings, serve
from .app import create_app
from .settings import PaymentSettings
from .stripe_client import LINK, StripeGateway, counts
from .tables import METADATA


def main(environ: Mapping[str, str] | None = None) -> int:
    """Serve until told to stop and return the exit code."""
    return serve(build, PaymentSettings.from_environ(environ))


def build(settings: PaymentSettings, surroundings: Surroundings) -> ASGIApp:
    """Return the app with its real collaborators; needs a running loop."""
    clock, ids, events = surroundings.clock, surroundings.ids, surroundings.events
    db = Database.open(settings, *tables_of(settings.strategy), events=events)
    gateway = StripeGateway(
        settings, clock=clock, ids=ids, events=events, breaker=_breaker(settings)
    )
    return create_app(settings, clock=clock, ids=ids, events=events, gateway=gateway, db=db)


def tables_of(strategy: str) -> tuple[MetaData, ...]:
    """Return the tables of a strategy; an outbox is the choreographed one's alone.

    An inbox has each: webhooks are messages too.
    """
    messages = (outbox.metadata,) if strategy == "choreographed" else ()
    return (METADATA, inbox.metadata, *messages)


def _breaker(settings: PaymentSettings) -> Breaker | None:
    """Return the breaker of the link to the gateway; naive has none."""
    if settings.strategy == "naive":
        return None
    return Breaker(
        LINK,
        failures=settings.breaker_failures,
        open_ms=settings.scaled(settings.breaker_open_ms),
        counts=counts,
    )


if __name__ == "__main__":
    raise SystemExit(main())
