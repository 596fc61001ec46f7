"""The transactional outbox: what a service owes the broker, in its own database.

A row is written by the transaction whose news it tells, so that neither is without the other; the
relay publishes it afterwards, as often as it takes. Whoever writes a row has claimed it: in the
usual case nobody else need be asked before it is sent. Rows of a process that died, or of one that
cannot reach the broker, may be claimed once their claim has run out.
Source: microservices.io, "Transactional outbox".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Connection,
    Index,
    Table,
    bindparam,
    func,
    insert,
    literal_column,
    null,
    select,
    text,
    update,
)
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from .database import Prepared
from .health import Page, page_of


class _Row(SQLModel, registry=registry()):
    """A base of its own: only the choreographed strategy has this table."""


class OutboxRow(_Row, table=True):
    """One message: never changed but for who sends it, and when it was sent."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "outbox_unsent",
            "seq",
            sqlite_where=text("sent_at_ms IS NULL"),
            postgresql_where=text("sent_at_ms IS NULL"),
        ),
    )

    seq: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    aggregate_id: str
    topic: str
    payload: str
    claimed_by: str
    claimed_until_ms: int
    attempts: int = 0
    created_at_ms: int
    sent_at_ms: int | None = None


metadata = _Row.metadata
OUTBOX: Table = OutboxRow.__table__  # type: ignore[attr-defined]
_O = OUTBOX.c

_WRITTEN = (
    "id",
    "aggregate_id",
    "topic",
    "payload",
    "claimed_by",
    "claimed_until_ms",
    "attempts",
    "created_at_ms",
)
_ADD = Prepared(insert(OUTBOX).values({name: bindparam(name) for name in _WRITTEN}))
_COLUMNS = (_O.id, _O.aggregate_id, _O.topic, _O.payload, _O.attempts)
_ONE: Any = literal_column("1")
_UNSENT = _O.sent_at_ms.is_(null())
_MINE = Prepared(
    select(*_COLUMNS)
    .where(_UNSENT, _O.claimed_by == bindparam("me"))
    .order_by(_O.seq)
    .limit(bindparam("at_most"))
)
_UNCLAIMED = Prepared(
    select(_O.id)
    .where(_UNSENT, _O.claimed_by != bindparam("me"), _O.claimed_until_ms <= bindparam("now_ms"))
    .order_by(_O.seq)
    .limit(bindparam("at_most"))
)
_CLAIM = Prepared(
    update(OUTBOX)
    .where(_O.id == bindparam("of_id"), _UNSENT, _O.claimed_until_ms <= bindparam("now_ms"))
    .values(claimed_by=bindparam("me"), claimed_until_ms=bindparam("until_ms"))
)
_MARK_SENT = Prepared(
    update(OUTBOX).where(_O.id == bindparam("of_id")).values(sent_at_ms=bindparam("now_ms"))
)
_MARK_TRIED = Prepared(
    update(OUTBOX)
    .where(_O.id == bindparam("of_id"), _UNSENT)
    .values(attempts=_O.attempts + _ONE, claimed_until_ms=bindparam("until_ms"))
)
_COUNT_UNSENT = Prepared(select(func.count(_O.id)).where(_UNSENT))
_LEDGER = Prepared(
    select(_O.seq, _O.id, _O.aggregate_id, _O.topic, _O.sent_at_ms, _O.attempts)
    .where(_O.seq > bindparam("after"))
    .order_by(_O.seq)
    .limit(bindparam("at_most"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A message to be sent: `payload` is its JSON, `attempts` counts earlier publications."""

    id: str
    order_id: str
    topic: str
    payload: str
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Who sends what is written now, and until when nobody else may."""

    owner: str
    now_ms: int
    until_ms: int


def add(conn: Connection, owed: Owed, claim: Claim) -> None:
    """Write a message beside the change it tells of; the caller's transaction holds both."""
    _ADD(
        conn,
        id=owed.id,
        aggregate_id=owed.order_id,
        topic=owed.topic,
        payload=owed.payload,
        claimed_by=claim.owner,
        claimed_until_ms=claim.until_ms,
        attempts=0,
        created_at_ms=claim.now_ms,
    )


def unsent_of(conn: Connection, owner: str, at_most: int) -> list[Owed]:
    """Return what `owner` has claimed and not sent, oldest first."""
    return [
        Owed(id=id_, order_id=order_id, topic=topic, payload=payload, attempts=attempts)
        for id_, order_id, topic, payload, attempts in _MINE(conn, me=owner, at_most=at_most)
    ]


def is_any_abandoned(conn: Connection, claim: Claim) -> bool:
    """Return whether a claim of somebody else has run out; writes nothing."""
    rows = _UNCLAIMED(conn, me=claim.owner, now_ms=claim.now_ms, at_most=1)
    return rows.fetchone() is not None


def take_over(conn: Connection, claim: Claim, at_most: int) -> int:
    """Claim what others have left unsent beyond their claim; return how many that were."""
    found = _UNCLAIMED(conn, me=claim.owner, now_ms=claim.now_ms, at_most=at_most).fetchall()
    return sum(
        _CLAIM(
            conn, of_id=id_, me=claim.owner, now_ms=claim.now_ms, until_ms=claim.until_ms
        ).rowcount
        for (id_,) in found
    )


def mark(conn: Connection, sent: Iterable[str], unsent: Iterable[str], claim: Claim) -> None:
    """Record which messages the broker has confirmed, and which were tried in vain."""
    for id_ in sent:
        _MARK_SENT(conn, of_id=id_, now_ms=claim.now_ms)
    for id_ in unsent:
        _MARK_TRIED(conn, of_id=id_, until_ms=claim.until_ms)


def unsent_count(conn: Connection) -> int:
    """Return how many messages are not sent yet."""
    (count,) = _COUNT_UNSENT(conn).fetchone()
    return int(count)


def ledger(conn: Connection, after: int, limit: int) -> Page:
    """Return a page of `/ledger/outbox`."""
    rows = _LEDGER(conn, after=after, at_most=limit + 1).fetchall()
    names = ("seq", "message_id", "order_id", "topic", "sent", "attempts")
    found = [dict(zip(names, row, strict=True)) for row in rows]
    return page_of([row | {"sent": row["sent"] is not None} for row in found], limit=limit)
