"""psycopg under SQLAlchemy, with a limit on every wait; imported only where PostgreSQL is used.

Takes a URL and a limit, gives an engine whose connections run store functions: no transaction
begins by itself, `int` columns hold 64 bits as SQLite's do, and no statement is waited for longer
than the limit, whether the server can be heard or not.
"""

import itertools
import threading
from collections.abc import Generator, Sequence
from math import ceil
from typing import Any, TypeVar

import psycopg
from psycopg import errors, generators, pq, rows
from sqlalchemy import ClauseElement, Dialect, Engine, Integer, NullPool, create_engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles

from .clock import SystemClock
from .database import Rows, UniqueViolated
from .ids import Ids

GenT = TypeVar("GenT")

_CLOCK = SystemClock()  # psycopg's connections are made without us
_LOOKS_IN_EVERY_S = 0.1
_ENDED_POLL_S = 0.005

_DIALECT: Dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]
_MET_ANOTHER_WRITER = (errors.SerializationFailure, errors.DeadlockDetected)
# SQLSTATE classes and codes after which the fate of a COMMIT is not known (manual, appendix A).
_FATE_UNKNOWN = ("08", "57P", "40003", "XX")


@compiles(Integer, "postgresql")
def _integers_are_64_bits_wide(*_: Any, **__: Any) -> str:
    return "BIGINT"


class NotAnswered(psycopg.OperationalError):
    """The server did not answer within the limit."""


class LimitedConnection(psycopg.Connection[rows.TupleRow]):
    """A connection that waits for no answer longer than `limit_s`; its `name` is its own alone."""

    limit_s: float = 1.0
    name: str = ""

    def say(self, command: bytes) -> str:
        """Run a command that has no parameters and return its tag, such as COMMIT.

        `execute` makes a cursor, a query and a row factory for each, and these are two of the
        four or five statements of a transaction. Raises psycopg.Error.
        """
        self.pgconn.send_query(command)
        (*_, result) = self.wait(generators.execute(self.pgconn))
        if result.status != pq.ExecStatus.COMMAND_OK:
            raise errors.error_from_result(result, encoding="utf-8")
        return str((result.command_status or b"").decode())

    def wait(
        self,
        gen: Generator[Any, Any, GenT],
        interval: float = _LOOKS_IN_EVERY_S,
        timeout: float | None = None,
    ) -> GenT:
        """Drive what psycopg waits for to its end; NotAnswered beyond the limit."""
        try:
            return super().wait(gen, interval, timeout or self.limit_s)
        except errors._WaitTimeout as late:  # noqa: SLF001 - what `Connection.wait` says it raises
            raise NotAnswered(f"no answer within {self.limit_s:g} s") from late


_ENDED = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE application_name = ANY(%s) AND pid <> pg_backend_pid()
"""


def end_sessions(driver: LimitedConnection, names: Sequence[str], limit_s: float) -> None:
    """End the server's side of lost connections: return when none of them can commit any more.

    A COMMIT may still wait in a slow link, or be at work in the server, after its caller was cut
    off; "not there" would then be said too early. Raises NotAnswered beyond the limit.
    """
    until_ms = _CLOCK.monotonic_ms() + limit_s * 1000
    woken = threading.Event()  # never set: what a thread sleeps on
    while driver.execute(_ENDED, [list(names)]).fetchone() != (0,):
        if _CLOCK.monotonic_ms() > until_ms:
            raise NotAnswered(f"a lost session did not end within {limit_s:g} s")
        woken.wait(_ENDED_POLL_S)


def engine_of(url: str, *, limit_ms: float) -> Engine:
    """Return an engine on `url`; each `connect()` opens a connection of its own.

    The server gives up a statement after `limit_ms`, and a transaction it has not heard of for
    twice as long, so that a caller cut off leaves no lock behind.
    """
    options = (
        f"-c statement_timeout={ceil(limit_ms)} "
        f"-c idle_in_transaction_session_timeout={ceil(2 * limit_ms)}"
    )

    process, numbers = Ids().new("db"), itertools.count(1)

    def connect() -> LimitedConnection:
        name = f"{process}-{next(numbers)}"
        connection = LimitedConnection.connect(
            url,
            application_name=name,
            connect_timeout=max(2, ceil(limit_ms / 1000)),  # libpq counts no less than 2 s
            options=options,
            keepalives_idle=1,
            keepalives_interval=1,
            keepalives_count=2,
            tcp_user_timeout=ceil(limit_ms),
        )
        connection.limit_s = limit_ms / 1000
        connection.name = name
        return connection

    return create_engine(
        "postgresql+psycopg://",
        creator=connect,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",  # the driver begins nothing by itself; we do
    )


def compiled(statement: ClauseElement) -> tuple[str, dict[str, Any]]:
    """Return `statement` as psycopg takes it, and the constants in it by their names."""
    made = statement.compile(dialect=_DIALECT)
    binds = getattr(made, "binds", {})
    return str(made), {name: bind.value for name, bind in binds.items() if not bind.required}


def execute(driver: LimitedConnection, sql: str, values: dict[str, Any]) -> Rows:
    """Execute a compiled statement; UniqueViolated is the one error that is translated."""
    try:
        return driver.execute(sql, values)
    except errors.UniqueViolation as error:
        raise unique_violated(error) from error


def unique_violated(error: errors.UniqueViolation) -> UniqueViolated:
    """Return `error` in the words of both databases: `table.column`."""
    told = error.diag
    columns = (told.message_detail or "").partition("(")[2].partition(")")[0]
    names = ", ".join(f"{told.table_name}.{column}" for column in columns.split(", "))
    return UniqueViolated(names)


def cause_of(raised: BaseException) -> BaseException:
    """Return the driver's own error in what SQLAlchemy or `execute` made of it."""
    if isinstance(raised, DBAPIError) and raised.orig is not None:
        return raised.orig
    if isinstance(raised, UniqueViolated) and raised.__cause__ is not None:
        return raised.__cause__
    return raised


def met_another_writer(cause: BaseException) -> bool:
    """Return whether the transaction failed only for having run beside another."""
    return isinstance(cause, _MET_ANOTHER_WRITER)


def is_out_of_reach(cause: BaseException) -> bool:
    """Return whether the connection, and not the statement, is what failed."""
    return isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)


def error_of(cause: BaseException) -> str:
    """Return the `call.ended` name of what ended a transaction (services/README.md, "Events")."""
    if isinstance(cause, NotAnswered | errors.QueryCanceled | psycopg.errors.ConnectionTimeout):
        return "timeout"
    if isinstance(cause, psycopg.Error) and cause.sqlstate is not None:
        return "disconnected" if cause.sqlstate.startswith("57P") else "unreadable"
    return "refused" if "refused" in str(cause) else "disconnected"


def is_certain(cause: psycopg.Error) -> bool:
    """Return whether the server itself said that it did not commit."""
    return cause.sqlstate is not None and not cause.sqlstate.startswith(_FATE_UNKNOWN)
