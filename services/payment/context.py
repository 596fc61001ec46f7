"""What a strategy is given and what it must answer: the seam between routes and chapters."""

from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..chassis.clock import Clock
from ..chassis.database import Database
from ..chassis.health import InFlight
from ..chassis.ids import Ids
from ..chassis.logs import EventLog
from .payment import Charge
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

    def workers(self) -> Sequence[Coroutine[Any, Any, None]]:
        """Return the endless tasks that run beside the routes."""
        ...
