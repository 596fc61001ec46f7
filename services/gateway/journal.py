"""The append-only journal: what happened to money, and under which key.

Its rows are the judge's authority (services/README.md, "Gateway"). They are written inside the
transaction of what they tell of, and announced on the event log as `gateway.<kind>` after it.
"""

import sqlite3
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Literal

from sqlalchemy import insert
from sqlalchemy.dialects import sqlite

from ..chassis.logs import Event, EventLog
from .tables import JOURNAL

Kind = Literal[
    "authorized",
    "captured",
    "canceled",
    "declined",
    "refunded",
    "refund_failed",
    "intent_created",
    "replayed",
    "refused",
    "conflicted",
    "released",
    "fault_used",
    "webhook_sent",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the journal; `amount_minor` is never negative, the kind gives the sign."""

    seq: int | None = None
    at_ms: int
    kind: Kind
    order_id: str | None = None
    run_id: str | None = None
    payment_intent: str | None = None
    charge: str | None = None
    refund: str | None = None
    amount_minor: int = 0
    currency: str | None = None
    idempotency_key: str | None = None
    request_id: str | None = None
    label: str | None = None


_INSERT = str(insert(JOURNAL).compile(dialect=sqlite.dialect()))
# Plain strings: SQLAlchemy's own subclass sends pydantic's JSON encoder the long way round.
_FIELDS = tuple(str(column.name) for column in JOURNAL.c)
_values = attrgetter(*_FIELDS)
_SELECT = f"SELECT {', '.join(_FIELDS)} FROM journal WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608 - own column names


def append(sql: sqlite3.Connection, row: Row) -> dict[str, Any]:
    """Write one row and return it as the ledger shows it, `seq` included."""
    values = _values(row)
    written = dict(zip(_FIELDS, values, strict=True))
    written["seq"] = sql.execute(_INSERT, values).lastrowid
    return written


def page(sql: sqlite3.Connection, *, after: int, limit: int) -> list[dict[str, Any]]:
    """Return up to `limit` rows whose `seq` is above `after`, oldest first."""
    return [
        dict(zip(_FIELDS, values, strict=True)) for values in sql.execute(_SELECT, (after, limit))
    ]


def last_seq(sql: sqlite3.Connection) -> int:
    """Return the newest `seq`, 0 while the journal is empty."""
    row = sql.execute("SELECT max(seq) FROM journal").fetchone()
    return int(row[0] or 0)


def announce(events: EventLog, rows: list[dict[str, Any]]) -> None:
    """Emit `gateway.<kind>` for rows that are committed by now."""
    events.emit_all(
        [
            Event(
                kind=f"gateway.{row['kind']}",
                order=row["order_id"],
                key=row["idempotency_key"],
                data={name: value for name, value in row.items() if name != "kind"},
            )
            for row in rows
        ]
    )
