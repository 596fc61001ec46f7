"""Carts, orders and ledgers in the database: reads, and the reference design's blind writes.

Every function takes a Core connection, never awaits and never commits: `Database.run` does, and
the function is atomic. The hardened commits are in `commits.py`.
"""

from typing import Any

from sqlalchemy import Connection, Integer, Select, bindparam, cast, delete, func, select, update

from ..chassis.database import Prepared, upsert
from ..chassis.health import UNDECIDED_SHOWN, Page, Undecided, page_of
from .cart import MAX_LINES, Cart, Line, merged
from .order import Order, Status
from .tables import (
    CARTS,
    LINES,
    ONE,
    ORDER_COLUMNS,
    ORDERS,
    PENDING,
    insert_into,
    lines_json,
    order_of,
)

_NEW_CART = upsert(CARTS).values(
    user_id=bindparam("user_id"), version=ONE, updated_at_ms=bindparam("now_ms")
)
_TOUCH_CART = Prepared(
    _NEW_CART.on_conflict_do_update(
        index_elements=[CARTS.c.user_id],
        set_={
            "version": CARTS.c.version + ONE,
            "updated_at_ms": _NEW_CART.excluded.updated_at_ms,
        },
    )
)
# One line at most: a rollback may have given back a second one like it. And none an order has
# taken: that is no longer the shopper's to grow.
_LINE_LIKE_IT = select(func.min(LINES.c.id)).where(
    LINES.c.user_id == bindparam("of_user"),
    LINES.c.product_id == bindparam("of_product"),
    LINES.c.price_minor == bindparam("at_price"),
    LINES.c.taken_by.is_(None),
)
_GROW_LINE = Prepared(
    update(LINES)
    .where(LINES.c.id == _LINE_LIKE_IT.scalar_subquery())
    .values(quantity=LINES.c.quantity + bindparam("more"))
)
_ADD_LINE = insert_into(LINES, "user_id", "product_id", "quantity", "price_minor")
_COUNT_LINES = Prepared(
    select(func.count(LINES.c.id)).where(LINES.c.user_id == bindparam("of_user"))
)
_CART = Prepared(select(CARTS.c.updated_at_ms).where(CARTS.c.user_id == bindparam("of_user")))
_LINES_OF = Prepared(
    select(LINES.c.product_id, LINES.c.quantity, LINES.c.price_minor)
    .where(LINES.c.user_id == bindparam("of_user"))
    .order_by(LINES.c.id)
)
_CLEAR_CART = Prepared(delete(LINES).where(LINES.c.user_id == bindparam("of_user")))

_ADD_ORDER = insert_into(
    ORDERS,
    "id",
    "user_id",
    "lines",
    "total_minor",
    "currency",
    "card",
    "status",
    "client_key",
    "cart_claim",
    "charge_key",
    "cancel_wanted",
    "lease_until_ms",
    "fence",
    "next_at_ms",
    "attempts",
    "created_at_ms",
)
_ORDER = Prepared(select(*ORDER_COLUMNS).where(ORDERS.c.id == bindparam("order_id")))
_ORDERS_OF = (
    select(*ORDER_COLUMNS)
    .where(ORDERS.c.user_id == bindparam("of_user"))
    .order_by(ORDERS.c.seq.desc())
    .limit(bindparam("at_most"))
)
_OVERWRITE = Prepared(
    update(ORDERS)
    .where(ORDERS.c.id == bindparam("order_id"))
    .values(status=bindparam("to_status"), reason=bindparam("because"))
)
_UNDECIDED = select(ORDERS.c.id).where(ORDERS.c.status == PENDING)

_ORDERS_LEDGER = (
    select(
        ORDERS.c.seq.label("cursor"),
        ORDERS.c.id.label("order_id"),
        ORDERS.c.user_id,
        ORDERS.c.status,
        ORDERS.c.total_minor,
        ORDERS.c.currency,
        ORDERS.c.client_key,
        ORDERS.c.cancel_wanted,
        ORDERS.c.created_at_ms,
    )
    .where(ORDERS.c.seq > bindparam("after"))
    .order_by(ORDERS.c.seq)
    .limit(bindparam("at_most"))
)
_CARTS_LEDGER = (
    select(
        CARTS.c.seq.label("cursor"),
        CARTS.c.user_id,
        func.count(LINES.c.id).label("lines"),
        cast(func.coalesce(func.sum(LINES.c.quantity * LINES.c.price_minor), 0), Integer).label(
            "total_minor"
        ),
    )
    .select_from(CARTS.outerjoin(LINES, LINES.c.user_id == CARTS.c.user_id))
    .where(CARTS.c.seq > bindparam("after"))
    .group_by(CARTS.c.seq)
    .order_by(CARTS.c.seq)
    .limit(bindparam("at_most"))
)


