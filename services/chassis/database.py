"""The seam between a service and its database: SQLite or PostgreSQL, by `<PREFIX>DATABASE_URL`.

Takes store functions `fn(connection, …)` and gives their value once it is durable. A store
function takes a SQLAlchemy Core `Connection`, never awaits, never commits: `run` is one
transaction on one snapshot. On SQLite it is the only writer. On PostgreSQL others run beside it;
one that writes what another wrote meanwhile is run again, from the start, on a new snapshot.

How to write statements that run on both:

- Build them with Core, wrap the hot ones in `Prepared`, give every bind parameter by its name.
- Insert-or-else is `upsert(table)….on_conflict_do_nothing()` or `….on_conflict_do_update(…)`;
  count `rowcount` afterwards. Nothing of `sqlalchemy.dialects`, no `OR IGNORE`, no `rowid`.
- A ledger's cursor is `seq: int | None = Field(default=None, primary_key=True)`: it counts up on
  both; what was the natural key is `unique=True` then. Never `lastrowid`: select it, by a key.
- `int` columns hold 64 bits on both, so milliseconds need nothing. `bool` columns take `True`
  and `False` as values, `true()`, `false()` and `.is_(false())` in statements; never 0 and 1.
- A partial index names its condition twice: `sqlite_where=` and `postgresql_where=`.
- NULLs are distinct in a unique column on both.
- `sum(…)` of integers is a decimal in PostgreSQL: `cast(func.sum(…), Integer)`.
- `SELECT` gives no order of its own: say `order_by`.
- A unique constraint raises `UniqueViolated`. Catch it around `run`, never inside a store
  function: PostgreSQL has by then given up the transaction.
- Two functions that must exclude each other write one row in common, or a common value of a unique
  column. Having *read* what the other writes is not enough on PostgreSQL (write skew).
- A function may run twice (PostgreSQL, when it met another writer) and runs in a thread there:
  it touches nothing but the connection and its arguments. What must be told between a write and
  its COMMIT goes through `EventLog.emit`, which may be called from there.

After DatabaseUnavailable with `definite=False` the transaction may or may not stand: `reread`
before acting on it (docs/rules.md R9).
"""

import asyncio
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import ClauseElement, Connection, MetaData
from sqlalchemy.dialects.postgresql import insert as upsert  # compiles for SQLite word for word
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from .errors import DatabaseUnavailable
from .logs import EventLog

__all__ = ["Database", "DatabaseSettings", "Prepared", "Rows", "UniqueViolated", "upsert"]

P = ParamSpec("P")
T = TypeVar("T")

REREAD_LIMIT_MS = 2000.0
_REREAD_EVERY_S = 0.05
_UNIQUE_CODES = (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)


class UniqueViolated(Exception):
    """A write would have doubled what must be unique; the message names it: `orders.cart_claim`."""


class DatabaseSettings(Protocol):
    """What a database is told of a service's settings."""

    @property
    def service(self) -> str:
        """The service's name, and so its link's: `<service>_to_database`."""

    @property
    def database(self) -> str:
        """The path of a SQLite file, or `:memory:`."""

    @property
    def database_url(self) -> str:
        """`postgresql://…`, or empty for SQLite."""

    def scaled(self, ms: float) -> float:
        """Return a budget of `ms` milliseconds as this run counts them."""


class Rows(Protocol):
    """What a prepared statement gave: rows as plain tuples, or how many it changed."""

    @property
    def rowcount(self) -> int:
        """How many rows were written."""

    def fetchone(self) -> Any:
        """Return the next row, or None."""

    def fetchall(self) -> list[Any]:
        """Return all rows left."""

    def __iter__(self) -> Iterator[Any]:
        """Yield the rows left."""


