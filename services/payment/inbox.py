"""The inbox: which messages were heard, in the transaction of what they changed.

A delivery that comes again finds its row and changes nothing, whatever became of the first
answer. `consumer` tells the sources apart: their ids are their own.
"""

from sqlalchemy import Connection, bindparam, select

from ..chassis.database import Prepared, upsert
from ..chassis.health import Page, page_of
from .tables import INBOX

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


def is_new(connection: Connection, *, consumer: str, message_id: str, order_id: str | None) -> bool:
    """Note that a message was heard; return whether it is the first time."""
    added = _ADD(connection, consumer=consumer, message_id=message_id, order_id=order_id)
    return added.rowcount == 1


def ledger(connection: Connection, after: int, limit: int) -> Page:
    """Return a page of `/ledger/inbox`."""
    rows = _LEDGER(connection, after=after, at_most=limit + 1).fetchall()
    names = ("seq", "consumer", "message_id", "order_id")
    return page_of([dict(zip(names, row, strict=True)) for row in rows], limit=limit)
