"""Payments in the database: the transaction functions `Database.run` takes.

Each takes a Core connection, never awaits and never commits. Writes are conditional on the fence
number the writer holds (R6) and on the phase it left from (R11), so that an owner who slept past
its lease changes nothing.
"""

import json
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection, bindparam, func, select, update

from ..chassis.database import Prepared, upsert
from ..chassis.health import UNDECIDED_SHOWN, Page, Undecided, page_of
from .payment import Payment, Phase, Wanted, is_open, may_move, wire_status, wished
from .tables import COLUMNS, PAYMENTS, payment_of, row_of

_P = PAYMENTS.c

_NEVER_CHANGED = {"id", "order_id", "user_id", "amount_minor", "currency", "card", "created_at_ms"}

_INSERT = Prepared(
    upsert(PAYMENTS)
    .values({column.name: bindparam(column.name) for column in COLUMNS})
    .on_conflict_do_nothing()
)
_UPDATE = Prepared(
    update(PAYMENTS)
    .where(
        _P.id == bindparam("of_id"),
        _P.fence == bindparam("of_fence"),
        _P.phase == bindparam("of_phase"),
        _P.wanted == bindparam("of_wanted"),
    )
    .values(
        {
            column.name: bindparam(column.name)
            for column in COLUMNS
            if column.name not in _NEVER_CHANGED
        }
    )
)
_BY_ID = Prepared(select(*COLUMNS).where(_P.id == bindparam("of_id")))
_OF_ORDER = Prepared(
    select(*COLUMNS).where(_P.order_id == bindparam("of_order")).order_by(_P.seq.desc()).limit(1)
)
_OF_INTENT = Prepared(select(*COLUMNS).where(_P.payment_intent == bindparam("of_intent")).limit(1))
_DUE = Prepared(
    select(*COLUMNS)
    .where(
        _P.next_at_ms.is_not(None),
        _P.next_at_ms <= bindparam("now"),
        _P.lease_until_ms <= bindparam("now"),
    )
    .order_by(_P.next_at_ms)
    .limit(bindparam("at_most"))
)
_OPEN = Prepared(
    select(_P.order_id)
    .where(_P.next_at_ms.is_not(None))
    .order_by(_P.next_at_ms)
    .limit(bindparam("at_most"))
)
_COUNT_OPEN = Prepared(select(func.count()).where(_P.next_at_ms.is_not(None)))
_LEDGER = Prepared(
    select(
        _P.seq,
        _P.order_id,
        _P.phase,
        _P.amount_minor,
        _P.currency,
        _P.payment_intent,
        _P["keys"],
        _P.attempts,
        _P.created_at_ms,
    )
    .where(_P.seq > bindparam("after"))
    .order_by(_P.seq)
    .limit(bindparam("at_most"))
)


def add(connection: Connection, payment: Payment) -> Payment | None:
    """Insert `payment`; return None, or the row that already stands under its id."""
    if _INSERT(connection, **row_of(payment)).rowcount == 1:
        return None
    return by_id(connection, payment.id)


def by_id(connection: Connection, payment_id: str) -> Payment | None:
    """Return the payment called `payment_id`, if any."""
    row = _BY_ID(connection, of_id=payment_id).fetchone()
    return None if row is None else payment_of(row)


def of_order(connection: Connection, order_id: str) -> Payment | None:
    """Return the newest payment of an order, if any."""
    row = _OF_ORDER(connection, of_order=order_id).fetchone()
    return None if row is None else payment_of(row)


def of_intent(connection: Connection, payment_intent: str) -> Payment | None:
    """Return the payment that a PaymentIntent was made for, if it is known here."""
    row = _OF_INTENT(connection, of_intent=payment_intent).fetchone()
    return None if row is None else payment_of(row)


def write(
    connection: Connection,
    before: Payment,
    after: Payment,
    *,
    written: Callable[[], None] | None = None,
) -> Payment | None:
    """Replace `before` by `after` unless another owner moved the row; return what now stands.

    None when the row was moved by somebody else. A caller's wish (`wanted`) may arrive while the
    row is owned; it is kept, and makes the row due. `written` is called between the write and its
    COMMIT. Raises ValueError for a move that is not legal: a bug, never a race.
    """
    if after.phase is not before.phase and not may_move(before.phase, after.phase):
        raise ValueError(f"{before.id}: {before.phase} → {after.phase} is no legal move")
    if not _replace(connection, before, after):
        now = by_id(connection, before.id)
        if now is None or now.fence != before.fence or now.phase is not before.phase:
            return None
        after = replace(after, wanted=now.wanted)
        if after.next_at_ms is None and is_open(after):
            after = replace(after, next_at_ms=now.created_at_ms)
        _replace(connection, now, after)
    if written is not None:
        written()
    return after


def _replace(connection: Connection, before: Payment, after: Payment) -> bool:
    values = {name: value for name, value in row_of(after).items() if name not in _NEVER_CHANGED}
    done = _UPDATE(
        connection,
        of_id=before.id,
        of_fence=before.fence,
        of_phase=before.phase.value,
        of_wanted=before.wanted.value,
        **values,
    )
    return done.rowcount == 1


def want(connection: Connection, wanted: Wanted, tombstone: Payment) -> tuple[Payment, bool]:
    """Record that an order's payment shall be canceled or refunded, seen here before or not.

    Return the row as it then stands and whether this call has just settled it. Never seen: the
    tombstone is inserted. Nothing asked for at the gateway yet: canceled here and now, which is
    fence enough, and takes the row from its owner. Otherwise the wish is left for the next step.
    """
    before = add(connection, tombstone)
    if before is None:
        return tombstone, True
    after = wished(before, wanted, now_ms=tombstone.created_at_ms)
    if after == before:
        return before, False
    _replace(connection, before, after)
    return after, after.phase is not before.phase


def due(connection: Connection, *, now_ms: int, at_most: int) -> list[Payment]:
    """Return payments that want attention and are leased by nobody, longest due first."""
    rows = _DUE(connection, now=now_ms, at_most=at_most).fetchall()
    return [payment_of(row) for row in rows]


def undecided(connection: Connection) -> Undecided:
    """Return what is not settled yet: every row with a time to look again."""
    (count,) = _COUNT_OPEN(connection).fetchone()
    rows = _OPEN(connection, at_most=UNDECIDED_SHOWN).fetchall()
    return Undecided(count=count, ids=[order_id for (order_id,) in rows])


def ledger(connection: Connection, after: int, limit: int) -> Page:
    """Return a page of `/ledger/payments`."""
    rows = _LEDGER(connection, after=after, at_most=limit + 1).fetchall()
    return page_of([_ledger_row(row) for row in rows], limit=limit)


def _ledger_row(
    row: tuple[int, str, str, int, str, str | None, str, int, int],
) -> dict[str, object]:
    seq, order_id, phase, amount_minor, currency, payment_intent, keys, attempts, created = row
    return {
        "seq": seq,
        "order_id": order_id,
        "status": wire_status(Phase(phase)),
        "phase": phase,
        "amount_minor": amount_minor,
        "currency": currency,
        "payment_intent": payment_intent,
        "keys": json.loads(keys),
        "attempts": attempts,
        "created_at_ms": created,
    }
