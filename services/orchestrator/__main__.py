"""`python -m services.orchestrator`: the orchestrator as a process (services/README.md)."""

import sys
from collections.abc import Mapping

from starlette.types import ASGIApp

from ..chassis.breaker import Breaker
from ..chassis.database import Database
from ..chassis.http_client import Link, http_client
from ..chassis.serve import Surroundings, serve
from .app import create_app
from .participants import CallBudget, Participant, counts_against_callee
from .settings import OrchestratorSettings
from .tables import metadata


def main(environ: Mapping[str, str] | None = None) -> int:
    """Serve until told to stop and return the exit code."""
    return serve(_app, OrchestratorSettings.from_environ(environ))


def _app(settings: OrchestratorSettings, surroundings: Surroundings) -> ASGIApp:
    return create_app(
        settings,
        clock=surroundings.clock,
        ids=surroundings.ids,
        events=surroundings.events,
        order=_order(settings, surroundings),
        payment=_payment(settings, surroundings),
        db=Database.open(settings, metadata, events=surroundings.events),
    )


def _order(settings: OrchestratorSettings, surroundings: Surroundings) -> Participant:
    return Participant(
        http_client(
            base_url=settings.order_url,
            connect_ms=settings.scaled(settings.order_connect_ms),
            read_ms=settings.scaled(settings.order_try_ms),
        ),
        link=_link("orchestrator_to_order", surroundings),
        budget=_budget(
            settings, settings.order_try_ms, settings.order_tries, settings.order_total_ms
        ),
        clock=surroundings.clock,
        ids=surroundings.ids,
    )


def _payment(settings: OrchestratorSettings, surroundings: Surroundings) -> Participant:
    link = _link("orchestrator_to_payment", surroundings)
    return Participant(
        http_client(
            base_url=settings.payment_url,
            connect_ms=settings.scaled(settings.payment_connect_ms),
            read_ms=settings.scaled(settings.payment_try_ms),
        ),
        link=link,
        budget=_budget(
            settings, settings.payment_try_ms, settings.payment_tries, settings.payment_total_ms
        ),
        clock=surroundings.clock,
        ids=surroundings.ids,
        breaker=Breaker(
            link.name,
            failures=settings.breaker_failures,
            open_ms=settings.scaled(settings.breaker_open_ms),
            counts=counts_against_callee,
        ),
    )


def _link(name: str, surroundings: Surroundings) -> Link:
    return Link(name, events=surroundings.events, clock=surroundings.clock, ids=surroundings.ids)


def _budget(
    settings: OrchestratorSettings, try_ms: float, tries: int, total_ms: float
) -> CallBudget:
    return CallBudget(
        try_ms=settings.scaled(try_ms),
        tries=tries,
        total_ms=settings.scaled(total_ms),
        backoff_low_ms=settings.scaled(settings.backoff_low_ms),
        backoff_high_ms=settings.scaled(settings.backoff_high_ms),
    )


if __name__ == "__main__":
    sys.exit(main())
