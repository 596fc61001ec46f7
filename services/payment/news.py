"""What order's messages do to a payment, and what payment has to tell: transactions.

Each function is one atomic `Database.run`: the inbox row, the payment's move and the news of it
stand or fall together. `write` is `store.write` with its news, for the machinery of `charging.py`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection

from ..chassis import inbox, outbox
from ..chassis.delivery import Delivery, Unhandled, amount_of, text_of
from ..chassis.health import Undecided
from ..chassis.outbox import Claim, Owed
from . import store
from .payment import UNDECIDED, Charge, Payment, Phase, Wanted, is_open

NO_CARD = ""  # a tombstone charges nothing

_TOLD_AS = {
    Phase.COMPLETED: "payment.completed",
    Phase.FAILED: "payment.failed",
    Phase.CANCELED: "payment.canceled",
    Phase.REFUNDED: "payment.refunded",
}


class Topic(StrEnum):
    """What order tells."""

    PLACED = "order.placed"
    CANCEL_REQUESTED = "order.cancel_requested"
    REFUND_REQUESTED = "order.refund_requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """One message of order's, read; `charge` is there when it asks for one."""

    consumer: str
    message_id: str
    topic: Topic
    order_id: str
    charge: Charge | None = None

    @property
    def wanted(self) -> Wanted:
        """Return what it asks for."""
        match self.topic:
            case Topic.PLACED:
                return Wanted.CHARGE
            case Topic.CANCEL_REQUESTED:
                return Wanted.CANCEL
            case Topic.REFUND_REQUESTED:
                return Wanted.REFUND


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What an effect may write besides the payment: a message of this id, under this claim."""

    message_id: str
    claim: Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """A message's effect: the payment as it then stands, and what this message did to it."""

    payment: Payment
    duplicate: bool = False  # the message was handled before
    recorded: bool = False  # the payment is new, and a charge
    settled: bool = False  # canceled here and now, before anything was asked of the gateway
    told: bool = False  # news of it follow


def read(delivery: Delivery) -> News:
    """Return the news in a delivery; Unhandled when it is none that this service knows."""
    if delivery.message_id is None:
        raise Unhandled("it carries no message id")
    try:
        topic = Topic(delivery.topic)
    except ValueError:
        raise Unhandled(f'nothing is known of the topic "{delivery.topic}"') from None
    document = delivery.document()
    order_id = text_of(document, "orderId")
    charge = None
    if topic is Topic.PLACED:
        charge = Charge(
            order_id=order_id,
            user_id=text_of(document, "userId"),
            amount_minor=amount_of(document, "amountMinor"),
            currency=text_of(document, "currency"),
            card=text_of(document, "paymentMethod"),
        )
    return News(
        consumer=delivery.consumer,
        message_id=delivery.message_id,
        topic=topic,
        order_id=order_id,
        charge=charge,
    )


def record(conn: Connection, news: News, fresh: Payment, turn: Turn) -> Noted:
    """Record the intent of a charge, or meet the row that is there and say how it stands.

    A tombstone is such a row: the cancel overtook the order, and no charge may follow it. Unhandled
    when the order was recorded with another amount, card or user.
    """
    known = store.add(conn, fresh)
    if known is not None and known.card != NO_CARD and known.charge != fresh.charge:
        raise Unhandled(f"order {fresh.order_id} was recorded with another amount, card or user")
    if not inbox.admit(conn, news.consumer, news.message_id, news.order_id):
        return Noted(payment=known or fresh, duplicate=True)
    if known is None:
        return Noted(payment=fresh, recorded=True)
    return Noted(payment=known, told=_tell(conn, known, turn))


def want(conn: Connection, news: News, tombstone: Payment, turn: Turn) -> Noted:
    """Record that no charge shall follow, or that it shall go back, and say how things stand.

    What is undecided, or to be refunded, is told when it is settled.
    """
    if not inbox.admit(conn, news.consumer, news.message_id, news.order_id):
        return Noted(payment=tombstone, duplicate=True)
    payment, settled = store.want(conn, news.wanted, tombstone)
    return Noted(payment=payment, settled=settled, told=_tell(conn, payment, turn))


def write(
    conn: Connection,
    before: Payment,
    after: Payment,
    turn: Turn,
    *,
    written: Callable[[], None] | None = None,
) -> Payment | None:
    """Replace a row as `store.write` does and, if that settled it, put the news beside it."""
    stands = store.write(conn, before, after, written=written)
    if stands is not None and stands.phase is not before.phase:
        _tell(conn, stands, turn)
    return stands


def undecided(conn: Connection) -> Undecided:
    """Return which payments are not settled; messages not sent yet count beside them."""
    payments = store.undecided(conn)
    return Undecided(count=payments.count + outbox.unsent_count(conn), ids=payments.ids)


def _tell(conn: Connection, payment: Payment, turn: Turn) -> bool:
    """Put the news of a settled payment into the outbox; False when it is not settled."""
    if payment.phase in UNDECIDED or is_open(payment):
        return False
    document = {
        "orderId": payment.order_id,
        "amountMinor": payment.amount_minor,
        "currency": payment.currency,
        "code": payment.code,
        "message": payment.message,
    }
    owed = Owed(
        id=turn.message_id,
        order_id=payment.order_id,
        topic=_TOLD_AS[payment.phase],
        payload=json.dumps(document),
    )
    outbox.add(conn, owed, turn.claim)
    return True
