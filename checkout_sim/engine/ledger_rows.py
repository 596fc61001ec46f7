"""The ledgers' rows of a run that goes on, read a little at a time.

Takes the reader of ledgers; gives the rows of the orders asked for. What ended is not read again:
a reading begins at the oldest row that may have changed. Nothing read here is recorded: the ledgers
that convict are read when the run is at rest.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

Row = Mapping[str, Any]


class Reader(Protocol):
    """What is needed of the ledgers' client."""

    def read(self, name: str, *, after: int | None = None) -> Any:
        """Yield rows, passing over that many. Raises LedgerUnreadable."""
        ...


class _Table:
    """One ledger whose rows change: the place of each, counted from 1."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._places: dict[str, int] = {}
        self._rows: dict[str, Row] = {}

    async def read(self, ledgers: Reader, orders: Iterable[str]) -> None:
        """Read these orders' rows anew, and whatever was added since."""
        known = [self._places[order] for order in orders if order in self._places]
        after = min(known, default=len(self._places) + 1) - 1
        async for row in ledgers.read(self.name, after=after):
            order = str(row.get("order_id"))
            self._places.setdefault(order, len(self._places) + 1)
            self._rows[order] = row

    def of(self, order: str) -> list[Row]:
        found = self._rows.get(order)
        return [] if found is None else [found]


class _Journal:
    """The gateway's journal: rows are only ever added."""

    def __init__(self) -> None:
        self._last = 0
        self._rows: dict[str, list[Row]] = {}

    async def read(self, ledgers: Reader) -> None:
        """Read what was added since."""
        async for row in ledgers.read("journal", after=self._last):
            self._last = max(self._last, int(row["seq"]))
            self._rows.setdefault(str(row.get("order_id")), []).append(row)

    def of(self, order: str) -> list[Row]:
        return self._rows.get(order, [])


class LedgerRows:
    """What orders, payments and journal say of the orders asked for."""

    def __init__(self) -> None:
        self._orders = _Table("orders")
        self._payments = _Table("payments")
        self._journal = _Journal()

    async def read(self, ledgers: Reader, orders: Iterable[str]) -> None:
        """Bring these orders up to date. Raises LedgerUnreadable."""
        wanted = list(orders)
        # Intent, belief, money: a row read later is never older than what it is compared with.
        await self._orders.read(ledgers, wanted)
        await self._payments.read(ledgers, wanted)
        await self._journal.read(ledgers)

    def of(self, order: str) -> Mapping[str, list[Row]]:
        """Return an order's rows by ledger."""
        return {
            "orders": self._orders.of(order),
            "payments": self._payments.of(order),
            "journal": self._journal.of(order),
        }
