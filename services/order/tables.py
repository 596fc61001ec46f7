"""The order service's tables, on a registry of their own, and rows read back as values.

Statements elsewhere are Core ones on these tables, the hot ones `Prepared`: an ORM session costs
twice the processor time of the statement it wraps, and gives nothing to a service that reads and
writes single rows. A prepared statement knows no values, so constants are literal columns here.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnClause,
    ForeignKey,
    Index,
    Table,
    bindparam,
    insert,
    literal_column,
    text,
)
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from ..chassis.database import Prepared
from .cart import Line
from .order import Order, Status


class _Row(SQLModel, registry=registry()):
    """The base of this service's tables: two services in one process must not share metadata."""


class CartRow(_Row, table=True):
    """A shopper's cart; its version steps whenever the lines free to be ordered change."""

    __tablename__ = "carts"

    seq: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(unique=True)
    version: int
    updated_at_ms: int


class CartLineRow(_Row, table=True):
    """A line of a cart; `taken_by` names the live order that holds it (never set by naive)."""

    __tablename__ = "cart_lines"

    id: int | None = Field(default=None, primary_key=True)
    user_id: str = Field(index=True)
    product_id: str
    quantity: int
    price_minor: int
    taken_by: str | None = None


class OrderRow(_Row, table=True):
    """An order, with what its recovery needs to know."""

    __tablename__ = "orders"
    __table_args__ = (
        Index("orders_of_user", "user_id"),
        Index(
            "orders_pending",
            "next_at_ms",
            sqlite_where=text("status = 'pending'"),
            postgresql_where=text("status = 'pending'"),
        ),
    )

    seq: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    user_id: str
    lines: str
    total_minor: int
    currency: str
    card: str
    status: str
    reason: str | None = None
    client_key: str | None = None
    # One live order per cart version; released by a rollback (NULLs are distinct).
    cart_claim: str | None = Field(default=None, unique=True)
    charge_key: str | None = None
    cancel_wanted: bool = False
    lease_until_ms: int = 0
    fence: int = 0
    next_at_ms: int = 0
    attempts: int = 0
    created_at_ms: int


class ClientKeyRow(_Row, table=True):
    """Which order answers a shopper's idempotency key, and for which body.

    Apart from `orders`, because a new key on a claimed cart is bound to the live order too.
    """

    __tablename__ = "client_keys"

    client_key: str = Field(primary_key=True)
    request_hash: str
    order_id: str = Field(sa_column=Column(ForeignKey("orders.id"), nullable=False))


class AppliedRow(_Row, table=True):
    """What a step of a saga answered, under its key: written with its effect."""

    __tablename__ = "applied"

    key: str = Field(primary_key=True)
    request_hash: str
    http_status: int
    response: str


metadata = _Row.metadata

ONE: ColumnClause[Any] = literal_column("1")
ZERO: ColumnClause[Any] = literal_column("0")
PENDING: ColumnClause[Any] = literal_column(f"'{Status.PENDING}'")
CONFIRMED: ColumnClause[Any] = literal_column(f"'{Status.CONFIRMED}'")


def table_of(row: type[SQLModel]) -> Table:
    """Return the Core table behind a row class."""
    table: Table = row.__table__  # type: ignore[attr-defined]
    return table


CARTS = table_of(CartRow)
LINES = table_of(CartLineRow)
ORDERS = table_of(OrderRow)
KEYS = table_of(ClientKeyRow)
APPLIED = table_of(AppliedRow)

ORDER_COLUMNS = (
    ORDERS.c.id,
    ORDERS.c.user_id,
    ORDERS.c.lines,
    ORDERS.c.total_minor,
    ORDERS.c.currency,
    ORDERS.c.card,
    ORDERS.c.status,
    ORDERS.c.created_at_ms,
    ORDERS.c.cancel_wanted,
    ORDERS.c.reason,
)


def insert_into(table: Table, *columns: str) -> Prepared:
    """Return the prepared INSERT of exactly these columns."""
    return Prepared(insert(table).values({column: bindparam(column) for column in columns}))


def lines_json(lines: Iterable[Line]) -> str:
    """Return lines as the snapshot an order keeps."""
    return json.dumps([[line.product_id, line.quantity, line.price_minor] for line in lines])


def order_of(row: Sequence[Any]) -> Order:
    """Read an order back from a row that begins with `ORDER_COLUMNS`."""
    order_id, user_id, lines, total_minor, currency, card, status, at_ms, wanted, reason = row[:10]
    return Order(
        id=order_id,
        user_id=user_id,
        lines=tuple(
            Line(product_id=product_id, quantity=quantity, price_minor=price_minor)
            for product_id, quantity, price_minor in json.loads(lines)
        ),
        total_minor=total_minor,
        currency=currency,
        card=card,
        status=Status(status),
        created_at_ms=at_ms,
        cancel_wanted=bool(wanted),
        reason=reason,
    )
