"""The payments table, on the service's own registry, and its rows as values.

Naive knows `id` as a random token, so one order may have many rows; the other strategies derive
it from the order, so that the unique column allows one.
"""

import json
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import Index, MetaData, Table, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from .payment import Payment, Phase, Wanted


class _Base(SQLModel, registry=registry()):
    """The base of this service's tables: two services in one process share no metadata."""


class PaymentRow(_Base, table=True):
    """A payment, with all its recovery needs: keys, fence, lease, when to look again."""

    __tablename__ = "payments"
    __table_args__ = (
        Index("payments_of_order", "order_id"),
        Index(
            "payments_due",
            "next_at_ms",
            sqlite_where=text("next_at_ms IS NOT NULL"),
            postgresql_where=text("next_at_ms IS NOT NULL"),
        ),
        Index(
            "payments_of_intent",
            "payment_intent",
            sqlite_where=text("payment_intent IS NOT NULL"),
            postgresql_where=text("payment_intent IS NOT NULL"),
        ),
    )

    seq: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    order_id: str
    user_id: str
    amount_minor: int
    currency: str
    card: str
    phase: str
    wanted: str
    payment_intent: str | None
    refund: str | None
    keys: str
    create_n: int
    cancel_n: int
    refund_n: int
    confirm_spent: int
    refund_spent: int
    attempts: int
    created_at_ms: int
    next_at_ms: int | None
    fence: int
    lease_until_ms: int
    code: str | None
    message: str | None


PAYMENTS: Table = PaymentRow.__table__  # type: ignore[attr-defined]
METADATA: MetaData = PAYMENTS.metadata

# In the order of Payment's own fields, `seq` left out.
COLUMNS = tuple(column for column in PAYMENTS.c if column.name != "seq")
_NAMES = tuple(column.name for column in COLUMNS)
_fields_of = attrgetter(*_NAMES)


def payment_of(row: Sequence[Any]) -> Payment:
    """Return the row of COLUMNS as a value."""
    values = dict(zip(_NAMES, row, strict=True))
    values["phase"] = Phase(values["phase"])
    values["wanted"] = Wanted(values["wanted"])
    values["keys"] = tuple(json.loads(values["keys"]))
    values["confirm_spent"] = bool(values["confirm_spent"])
    values["refund_spent"] = bool(values["refund_spent"])
    return Payment(**values)


def row_of(payment: Payment) -> dict[str, int | str | None]:
    """Return the value as column values."""
    values: dict[str, Any] = dict(zip(_NAMES, _fields_of(payment), strict=True))
    values["phase"] = payment.phase.value
    values["wanted"] = payment.wanted.value
    values["keys"] = json.dumps(payment.keys)
    values["confirm_spent"] = int(payment.confirm_spent)
    values["refund_spent"] = int(payment.refund_spent)
    return values
