"""The hardened chapter's transactions: commit A, commit E, and what recovery writes between.

Every transition is a conditional UPDATE on the old state and the writer's fence number (R6, R11),
so a holder that wakes late changes nothing and learns it from the row count. Functions take a
Core connection, never await, never commit: each is one atomic `Database.run`.
"""

from dataclasses import dataclass, replace

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from .answers import Charged
from .cart import MAX_TOTAL_MINOR, Line, merged, total_minor
from .order import Lease, Order, Status
from .replies import cart_empty, key_reused, unpayable
from .store import ADD_ORDER, CARTS, LINES, ORDERS, order_by_id, row_of
from .tables import ClientKeyRow, order_of, table_of

KEYS = table_of(ClientKeyRow)

_BY_KEY = (
    select(KEYS.c.request_hash, ORDERS)
    .join_from(KEYS, ORDERS, KEYS.c.order_id == ORDERS.c.id)
    .where(KEYS.c.client_key == bindparam("the_key"))
)
_BIND_KEY = insert(KEYS)
_CART_LINES = (
    select(
        LINES.c.product_id, LINES.c.quantity, LINES.c.price_minor, LINES.c.taken_by, CARTS.c.version
    )
    .join_from(CARTS, LINES, LINES.c.user_id == CARTS.c.user_id)
    .where(CARTS.c.user_id == bindparam("of_user"))
    .order_by(LINES.c.id)
)
_TAKE_LINES = (
    update(LINES)
    .where(LINES.c.user_id == bindparam("of_user"), LINES.c.taken_by.is_(None))
    .values(taken_by=bindparam("taker"))
)
_DELETE_TAKEN = delete(LINES).where(
    LINES.c.user_id == bindparam("of_user"), LINES.c.taken_by == bindparam("taker")
)
_RELEASE_LINES = (
    update(LINES)
    .where(LINES.c.user_id == bindparam("of_user"), LINES.c.taken_by == bindparam("taker"))
    .values(taken_by=None)
)
_STEP_VERSION = (
    update(CARTS).where(CARTS.c.user_id == bindparam("of_user")).values(version=CARTS.c.version + 1)
)

_PENDING = ORDERS.c.status == Status.PENDING.value
_OURS = (ORDERS.c.id == bindparam("the_order"), ORDERS.c.fence == bindparam("the_fence"), _PENDING)

