"""The hardened chapter's transactions: commit A, commit E, and what recovery writes between.

Every transition is a conditional UPDATE on the old state and the writer's fence number (R6, R11),
so a holder that wakes late changes nothing and learns it from the row count. Functions take a
Core connection, never await, never commit: each is one atomic `Database.run`.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, false, null, select, true, update

from ..chassis.database import Prepared
from .answers import Charged
from .cart import MAX_TOTAL_MINOR, Line, merged, total_minor
from .order import Lease, Order, Status
from .replies import cart_empty, key_reused, unpayable
from .store import add_order, order_by_id
from .tables import (
    CARTS,
    CONFIRMED,
    KEYS,
    LINES,
    ONE,
    ORDER_COLUMNS,
    ORDERS,
    PENDING,
    ZERO,
    insert_into,
    order_of,
)

_BY_KEY = Prepared(
    select(*ORDER_COLUMNS, KEYS.c.request_hash)
    .join_from(KEYS, ORDERS, KEYS.c.order_id == ORDERS.c.id)
    .where(KEYS.c.client_key == bindparam("the_key"))
)
_BIND_KEY = insert_into(KEYS, "client_key", "request_hash", "order_id")
_CART_LINES = Prepared(
    select(
        LINES.c.product_id, LINES.c.quantity, LINES.c.price_minor, LINES.c.taken_by, CARTS.c.version
    )
    .join_from(CARTS, LINES, LINES.c.user_id == CARTS.c.user_id)
    .where(CARTS.c.user_id == bindparam("of_user"))
    .order_by(LINES.c.id)
)
_TAKE_LINES = Prepared(
    update(LINES)
    .where(LINES.c.user_id == bindparam("of_user"), LINES.c.taken_by.is_(None))
    .values(taken_by=bindparam("taker"))
)
_TAKEN = (LINES.c.user_id == bindparam("of_user"), LINES.c.taken_by == bindparam("taker"))
_DELETE_TAKEN = Prepared(delete(LINES).where(*_TAKEN))
_RELEASE_TAKEN = Prepared(update(LINES).where(*_TAKEN).values(taken_by=null()))
_STEP_VERSION = Prepared(
    update(CARTS)
    .where(CARTS.c.user_id == bindparam("of_user"))
    .values(version=CARTS.c.version + ONE)
)

_IS_PENDING = ORDERS.c.status == PENDING
_OURS = (
    ORDERS.c.id == bindparam("order_id"),
    ORDERS.c.fence == bindparam("our_fence"),
    _IS_PENDING,
)
_CONFIRM = Prepared(
    update(ORDERS)
    .where(
        *_OURS,
        ORDERS.c.cancel_wanted.is_(false()),
        ORDERS.c.total_minor == bindparam("paid_minor"),
        ORDERS.c.currency == bindparam("paid_currency"),
    )
    .values(status=CONFIRMED, lease_until_ms=ZERO)
)
_ROLL_BACK = Prepared(
    update(ORDERS)
    .where(*_OURS)
    .values(
        status=bindparam("to_status"),
        reason=bindparam("because"),
        cart_claim=null(),
        lease_until_ms=ZERO,
    )
)
_POSTPONE = Prepared(
    update(ORDERS)
    .where(*_OURS)
    .values(
        next_at_ms=bindparam("again_at_ms"),
        attempts=ORDERS.c.attempts + ONE,
        lease_until_ms=ZERO,
    )
)
_RENEW = Prepared(update(ORDERS).where(*_OURS).values(lease_until_ms=bindparam("until_ms")))
_WANT_CANCEL = Prepared(
    update(ORDERS)
    .where(ORDERS.c.id == bindparam("order_id"), _IS_PENDING, ORDERS.c.cancel_wanted.is_(false()))
    .values(cancel_wanted=true(), reason=bindparam("because"), next_at_ms=ZERO)
)
_DUE = (
    select(*ORDER_COLUMNS, ORDERS.c.fence, ORDERS.c.attempts)
    .where(
        _IS_PENDING,
        ORDERS.c.next_at_ms <= bindparam("now_ms"),
        ORDERS.c.lease_until_ms <= bindparam("now_ms"),
    )
    .order_by(ORDERS.c.next_at_ms)
    .limit(bindparam("at_most"))
)
_TAKE_LEASE = Prepared(
    update(ORDERS)
    .where(*_OURS)
    .values(fence=ORDERS.c.fence + ONE, lease_until_ms=bindparam("until_ms"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What a shopper asks for, and what it is to be called if it is new."""

    order_id: str
    user_id: str
    card: str
    client_key: str | None
    request_hash: str
    now_ms: int
    lease_until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """Commit A wrote a new order, leased to its writer."""

    order: Order
    lease: Lease


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An order already answers this request."""

    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A pending order whose recovery is due, leased to whoever read it."""

    order: Order
    lease: Lease
    attempts: int


