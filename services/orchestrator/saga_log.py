"""The durable log: the transaction functions `Database.run` takes.

Every write after the first is conditional on the fence number its writer holds and on the saga
still running (R6, R11), and the log grows only with it: an owner who slept past its lease
changes nothing, and learns it. Functions take a Core connection, never await, never commit.
"""

from dataclasses import dataclass, replace

from sqlalchemy import Connection, bindparam, func, insert, literal_column, select, update

from ..chassis.database import Prepared
from ..chassis.health import UNDECIDED_SHOWN, Page, Undecided, page_of
from .moves import Move
from .replies import key_reused
from .saga import Entry, Phase, Saga, State, key_of
from .tables import SAGA_COLUMNS, SAGAS, STEP_COLUMNS, STEPS, saga_of

_S = SAGAS.c
_RUNNING = _S.state == literal_column(f"'{State.RUNNING}'")
_SAGA_FIELDS = [column.name for column in SAGAS.c if column.name != "seq"]
_STEP_FIELDS = [column.name for column in STEPS.c if column.name != "row"]

_ADD = Prepared(insert(SAGAS).values({name: bindparam(name) for name in _SAGA_FIELDS}))
_LOG = Prepared(insert(STEPS).values({name: bindparam(name) for name in _STEP_FIELDS}))
_BY_KEY = Prepared(
    select(*SAGA_COLUMNS, _S.request_hash).where(_S.client_key == bindparam("the_key"))
)
_BY_ID = Prepared(select(*SAGA_COLUMNS).where(_S.id == bindparam("of_id")))
_BY_ORDER = Prepared(select(*SAGA_COLUMNS).where(_S.order_id == bindparam("of_order")))
_STEPS_OF = Prepared(
    select(*STEP_COLUMNS).where(STEPS.c.saga_id == bindparam("of_id")).order_by(STEPS.c.seq)
)
_OURS = (_S.id == bindparam("of_id"), _S.fence == bindparam("our_fence"), _RUNNING)
_MOVE = Prepared(
    update(SAGAS)
    .where(*_OURS)
    .values(
        state=bindparam("to_state"),
        direction=bindparam("to_direction"),
        step=bindparam("to_step"),
        ends_as=bindparam("to_ends_as"),
        reason=bindparam("because"),
        joined=bindparam("to_joined"),
        attempts=bindparam("to_attempts"),
        lease_until_ms=bindparam("until_ms"),
        next_at_ms=bindparam("again_at_ms"),
    )
)
# A key whose request came to nothing is the shopper's to use again, as if it had not been sent.
_RELEASE_KEY = Prepared(
    update(SAGAS).where(_S.id == bindparam("of_id")).values(client_key=bindparam("no_key"))
)
_DUE = Prepared(
    select(*SAGA_COLUMNS)
    .where(
        _RUNNING,
        _S.next_at_ms <= bindparam("now_ms"),
        _S.lease_until_ms <= bindparam("now_ms"),
    )
    .order_by(_S.next_at_ms)
    .limit(bindparam("at_most"))
)
_TAKE_LEASE = Prepared(
    update(SAGAS)
    .where(*_OURS, _S.lease_until_ms <= bindparam("now_ms"))
    .values(fence=bindparam("new_fence"), lease_until_ms=bindparam("until_ms"))
)
_COUNT_OPEN = Prepared(select(func.count()).select_from(SAGAS).where(_RUNNING))
_OPEN = Prepared(select(_S.order_id).where(_RUNNING).order_by(_S.seq).limit(bindparam("at_most")))
_SAGAS_LEDGER = Prepared(
    select(
        _S.seq,
        _S.id,
        _S.order_id,
        _S.user_id,
        _S.state,
        _S.direction,
        _S.step,
        _S.reason,
        _S.attempts,
        _S.fence,
        _S.created_at_ms,
    )
    .where(_S.seq > bindparam("after"))
    .order_by(_S.seq)
    .limit(bindparam("at_most"))
)
_SAGAS_SHOWN = (
    "cursor",
    "saga_id",
    "order_id",
    "user_id",
    "state",
    "direction",
    "step",
    "reason",
    "attempts",
    "fence",
    "created_at_ms",
)
_STEPS_LEDGER = Prepared(
    select(
        STEPS.c.row,
        STEPS.c.saga_id,
        STEPS.c.order_id,
        STEPS.c.seq,
        STEPS.c.step,
        STEPS.c.phase,
        STEPS.c.key,
        STEPS.c.http_status,
        STEPS.c.at_ms,
    )
    .where(STEPS.c.row > bindparam("after"))
    .order_by(STEPS.c.row)
    .limit(bindparam("at_most"))
)
_STEPS_SHOWN = (
    "cursor",
    "saga_id",
    "order_id",
    "seq",
    "step",
    "phase",
    "key",
    "http_status",
    "at_ms",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a shopper asks for under which key, and the saga it becomes if it is new."""

    saga: Saga
    client_key: str | None
    request_hash: str
    lease_until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """The saga is committed, its first step STARTED, and leased to its writer."""

    saga: Saga


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A saga already answers this request."""

    saga: Saga


def admit(conn: Connection, wish: Wish) -> Fresh | Known:
    """Write a new saga with its first step, or return the one of this key.

    422 when the key stands for another body. UniqueViolated when another writer was faster.
    """
    if wish.client_key is not None:
        found = _BY_KEY(conn, the_key=wish.client_key).fetchone()
        if found is not None:
            if found[-1] != wish.request_hash:
                raise key_reused()
            return Known(saga=_whole(conn, found[:-1]))
    saga = wish.saga
    _ADD(
        conn,
        id=saga.id,
        order_id=saga.order_id,
        user_id=saga.user_id,
        card=saga.card,
        client_key=wish.client_key,
        request_hash=wish.request_hash,
        state=saga.state.value,
        direction=saga.direction.value,
        step=saga.step.value,
        ends_as=saga.ends_as.value,
        reason=None,
        joined=None,
        attempts=0,
        fence=saga.fence,
        lease_until_ms=wish.lease_until_ms,
        next_at_ms=saga.created_at_ms,
        created_at_ms=saga.created_at_ms,
    )
    started = Entry(step=saga.step, phase=Phase.STARTED)
    _write_log(conn, saga, (started,), at_ms=saga.created_at_ms, since=0)
    return Fresh(saga=saga.logged(started))


def record(
    conn: Connection, move: Move, *, now_ms: int, lease_until_ms: int, next_at_ms: int
) -> bool:
    """Write one move; False when the saga is no longer its writer's."""
    after = move.after
    done = _MOVE(
        conn,
        of_id=after.id,
        our_fence=after.fence,
        to_state=after.state.value,
        to_direction=after.direction.value,
        to_step=after.step.value,
        to_ends_as=after.ends_as.value,
        because=after.reason,
        to_joined=after.joined,
        to_attempts=after.attempts,
        until_ms=lease_until_ms,
        again_at_ms=next_at_ms,
    )
    if done.rowcount == 0:
        return False
    _write_log(conn, after, move.added, at_ms=now_ms, since=len(move.before.log))
    if after.has_ended and after.came_to_nothing:
        _RELEASE_KEY(conn, of_id=after.id, no_key=None)
    return True


def by_id(conn: Connection, saga_id: str) -> Saga | None:
    """Return the saga of this id, if any."""
    row = _BY_ID(conn, of_id=saga_id).fetchone()
    return None if row is None else _whole(conn, row)


def by_order(conn: Connection, order_id: str) -> Saga | None:
    """Return the saga of this order, if any."""
    row = _BY_ORDER(conn, of_order=order_id).fetchone()
    return None if row is None else _whole(conn, row)


def is_any_due(conn: Connection, now_ms: int) -> bool:
    """Return whether `lease_due` would find something; writes nothing, so takes no write lock."""
    return _DUE(conn, now_ms=now_ms, at_most=1).fetchone() is not None


def lease_due(conn: Connection, now_ms: int, until_ms: int, at_most: int) -> list[Saga]:
    """Take the lease of running sagas that are due and nobody's, longest due first."""
    taken = []
    for row in _DUE(conn, now_ms=now_ms, at_most=at_most).fetchall():
        saga = _whole(conn, row)
        mine = replace(saga, fence=saga.fence + 1)
        done = _TAKE_LEASE(
            conn,
            of_id=saga.id,
            our_fence=saga.fence,
            new_fence=mine.fence,
            now_ms=now_ms,
            until_ms=until_ms,
        )
        if done.rowcount == 1:
            taken.append(mine)
    return taken


def undecided(conn: Connection) -> Undecided:
    """Return the orders whose sagas have not ended."""
    (count,) = _COUNT_OPEN(conn).fetchone()
    ids = [order_id for (order_id,) in _OPEN(conn, at_most=UNDECIDED_SHOWN)]
    return Undecided(count=count, ids=ids)


def sagas_ledger(conn: Connection, after: int, limit: int) -> Page:
    """Return a page of what became of the sagas."""
    rows = _SAGAS_LEDGER(conn, after=after, at_most=limit + 1).fetchall()
    found = [dict(zip(_SAGAS_SHOWN, row, strict=True)) for row in rows]
    return page_of(found, limit=limit, cursor="cursor")


def steps_ledger(conn: Connection, after: int, limit: int) -> Page:
    """Return a page of the log, as it was written."""
    rows = _STEPS_LEDGER(conn, after=after, at_most=limit + 1).fetchall()
    found = [dict(zip(_STEPS_SHOWN, row, strict=True)) for row in rows]
    return page_of(found, limit=limit, cursor="cursor")


def _whole(conn: Connection, row: tuple[object, ...]) -> Saga:
    return saga_of(row, _STEPS_OF(conn, of_id=str(row[0])).fetchall())


def _write_log(
    conn: Connection, saga: Saga, added: tuple[Entry, ...], *, at_ms: int, since: int
) -> None:
    for seq, entry in enumerate(added, since + 1):
        _LOG(
            conn,
            saga_id=saga.id,
            order_id=saga.order_id,
            seq=seq,
            step=entry.step.value,
            phase=entry.phase.value,
            key=key_of(saga.order_id, entry.step),
            http_status=entry.http_status,
            response=entry.response,
            at_ms=at_ms,
        )