_CONFIRM = (
    update(ORDERS)
    .where(
        *_OURS,
        ORDERS.c.cancel_wanted.is_(False),
        ORDERS.c.total_minor == bindparam("paid_minor"),
        ORDERS.c.currency == bindparam("paid_currency"),
    )
    .values(status=Status.CONFIRMED.value, lease_until_ms=0)
)
_ROLL_BACK = (
    update(ORDERS)
    .where(*_OURS)
    .values(
        status=bindparam("to_status"),
        reason=bindparam("because"),
        cart_claim=None,
        lease_until_ms=0,
    )
)
_POSTPONE = (
    update(ORDERS)
    .where(*_OURS)
    .values(next_at_ms=bindparam("again_at_ms"), attempts=ORDERS.c.attempts + 1, lease_until_ms=0)
)
_RENEW = update(ORDERS).where(*_OURS).values(lease_until_ms=bindparam("until_ms"))
_WANT_CANCEL = (
    update(ORDERS)
    .where(ORDERS.c.id == bindparam("the_order"), _PENDING, ORDERS.c.cancel_wanted.is_(False))
    .values(cancel_wanted=True, reason=bindparam("because"), next_at_ms=0)
)
_DUE = (
    select(ORDERS)
    .where(
        _PENDING,
        ORDERS.c.next_at_ms <= bindparam("now_ms"),
        ORDERS.c.lease_until_ms <= bindparam("now_ms"),
    )
    .order_by(ORDERS.c.next_at_ms)
    .limit(bindparam("at_most"))
)
_TAKE_LEASE = (
    update(ORDERS)
    .where(*_OURS)
    .values(fence=ORDERS.c.fence + 1, lease_until_ms=bindparam("until_ms"))
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
        found = conn.execute(_BY_KEY, {"the_key": intent.client_key}).mappings().one_or_none()
        if found is not None:
            if found["request_hash"] != intent.request_hash:
                raise key_reused()
            return Known(order=order_of(found))
    rows = conn.execute(_CART_LINES, {"of_user": intent.user_id}).all()
    free = [row for row in rows if row.taken_by is None]
    if rows and not free:
        live = order_by_id(conn, rows[-1].taken_by)
        assert live is not None  # a line is taken and released in its order's own transactions
        _bind_key(conn, intent, live.id)
        return Known(order=live)
    lines = merged(
        Line(product_id=row.product_id, quantity=row.quantity, price_minor=row.price_minor)
        for row in free
    )
    if not lines:
        raise cart_empty()
    return _create(conn, intent, lines, cart_version=free[-1].version)


def confirm(conn: Connection, order: Order, lease: Lease, paid: Charged) -> bool:
    """Commit E (R8): confirmed, if paid in full and not wanted back, and the taken lines deleted.

    False when the order has moved on, is wanted back, was paid otherwise, or the lease is lost.
    """
    terms = {"paid_minor": paid.amount_minor, "paid_currency": paid.currency}
    if conn.execute(_CONFIRM, _writer(lease) | terms).rowcount == 0:
        return False
    conn.execute(_DELETE_TAKEN, {"of_user": order.user_id, "taker": order.id})
    return True


def roll_back(conn: Connection, order: Order, lease: Lease, status: Status, reason: str) -> bool:
    """Commit E's other end: failed or canceled, and the cart given back; False if not ours."""
    ending = {"to_status": status.value, "because": reason}
    if conn.execute(_ROLL_BACK, _writer(lease) | ending).rowcount == 0:
        return False
    conn.execute(_RELEASE_LINES, {"of_user": order.user_id, "taker": order.id})
    conn.execute(_STEP_VERSION, {"of_user": order.user_id})
    return True


def postpone(conn: Connection, lease: Lease, again_at_ms: int) -> bool:
    """Leave the order to the reconciler, not before `again_at_ms`; False if not ours."""
    return conn.execute(_POSTPONE, _writer(lease) | {"again_at_ms": again_at_ms}).rowcount == 1


def renew(conn: Connection, lease: Lease, until_ms: int) -> bool:
    """Hold the lease until then; False when somebody else holds it, or the order has ended."""
    return conn.execute(_RENEW, _writer(lease) | {"until_ms": until_ms}).rowcount == 1


def want_cancel(conn: Connection, order_id: str, reason: str) -> bool:
    """Mark a pending order as wanted back; False if it already is, or is not pending."""
    return conn.execute(_WANT_CANCEL, {"the_order": order_id, "because": reason}).rowcount == 1


def lease_due(conn: Connection, now_ms: int, until_ms: int, at_most: int) -> list[Due]:
    """Take the lease of orders whose recovery is due, oldest first."""
    due = []
    for row in conn.execute(_DUE, {"now_ms": now_ms, "at_most": at_most}).mappings().all():
        seen = Lease(order_id=row["id"], fence=row["fence"])
        conn.execute(_TAKE_LEASE, _writer(seen) | {"until_ms": until_ms})
        lease = replace(seen, fence=seen.fence + 1)
        due.append(Due(order=order_of(row), lease=lease, attempts=row["attempts"]))
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
    lease = Lease(order_id=order.id, fence=1)
    recovery = {
        "client_key": intent.client_key,
        "cart_claim": f"{intent.user_id}:{cart_version}",
        "charge_key": order.charge_key,
        "lease_until_ms": intent.lease_until_ms,
        "fence": lease.fence,
        "next_at_ms": intent.now_ms,
    }
    conn.execute(ADD_ORDER, row_of(order) | recovery)
    conn.execute(_TAKE_LINES, {"of_user": order.user_id, "taker": order.id})
    _bind_key(conn, intent, order.id)
    return Fresh(order=order, lease=lease)


def _bind_key(conn: Connection, intent: Intent, order_id: str) -> None:
    if intent.client_key is None:
        return
    conn.execute(
        _BIND_KEY,
        {
            "client_key": intent.client_key,
            "request_hash": intent.request_hash,
            "order_id": order_id,
        },
    )


def _writer(lease: Lease) -> dict[str, object]:
    return {"the_order": lease.order_id, "the_fence": lease.fence}
