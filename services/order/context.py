"""What a strategy is given and what it must answer: the seam between routes and chapters."""

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from ..chassis.clock import Clock
from ..chassis.database import Database
from ..chassis.health import InFlight
from ..chassis.ids import Ids
from ..chassis.logs import EventLog
from .replies import Reply
from .schemas import Place
from .settings import OrderSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The collaborators of a strategy."""

    settings: OrderSettings
    clock: Clock
    ids: Ids
    events: EventLog
    http: httpx.AsyncClient
    db: Database
    in_flight: InFlight = field(default_factory=InFlight)  # requests, and messages being handled


class Strategy(Protocol):
    """One chapter of the order service."""

    reads_client_keys: bool  # whether an Idempotency-Key means anything

    async def place(self, wish: Place, client_key: str | None) -> Reply:
        """Order what is in the cart; ServiceError for everything but success and 202."""
        ...

    async def cancel(self, order_id: str) -> Reply:
        """Take an order back; ServiceError when there is none or it is too late."""
        ...

    def workers(self) -> Sequence[Coroutine[Any, Any, None]]:
        """Return the endless tasks that run beside the routes."""
        ...
