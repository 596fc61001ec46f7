"""A history as the judge sees it: the index of `schema.py`, read by set-based queries.

Takes the connection that `Evidence` filled, or a file it left; gives rows. Nothing here decides.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, Self

from checkout_sim.checks.schema import SCHEMA_VERSION
from checkout_sim.model.errors import HistoryUnreadable

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """An observation that is about the run and not about one order."""

    id: int
    t_ms: float
    source_ms: float | None
    source: str
    kind: str
    checkout: int | None
    n: int
    fault: str | None
    data: Mapping[str, Any]


class History:
    """One run's evidence, indexed. Numbers called `n` are dense order numbers."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        # 16 MB of pages: a claim walks each table once, from end to end, so more buys nothing.
        db.execute("PRAGMA cache_size = -16384")
        db.execute("PRAGMA temp_store = MEMORY")

    @classmethod
    def open(cls, path: str | PathLike[str]) -> Self:
        """Return the history an earlier `Evidence.at(path)` left; raises HistoryUnreadable."""
        try:
            uri = f"{Path(path).resolve().as_uri()}?mode=ro"
            db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
            version = db.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.Error as error:
            raise HistoryUnreadable(f"{path}: not an index of a history: {error}") from error
        if version != SCHEMA_VERSION:
            raise HistoryUnreadable(
                f"{path}: index version {version}, this tool reads {SCHEMA_VERSION}; delete the "
                "file and judge the run again, it is derived from history.ndjson"
            )
        return cls(db)

    def beside(self) -> Self | None:
        """Return a second reader of the same index for another thread; None for one in memory."""
        path = self._db.execute("PRAGMA database_list").fetchone()[2]
        return type(self).open(path) if path else None

    def close(self) -> None:
        """Let the index go; one in memory is lost."""
        self._db.close()

    def rows(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        """Return the rows of a query, to be iterated once."""
        return self._db.execute(sql, parameters)

    def row(self, sql: str, *parameters: Any) -> Row | None:
        """Return a query's first row, or None."""
        found: Row | None = self._db.execute(sql, parameters).fetchone()
        return found

    @cached_property
    def kinds(self) -> Mapping[str, int]:
        """Return how often each kind was observed."""
        return dict(self._db.execute("SELECT kind, seen FROM kind"))

    @cached_property
    def opened(self) -> Mapping[str, Any]:
        """Return what `run.opened` says, or nothing when there is none."""
        first = next(self.remarks("run.opened"), None)
        return {} if first is None else first.data

    def size(self, table: str) -> int:
        """Return how many rows a table had when the history was finished; `capture`, of charges."""
        found = self.row("SELECT rows FROM size WHERE name = ?", table)
        return 0 if found is None else int(found[0])

    def order_id(self, n: int) -> str | None:
        """Return the order id of a dense number."""
        found = self.row("SELECT id FROM order_id WHERE n = ?", n)
        return None if found is None else str(found[0])

    def number(self, order_id: str) -> int | None:
        """Return the dense number of an order id, or None when it was never seen."""
        found = self.row("SELECT n FROM order_id WHERE id = ?", order_id)
        return None if found is None else int(found[0])

    def checkout_of(self, n: int) -> int | None:
        """Return the purchase an order belongs to: its row names the user, else its creation."""
        found = self.row(
            "SELECT checkout FROM order_row WHERE n = ?1 AND checkout IS NOT NULL UNION ALL "
            "SELECT checkout FROM transition WHERE n = ?1 AND checkout IS NOT NULL",
            n,
        )
        return None if found is None else int(found[0])

    def remarks(self, *kinds: str) -> Iterator[Remark]:
        """Yield the run's remarks of these kinds, in the order they were made."""
        found = self._db.execute(
            "SELECT id, t_ms, source_ms, source, kind, checkout, n, fault, data FROM remark "
            "WHERE kind IN (SELECT value FROM json_each(?)) ORDER BY id",
            (json.dumps(kinds),),
        )
        for row in found.fetchall():
            yield Remark(
                id=row[0],
                t_ms=row[1],
                source_ms=row[2],
                source=row[3],
                kind=row[4],
                checkout=row[5],
                n=row[6],
                fault=row[7],
                data=json.loads(row[8]),
            )
