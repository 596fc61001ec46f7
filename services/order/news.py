"""What payment's news does to an order, and what the order service has to tell: transactions.

Each function is one atomic `Database.run`: the inbox row, the order's move and the messages that
follow from it stand or fall together. Moves are the hardened ones of `commits.py`, conditional on
the old state (R11), so news may come twice, late or in any order.
"""

import json
from dataclasses import dataclass
from enum import StrEnum, auto

from sqlalchemy import Connection, bindparam, select

from ..chassis import inbox, outbox
from ..chassis.database import Prepared
from ..chassis.delivery import Delivery, Unhandled, amount_of, text_of
from ..chassis.health import Undecided
from ..chassis.outbox import Claim, Owed
from . import commits, store
from .answers import Charged
from .commits import Fresh, Intent, Known
from .order import Lease, Order, Status
from .tables import ORDER_COLUMNS, ORDERS, order_of

PLACED = "order.placed"
CANCEL_REQUESTED = "order.cancel_requested"
REFUND_REQUESTED = "order.refund_requested"
UNRESOLVED = "payment_unresolved"
SHOPPER_CANCELED = "shopper_canceled"

_WITH_FENCE = Prepared(
    select(*ORDER_COLUMNS, ORDERS.c.fence).where(ORDERS.c.id == bindparam("order_id"))
)


class Topic(StrEnum):
    """What payment tells; each is final for the payment it tells of, but for `completed`."""

    COMPLETED = "payment.completed"
    FAILED = "payment.failed"
    CANCELED = "payment.canceled"
    REFUNDED = "payment.refunded"


class Effect(StrEnum):
    """What a message did to its order."""

    DUPLICATE = auto()  # handled before
    NONE = auto()  # the order had moved on
    TOLD = auto()  # a message follows
    CONFIRMED = auto()
    FAILED = auto()
    CANCELED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One message of payment's, read; `paid` is there when it says that the order is paid."""

    consumer: str
    message_id: str
    topic: Topic
    order_id: str
    paid: Charged | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What an effect may write besides the order: a message of this id, under this claim."""

    message_id: str
    claim: Claim


def read(delivery: Delivery) -> News:
    """Return the news in a delivery; Unhandled when it is none that this service knows."""
    if delivery.message_id is None:
        raise Unhandled("it carries no message id")
    try:
        topic = Topic(delivery.topic)
    except ValueError:
        raise Unhandled(f'nothing is known of the topic "{delivery.topic}"') from None
    document = delivery.document()
    paid = None
    if topic is Topic.COMPLETED:
        paid = Charged(
            amount_minor=amount_of(document, "amountMinor"), currency=text_of(document, "currency")
        )
    reason = document.get("code")
    return News(
        consumer=delivery.consumer,
        message_id=delivery.message_id,
        topic=topic,
        order_id=text_of(document, "orderId"),
        paid=paid,
        reason=reason if isinstance(reason, str) else None,
    )


def place(conn: Connection, intent: Intent, turn: Turn) -> Fresh | Known:
    """Commit A with its news: a new order and `order.placed`, or the order that is there."""
    admitted = commits.admit(conn, intent)
    if isinstance(admitted, Fresh):
        order = admitted.order
        document = {
            "orderId": order.id,
            "userId": order.user_id,
            "amountMinor": order.total_minor,
            "currency": order.currency,
            "paymentMethod": order.card,
        }
        _tell(conn, order.id, PLACED, document, turn)
    return admitted


def want_cancel(conn: Connection, order_id: str, turn: Turn) -> bool:
    """Record that a shopper wants a pending order back, and ask payment to forbid its charge."""
    if not commits.want_cancel(conn, order_id, SHOPPER_CANCELED):
        return False
    _tell(conn, order_id, CANCEL_REQUESTED, {"orderId": order_id}, turn)
    return True


def sweep(conn: Connection, now_ms: int, again_at_ms: int, turns: tuple[Turn, ...]) -> list[str]:
    """Ask payment again about orders that are pending too long, one turn each; return which.

    Asking is all: only payment's answer moves an order, and a charge that was made goes forward.
    """
    asked = []
    due = commits.lease_due(conn, now_ms, now_ms, len(turns))
    for late, turn in zip(due, turns, strict=False):
        _tell(conn, late.order.id, CANCEL_REQUESTED, {"orderId": late.order.id}, turn)
        commits.postpone(conn, late.lease, again_at_ms)
        asked.append(late.order.id)
    return asked


def apply(conn: Connection, news: News, turn: Turn) -> Effect:
    """Do what the news means, once; Unhandled when it contradicts the order, or there is none."""
    row = _WITH_FENCE(conn, order_id=news.order_id).fetchone()
    if row is None:
        raise Unhandled(f"there is no order {news.order_id}")
    order, lease = order_of(row), Lease(order_id=news.order_id, fence=row[-1])
    if news.paid is not None and not _is_in_full(order, news.paid):
        raise Unhandled(
            f"{news.paid.amount_minor} {news.paid.currency} are said to be paid, "
            f"{order.total_minor} {order.currency} are due"
        )
    if not inbox.admit(conn, news.consumer, news.message_id, news.order_id):
        return Effect.DUPLICATE
    if news.paid is not None:
        return _go_forward(conn, order, lease, news.paid, turn)
    failed = news.topic is Topic.FAILED and not order.cancel_wanted
    status = Status.FAILED if failed else Status.CANCELED
    reason = order.reason or (news.reason or "payment_failed" if failed else UNRESOLVED)
    if not commits.roll_back(conn, order, lease, status, reason):
        return Effect.NONE
    return Effect.FAILED if failed else Effect.CANCELED


def undecided(conn: Connection) -> Undecided:
    """Return which orders have not ended; messages not sent yet count beside them."""
    orders = store.undecided(conn)
    return Undecided(count=orders.count + outbox.unsent_count(conn), ids=orders.ids)


def _go_forward(conn: Connection, order: Order, lease: Lease, paid: Charged, turn: Turn) -> Effect:
    """Confirm a paid order (R8); one that cannot be confirmed any more is paid back (R10)."""
    if commits.confirm(conn, order, lease, paid):
        return Effect.CONFIRMED
    if order.status is Status.CONFIRMED:
        return Effect.NONE
    _tell(conn, order.id, REFUND_REQUESTED, {"orderId": order.id}, turn)
    return Effect.TOLD


def _is_in_full(order: Order, paid: Charged) -> bool:
    return (paid.amount_minor, paid.currency) == (order.total_minor, order.currency)


def _tell(
    conn: Connection, order_id: str, topic: str, document: dict[str, object], turn: Turn
) -> None:
    owed = Owed(id=turn.message_id, order_id=order_id, topic=topic, payload=json.dumps(document))
    outbox.add(conn, owed, turn.claim)