def admit(conn: Connection, intent: Intent) -> Fresh | Known:
    """Commit A: one live order for this key and this cart; ServiceError when there can be none.

    The same key and body give the order of that key, whatever became of it; a new key on a cart
    whose lines a live order holds gives that order, and is bound to it from now on.
    """
    if intent.client_key is not None:
        found = _BY_KEY(conn, the_key=intent.client_key).fetchone()
        if found is not None:
            if found[-1] != intent.request_hash:
                raise key_reused()
            return Known(order=order_of(found))
    rows = _CART_LINES(conn, of_user=intent.user_id).fetchall()
    free = [row for row in rows if row[3] is None]
    if rows and not free:
        live = order_by_id(conn, rows[-1][3])
        assert live is not None  # a line is taken and released in its order's own transactions
        _bind_key(conn, intent, live.id)
        return Known(order=live)
    if not free:
        raise cart_empty()
    lines = merged(
        Line(product_id=product_id, quantity=quantity, price_minor=price_minor)
        for product_id, quantity, price_minor, _, _ in free
    )
    return _create(conn, intent, lines, cart_version=free[-1][-1])


def first_lease(order_id: str) -> Lease:
    """Return the lease that commit A gives to its writer."""
    return Lease(order_id=order_id, fence=1)


def confirm(conn: Connection, order: Order, lease: Lease, paid: Charged) -> bool:
    """Commit E (R8): confirmed, if paid in full and not wanted back, and the taken lines deleted.

    False when the order has moved on, is wanted back, was paid otherwise, or the lease is lost.
    """
    confirmed = _CONFIRM(
        conn,
        order_id=lease.order_id,
        our_fence=lease.fence,
        paid_minor=paid.amount_minor,
        paid_currency=paid.currency,
    )
    if confirmed.rowcount == 0:
        return False
    _DELETE_TAKEN(conn, of_user=order.user_id, taker=order.id)
    return True


def roll_back(conn: Connection, order: Order, lease: Lease, status: Status, reason: str) -> bool:
    """Commit E's other end: failed or canceled, and the cart given back; False if not ours."""
    ended = _ROLL_BACK(
        conn,
        order_id=lease.order_id,
        our_fence=lease.fence,
        to_status=status.value,
        because=reason,
    )
    if ended.rowcount == 0:
        return False
    _RELEASE_TAKEN(conn, of_user=order.user_id, taker=order.id)
    _STEP_VERSION(conn, of_user=order.user_id)
    return True


def postpone(conn: Connection, lease: Lease, again_at_ms: int) -> bool:
    """Leave the order to the reconciler, not before `again_at_ms`; False if not ours."""
    put_off = _POSTPONE(
        conn, order_id=lease.order_id, our_fence=lease.fence, again_at_ms=again_at_ms
    )
    return put_off.rowcount == 1


def renew(conn: Connection, lease: Lease, until_ms: int) -> bool:
    """Hold the lease until then; False when somebody else holds it, or the order has ended."""
    renewed = _RENEW(conn, order_id=lease.order_id, our_fence=lease.fence, until_ms=until_ms)
    return renewed.rowcount == 1


def want_cancel(conn: Connection, order_id: str, reason: str) -> bool:
    """Mark a pending order as wanted back; False if it already is, or is not pending."""
    return _WANT_CANCEL(conn, order_id=order_id, because=reason).rowcount == 1


def is_any_due(conn: Connection, now_ms: int) -> bool:
    """Return whether `lease_due` would find something; writes nothing, so takes no write lock."""
    return conn.execute(_DUE, {"now_ms": now_ms, "at_most": 1}).first() is not None


def lease_due(conn: Connection, now_ms: int, until_ms: int, at_most: int) -> list[Due]:
    """Take the lease of orders whose recovery is due, oldest first."""
    due = []
    for row in conn.execute(_DUE, {"now_ms": now_ms, "at_most": at_most}).all():
        order, fence, attempts = order_of(row), row[-2], row[-1]
        _TAKE_LEASE(conn, order_id=order.id, our_fence=fence, until_ms=until_ms)
        lease = Lease(order_id=order.id, fence=fence + 1)
        due.append(Due(order=order, lease=lease, attempts=attempts))
    return due


def _create(
    conn: Connection, intent: Intent, lines: tuple[Line, ...], *, cart_version: int
) -> Fresh:
    total = total_minor(lines)
    if not 1 <= total <= MAX_TOTAL_MINOR:
        raise unpayable(total, MAX_TOTAL_MINOR)
    order = Order(
        id=intent.order_id,
        user_id=intent.user_id,
        lines=lines,
        total_minor=total,
        currency="usd",
        card=intent.card,
        status=Status.PENDING,
        created_at_ms=intent.now_ms,
    )
    lease = first_lease(order.id)
    add_order(
        conn,
        order,
        client_key=intent.client_key,
        cart_claim=f"{intent.user_id}:{cart_version}",
        charge_key=order.charge_key,
        fence=lease.fence,
        lease_until_ms=intent.lease_until_ms,
    )
    _TAKE_LINES(conn, of_user=order.user_id, taker=order.id)
    _bind_key(conn, intent, order.id)
    return Fresh(order=order, lease=lease)


def _bind_key(conn: Connection, intent: Intent, order_id: str) -> None:
    if intent.client_key is not None:
        _BIND_KEY(
            conn,
            client_key=intent.client_key,
            request_hash=intent.request_hash,
            order_id=order_id,
        )
