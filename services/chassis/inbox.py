"""The inbox: which messages this service has handled, in the transaction of their effect.

A message may be delivered more than once, after a lost acknowledgement, a redelivery or a repeated
publication; the row decides whether it changes anything. Rows are kept: no redelivery comes later.
`consumer` is the queue a message came by, or `stripe` for a webhook.
"""

from sqlalchemy import Connection, Index, Table, bindparam, select
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from .database import Prepared, upsert
from .health import Page, page_of


class _Row(SQLModel, registry=registry()):
    """A base of its own: whoever hears no messages has no such table."""


class InboxRow(_Row, table=True):
    """A message that was handled: its second delivery meets this row and changes nothing."""

    __tablename__ = "inbox"
    __table_args__ = (Index("inbox_message", "consumer", "message_id", unique=True),)

    seq: int | None = Field(default=None, primary_key=True)
    consumer: str
    message_id: str
    order_id: str | None


metadata = _Row.metadata
INBOX: Table = InboxRow.__table__  # type: ignore[attr-defined]
_I = INBOX.c
_ADD = Prepared(
    upsert(INBOX)
    .values(
        consumer=bindparam("consumer"),
        message_id=bindparam("message_id"),
        order_id=bindparam("order_id"),
    )
    .on_conflict_do_nothing()
)
_LEDGER = Prepared(
    select(_I.seq, _I.consumer, _I.message_id, _I.order_id)
    .where(_I.seq > bindparam("after"))
    .order_by(_I.seq)
    .limit(bindparam("at_most"))
)


def admit(conn: Connection, consumer: str, message_id: str, order_id: str | None) -> bool:
    """Return whether this is the first time; the row stands if the caller's transaction does."""
    added = _ADD(conn, consumer=consumer, message_id=message_id, order_id=order_id)
    return added.rowcount == 1


def ledger(conn: Connection, after: int, limit: int) -> Page:
    """Return a page of `/ledger/inbox`."""
    rows = _LEDGER(conn, after=after, at_most=limit + 1).fetchall()
    names = ("seq", "consumer", "message_id", "order_id")
    return page_of([dict(zip(names, row, strict=True)) for row in rows], limit=limit)
