"""What the runner needs of the world, as small protocols; the world implements, tests fake them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from checkout_sim.model.history import Observation
from checkout_sim.model.plan import Inject, Lift, Shopper
from checkout_sim.model.seen import Answered, Done, Ended, Undecided


class Clock(Protocol):
    """Monotonic milliseconds and waiting."""

    def now_ms(self) -> float:
        """Return monotonic milliseconds, the same clock as the services' `ms`."""
        ...

    async def sleep_ms(self, duration_ms: float) -> None:
        """Wait."""
        ...


class Record(Protocol):
    """The one way into the history."""

    def __call__(
        self,
        source: str,
        kind: str,
        *,
        source_ms: float | None = None,
        checkout: int | None = None,
        order: str | None = None,
        key: str | None = None,
        fault: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> Observation:
        """Append one observation and return it as recorded."""
        ...


class Shop(Protocol):
    """The shop as shoppers reach it."""

    async def fill_cart(self, shopper: Shopper) -> None:
        """Fill the shopper's cart around the proxy, before the storm."""
        ...

    async def place(self, shopper: Shopper, *, key: str, card: str) -> Ended:
        """Post the order through the shopper's link, within its patience."""
        ...

    async def cancel(self, order_id: str) -> Answered:
        """Ask for the cancellation of an order through the shopper's link."""
        ...

    async def find(self, order_id: str) -> Answered:
        """Look an order up around the proxy."""
        ...


class Faults(Protocol):
    """Makes faults real, and undoes them."""

    async def inject(self, step: Inject, *, checkouts_open: bool) -> Done:
        """Inject and read back. Raises FaultNotApplied."""
        ...

    async def lift(self, step: Lift) -> Done | None:
        """Undo one window; None when there was nothing left to undo. Raises FaultNotApplied."""
        ...

    async def calm(self) -> None:
        """Lift everything, resume and restart every process. Raises FaultNotApplied."""
        ...


class Ledgers(Protocol):
    """What the services finally say, on their direct ports."""

    @property
    def names(self) -> Sequence[str]:
        """Return the ledgers there are, in the order to read them."""
        ...

    async def undecided(self) -> Mapping[str, Undecided]:
        """Return what each service has open. Raises LedgerUnreadable."""
        ...

    def read(self, name: str, *, after: int | None = None) -> AsyncIterator[Mapping[str, Any]]:
        """Yield every row of a ledger, oldest first, `after` so many. Raises LedgerUnreadable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The collaborators of one run."""

    shop: Shop
    faults: Faults
    ledgers: Ledgers
    clock: Clock