class CartFull(Exception):
    """The cart holds as many lines as a cart may."""


def add_to_cart(conn: Connection, user_id: str, line: Line, now_ms: int) -> Cart:
    """Put `line` into the cart and return the cart; CartFull beyond `MAX_LINES` lines."""
    _TOUCH_CART(conn, user_id=user_id, now_ms=now_ms)
    grown = _GROW_LINE(
        conn,
        of_user=user_id,
        of_product=line.product_id,
        at_price=line.price_minor,
        more=line.quantity,
    )
    if grown.rowcount == 0:
        (held,) = _COUNT_LINES(conn, of_user=user_id).fetchone()
        if held >= MAX_LINES:
            raise CartFull
        _ADD_LINE(
            conn,
            user_id=user_id,
            product_id=line.product_id,
            quantity=line.quantity,
            price_minor=line.price_minor,
        )
    return cart_of(conn, user_id)


def cart_of(conn: Connection, user_id: str) -> Cart:
    """Return the cart, empty when there is none."""
    touched = _CART(conn, of_user=user_id).fetchone()
    return Cart(
        user_id=user_id,
        lines=lines_of(conn, user_id),
        updated_at_ms=touched[0] if touched else None,
    )


def lines_of(conn: Connection, user_id: str) -> tuple[Line, ...]:
    """Return what is in the cart, equal lines added up."""
    return merged(
        Line(product_id=product_id, quantity=quantity, price_minor=price_minor)
        for product_id, quantity, price_minor in _LINES_OF(conn, of_user=user_id)
    )


def clear_cart(conn: Connection, user_id: str) -> None:
    """Empty the cart, whatever got into it since the order was placed (naive's way)."""
    _CLEAR_CART(conn, of_user=user_id)


def add_order(
    conn: Connection,
    order: Order,
    *,
    client_key: str | None = None,
    cart_claim: str | None = None,
    charge_key: str | None = None,
    fence: int = 0,
    lease_until_ms: int = 0,
) -> None:
    """Record a new order; what only its recovery needs may be left out, as naive does."""
    _ADD_ORDER(
        conn,
        id=order.id,
        user_id=order.user_id,
        lines=lines_json(order.lines),
        total_minor=order.total_minor,
        currency=order.currency,
        card=order.card,
        status=order.status.value,
        client_key=client_key,
        cart_claim=cart_claim,
        charge_key=charge_key,
        cancel_wanted=False,
        lease_until_ms=lease_until_ms,
        fence=fence,
        next_at_ms=order.created_at_ms,
        attempts=0,
        created_at_ms=order.created_at_ms,
    )


def overwrite_status(
    conn: Connection, order_id: str, status: Status, reason: str | None
) -> Order | None:
    """Write `status` over whatever is there (naive's way); None when there is no such order."""
    _OVERWRITE(conn, order_id=order_id, to_status=status.value, because=reason)
    return order_by_id(conn, order_id)


def order_by_id(conn: Connection, order_id: str) -> Order | None:
    """Return the order, or None."""
    row = _ORDER(conn, order_id=order_id).fetchone()
    return None if row is None else order_of(row)


def orders_of(conn: Connection, user_id: str, limit: int) -> list[Order]:
    """Return a shopper's orders, newest first."""
    rows = conn.execute(_ORDERS_OF, {"of_user": user_id, "at_most": limit})
    return [order_of(row) for row in rows]


def undecided(conn: Connection) -> Undecided:
    """Return which orders have not ended."""
    ids = conn.execute(_UNDECIDED).scalars().all()
    return Undecided(count=len(ids), ids=ids[:UNDECIDED_SHOWN])


def orders_ledger(conn: Connection, after: int, limit: int) -> Page:
    """Return a page of what the orders finally say."""
    return _page(conn, _ORDERS_LEDGER, after, limit)


def carts_ledger(conn: Connection, after: int, limit: int) -> Page:
    """Return a page of what is left in the carts, emptied ones included."""
    return _page(conn, _CARTS_LEDGER, after, limit)


def _page(conn: Connection, ledger: Select[Any], after: int, limit: int) -> Page:
    found = conn.execute(ledger, {"after": after, "at_most": limit + 1}).mappings().all()
    return page_of([dict(row) for row in found], limit=limit, cursor="cursor")
