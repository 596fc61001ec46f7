"""The orchestrator's two tables, and their rows as values.

`saga_step` is the log: rows are added and never changed. `saga` is its head: what recovery looks
for by column. What a saga learned (the order, what was paid) is read back from the log's answers.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, MetaData, Table, UniqueConstraint, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from .answers import body_of, order_in, paid_in
from .saga import Direction, Entry, Ordered, Paid, Phase, Saga, State, Step


class _Row(SQLModel, registry=registry()):
    """The base of this service's tables: two services in one process must not share metadata."""


class SagaRow(_Row, table=True):
    """The head of a saga, with what its recovery needs to know."""

    __tablename__ = "saga"
    __table_args__ = (
        Index(
            "saga_running",
            "next_at_ms",
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
    )

    seq: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    order_id: str = Field(unique=True)
    user_id: str
    card: str
    client_key: str | None = Field(default=None, unique=True)
    request_hash: str
    state: str
    direction: str
    step: str
    ends_as: str
    reason: str | None = None
    joined: str | None = None
    attempts: int
    fence: int
    lease_until_ms: int
    next_at_ms: int
    created_at_ms: int


class SagaStepRow(_Row, table=True):
    """One line of the log."""

    __tablename__ = "saga_step"
    __table_args__ = (UniqueConstraint("saga_id", "seq"),)

    row: int | None = Field(default=None, primary_key=True)
    saga_id: str = Field(sa_column=Column(ForeignKey("saga.id"), nullable=False))
    order_id: str
    seq: int
    step: str
    phase: str
    key: str
    http_status: int | None = None
    response: str | None = None
    at_ms: int


metadata: MetaData = _Row.metadata


def table_of(row: type[SQLModel]) -> Table:
    """Return the Core table behind a row class."""
    table: Table = row.__table__  # type: ignore[attr-defined]
    return table


SAGAS = table_of(SagaRow)
STEPS = table_of(SagaStepRow)

SAGA_COLUMNS = (
    SAGAS.c.id,
    SAGAS.c.order_id,
    SAGAS.c.user_id,
    SAGAS.c.card,
    SAGAS.c.created_at_ms,
    SAGAS.c.state,
    SAGAS.c.direction,
    SAGAS.c.step,
    SAGAS.c.ends_as,
    SAGAS.c.reason,
    SAGAS.c.joined,
    SAGAS.c.attempts,
    SAGAS.c.fence,
)
STEP_COLUMNS = (STEPS.c.step, STEPS.c.phase, STEPS.c.http_status, STEPS.c.response)


def saga_of(row: Sequence[Any], steps: Sequence[Sequence[Any]]) -> Saga:
    """Read a saga back from its head and its log, oldest line first."""
    log = tuple(
        Entry(step=Step(step), phase=Phase(phase), http_status=http_status, response=response)
        for step, phase, http_status, response in steps
    )
    order, paid = _learned(row[1], log)
    return Saga(
        id=row[0],
        order_id=row[1],
        user_id=row[2],
        card=row[3],
        created_at_ms=row[4],
        state=State(row[5]),
        direction=Direction(row[6]),
        step=Step(row[7]),
        ends_as=State(row[8]),
        reason=row[9],
        joined=row[10],
        attempts=row[11],
        fence=row[12],
        log=log,
        order=order,
        paid=paid,
    )


def _learned(order_id: str, log: tuple[Entry, ...]) -> tuple[Ordered | None, Paid | None]:
    order: Ordered | None = None
    paid: Paid | None = None
    for entry in log:
        body = body_of(entry.response)
        if body is not None:
            order = order_in(body, order_id) or order
            paid = paid_in(body, order_id) or paid
    return order, paid
