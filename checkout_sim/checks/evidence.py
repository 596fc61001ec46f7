"""Evidence: a history being indexed while it is recorded, so that judging it is quick.

Takes observations, one after another; gives a `History`. The index is derived and may be thrown
away: `history.ndjson` alone is the record. It costs no durability (`synchronous = OFF`): after a
crash it is made anew.
"""

import sqlite3
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any, Self

from checkout_sim.checks.continuity import Continuity
from checkout_sim.checks.history import History
from checkout_sim.checks.placing import LEDGER_TABLES, Placing, placing_of
from checkout_sim.checks.schema import INDEXES, MONEY, SCHEMA_VERSION, TABLES
from checkout_sim.model.history import Observation

_BATCH = 512  # larger ones cost more a line: their rows leave the processor's cache (measured)
_COLUMNS = {
    "order_id": 2,
    "order_row": 6,
    "payment_row": 7,
    "journal": 10,
    "cart_row": 3,
    "saga_row": 5,
    "saga_step_row": 6,
    "order_outbox": 5,
    "payment_outbox": 5,
    "order_inbox": 4,
    "payment_inbox": 4,
    "transition": 5,
    "event": 5,
    "message": 9,
    "call": 13,
    "sent": 7,
    "ended": 11,
    "found": 5,
    "canceled": 4,
    "remark": 9,
}
_INSERT = {
    table: f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * columns)})"  # noqa: S608 - ours
    for table, columns in _COLUMNS.items()
}


class OrderNumbers:
    """Dense integers for order ids, from 1; 0 stands for no order.

    The map is kept in the index and only its recent part in memory: a million ids as a Python
    dictionary are 168 MB (measured), and an order's events come close together.
    """

    _MOST_REMEMBERED = 65_536

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._recent: dict[str | None, int] = {None: 0}
        self._last = 0
        self._forgot = False
        self._unwritten: list[tuple[int, str]] = []

    def __call__(self, order_id: str | None) -> int:
        """Return the order's integer, a new one when it was not seen before."""
        n = self._recent.get(order_id)
        if n is not None:
            return n
        return 0 if order_id is None else self._look_up(order_id)

    def _look_up(self, order_id: str) -> int:
        if len(self._recent) > self._MOST_REMEMBERED:
            self.write()
            if not self._forgot:
                self._db.execute("CREATE UNIQUE INDEX order_id_by_id ON order_id (id)")
            self._recent, self._forgot = {None: 0}, True
        if self._forgot:
            row = self._db.execute("SELECT n FROM order_id WHERE id = ?", (order_id,)).fetchone()
            if row is not None:
                known: int = row[0]
                self._recent[order_id] = known
                return known
        self._last += 1
        self._unwritten.append((self._last, order_id))
        self._recent[order_id] = self._last
        return self._last

    def write(self) -> None:
        """Put into the index what only memory holds."""
        self._db.executemany("INSERT INTO order_id VALUES (?, ?)", self._unwritten)
        self._unwritten.clear()


class _Kind:
    """What is known of one kind of observation."""

    __slots__ = ("first", "of_ledger", "placing", "seen")

    def __init__(self, kind: str, first: int) -> None:
        self.first = first
        self.seen = 0
        self.placing: Placing = placing_of(kind)
        self.of_ledger = kind.startswith("ledger.")


class Evidence:
    """A history being written into an index. Add, then finish; a finished one takes no more."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("PRAGMA synchronous = OFF")
        db.executescript(TABLES)
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        db.execute("BEGIN")
        self._numbers = OrderNumbers(db)
        self._continuity = Continuity()
        self._rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in _COLUMNS}
        self._kinds: dict[str, _Kind] = {}
        self._waiting = 0
        self._read: set[str] = set()

    @classmethod
    def in_memory(cls) -> Self:
        """Return evidence that leaves no file."""
        return cls(sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False))

    @classmethod
    def at(cls, path: str | PathLike[str]) -> Self:
        """Return evidence kept in a file; one that is there already is made anew."""
        Path(path).unlink(missing_ok=True)
        return cls(sqlite3.connect(path, isolation_level=None, check_same_thread=False))

    def add(self, seen: Observation) -> None:
        """Take the next observation."""
        self._continuity.follow(seen)
        kind = self._kinds.get(seen.kind)
        if kind is None:
            kind = self._kinds[seen.kind] = _Kind(seen.kind, seen.id)
        kind.seen += 1
        if kind.of_ledger:
            self._begin_or_end_ledger(seen)
        table, row = kind.placing(seen, self._numbers)
        self._rows[table].append(row)
        self._waiting += 1
        if self._waiting >= _BATCH:
            self._write()

    def extend(self, observations: Iterable[Observation]) -> Self:
        """Take many observations and return itself."""
        for seen in observations:
            self.add(seen)
        return self

    def finish(self) -> History:
        """Index what was taken and return it, ready to be judged."""
        self._write()
        counts = [(name, kind.seen, kind.first) for name, kind in sorted(self._kinds.items())]
        self._db.executemany("INSERT INTO kind VALUES (?, ?, ?)", counts)
        self._db.executemany("INSERT INTO flaw VALUES (?, ?)", self._continuity.flaws)
        close_index(self._db)
        return History(self._db)

    def _begin_or_end_ledger(self, seen: Observation) -> None:
        """Let a ledger that is read a second time replace its first reading."""
        name = seen.data.get("name", "")
        if seen.kind == "ledger.ended":
            self._read.add(name)
        elif seen.kind == "ledger.read" and name in self._read:
            self._read.discard(name)
            table = LEDGER_TABLES.get(name)
            if table is not None:
                self._rows[table].clear()
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - a name of our own table

    def _write(self) -> None:
        for table, rows in self._rows.items():
            if rows:
                self._db.executemany(_INSERT[table], rows)
                rows.clear()
        self._numbers.write()
        self._waiting = 0


def close_index(db: sqlite3.Connection) -> None:
    """Count the tables, add up the money, index and commit: the last step of any filling."""
    for table in _COLUMNS:
        db.execute(f"INSERT INTO size SELECT '{table}', COUNT(*) FROM {table}")  # noqa: S608 - ours
    for statement in (MONEY + INDEXES).split(";"):
        db.execute(statement)
    db.execute("COMMIT")