class Prepared:
    """A Core statement compiled once for each database, with named `bindparam`s, run by the driver.

    A fifth of the CPU of `connection.execute` (measured on SQLite: 9 µs against 40 for one row by
    key), which the hot path needs. Values are what the columns store (int, str, bool, None), rows
    are plain tuples; errors are the driver's but for UniqueViolated.
    """

    __slots__ = ("_constants", "_postgres", "_sql", "_statement")

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        compiled = statement.compile(dialect=sqlite_dialect(paramstyle="named"))
        self._sql = str(compiled)
        # Constants in the statement become parameters too, such as the OFFSET 0 of a LIMIT.
        self._constants: dict[str, Any] = {
            name: bind.value
            for name, bind in getattr(compiled, "binds", {}).items()
            if not bind.required
        }
        self._postgres: tuple[str, dict[str, Any]] | None = None  # compiled when first used

    def __call__(self, connection: Connection, /, **values: int | str | None) -> Rows:
        """Execute the statement; every bind parameter is given by its name."""
        driver: Any = connection.connection.dbapi_connection
        if type(driver) is not sqlite3.Connection:
            return self._on_postgres(driver, values)
        if self._constants:
            values = self._constants | values
        try:
            rows: Rows = driver.execute(self._sql, values)
        except sqlite3.IntegrityError as error:
            if (violated := violated_unique(error)) is not None:
                raise violated from error
            raise
        return rows

    def _on_postgres(self, driver: Any, values: dict[str, Any]) -> Rows:
        from . import postgres_driver  # noqa: PLC0415 - a SQLite run never imports psycopg

        if self._postgres is None:
            self._postgres = postgres_driver.compiled(self._statement)
        sql, constants = self._postgres
        return postgres_driver.execute(driver, sql, constants | values)


def violated_unique(error: BaseException | None) -> UniqueViolated | None:
    """Return SQLite's `error` as UniqueViolated if that is what it is, else None."""
    if isinstance(error, sqlite3.IntegrityError) and error.sqlite_errorcode in _UNIQUE_CODES:
        return UniqueViolated(str(error).removeprefix("UNIQUE constraint failed: "))
    return None


class Database(ABC):
    """One database of one service, whichever it is."""

    reread_limit_s = REREAD_LIMIT_MS / 1000

    @staticmethod
    def open(
        settings: DatabaseSettings, *tables: MetaData, events: EventLog | None = None
    ) -> "Database":
        """Open the database the settings name and create the given tables where they lack.

        `events` hear of trouble on the link to a server. Needs no running loop. Raises
        DatabaseUnavailable when it cannot be used.
        """
        if settings.database_url:
            from .postgres import PostgresDatabase  # noqa: PLC0415 - as above

            return PostgresDatabase.connect(settings, *tables, events=events)
        from .sqlite import SqliteDatabase  # noqa: PLC0415 - it is built on this module

        return SqliteDatabase.file(settings.database, *tables)

    @abstractmethod
    async def run(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn(connection, …)` in a transaction and return its value once that is durable.

        What `fn` raises is raised here after its writes were taken back. DatabaseUnavailable,
        definite, when nothing was written; indefinite, when COMMIT was sent and not answered.
        """

    @abstractmethod
    async def read(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn(connection, …)`, which writes nothing, on one snapshot of what is durable."""

    async def reread(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Read what became of a COMMIT that was not answered; what it says is final.

        Asks again for 2 s (scaled), since the connection has just been lost. DatabaseUnavailable
        beyond that, indefinite: the commit's fate is still not known.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + self.reread_limit_s
        while True:
            try:
                return await self.read(fn, *args, **kwargs)
            except DatabaseUnavailable as error:
                if loop.time() >= until:
                    raise DatabaseUnavailable(error.error, definite=False) from error
                await asyncio.sleep(_REREAD_EVERY_S)

    @abstractmethod
    async def healthy(self) -> bool:
        """Return whether the database answers a trivial statement."""

    @abstractmethod
    def close(self) -> None:
        """Close it; what has not committed yet is rolled back, as a crash would do."""
