"""What a strategy is given and what it must answer: the seam between routes and chapters."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Connection

from ..chassis.clock import Clock
from ..chassis.database import Database
from ..chassis.health import InFlight
from ..chassis.ids import Ids
from ..chassis.logs import EventLog
from .payment import Charge, Payment
from .settings import PaymentSettings
from .stripe_client import StripeGateway


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The collaborators of a strategy."""

    settings: PaymentSettings
    clock: Clock
    ids: Ids
    events: EventLog
    db: Database
    gateway: StripeGateway
    in_flight: InFlight = field(default_factory=InFlight)  # requests, and messages being handled
    wake: asyncio.Event = field(default_factory=asyncio.Event)  # of the reconciler


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer: status and JSON body."""

    status: int
    body: Mapping[str, Any]


class Strategy(Protocol):
    """One chapter of the payment service. ServiceError for what is no answer about a payment."""

    async def process(self, charge: Charge) -> Reply:
        """Charge an order."""
        ...

    async def cancel(self, order_id: str) -> Reply:
        """Make sure that no charge of an order can follow."""
        ...

    async def refund(self, order_id: str) -> Reply:
        """Undo the charge of an order, whatever became of it."""
        ...

    def record(
        self,
        connection: Connection,
        before: Payment,
        after: Payment,
        *,
        written: Callable[[], None] | None = None,
    ) -> Payment | None:
        """Replace a row as `store.write` does, with the news this chapter owes beside it.

        Called by a webhook, in the transaction that also holds its inbox row.
        """
        ...

    def workers(self) -> Sequence[Coroutine[Any, Any, None]]:
        """Return the endless tasks that run beside the routes."""
        ...
