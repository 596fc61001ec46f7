"""SQLite behind one door: `Database.run` with group commit, inline on the event loop.

Store functions run at once, each inside its own SAVEPOINT; those of one batch share one COMMIT,
and every caller resumes only after it. A batch ends with the first loop turn that adds nothing to
it, so a lone request waits for one empty turn (some 10 µs), and under load an fsync
(`synchronous=FULL`) is paid once for all that was ready. Durability and isolation stay those of
one transaction each: a function that raises takes back its own savepoint alone, and a failing
COMMIT fails every caller in it.

Never a thread: SQLite in a pool costs five times the CPU, and an abandoned task holds no open
transaction, because nothing awaits between BEGIN and COMMIT but the loop itself.
Sources: sqlite.org "Savepoints", "WAL", and the figures of ARCHITECTURE.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any, Concatenate, Self

from sqlalchemy import Connection, Engine, MetaData, StaticPool, create_engine
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError

from .database import Database, P, T, violated_unique
from .errors import DatabaseUnavailable

BUSY_TIMEOUT_MS = 1000  # inline: a longer wait would block the event loop longer
OPENING_TIMEOUT_MS = 10_000  # there is no loop to block yet, and a replica may be writing
TURNS_MAX = 8  # of one batch, so that a steady stream of writers cannot put its COMMIT off

SWITCHES_MAX = 100  # tries to turn the write-ahead log on, each after another replica's turn
_PRIMARY = 0xFF  # of an extended result code

_PRAGMAS = (
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-65536",  # KiB; past the default 2 MB pages are written and read again
    "PRAGMA wal_autocheckpoint=4000",  # pages, 16 MB: a quarter of the checkpoints, each two fsyncs
)


class _Batch:
    """The functions of a few loop turns: their callers wait for the same COMMIT."""

    __slots__ = ("seen", "turns", "waiters")

    def __init__(self) -> None:
        self.waiters: list[asyncio.Future[None]] = []
        self.seen = 0  # of them, at the end of the last turn
        self.turns = 0

    def settle(self, error: BaseException | None) -> None:
        for waiter in self.waiters:
            if waiter.done():  # its caller was cancelled; the others must not notice
                continue
            if error is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(error)


class SqliteDatabase(Database):
    """One SQLite file (or `:memory:`), one connection, one batch at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection = engine.connect()
        driver: Any = self._connection.connection.dbapi_connection
        self._driver: sqlite3.Connection = driver
        self._batch: _Batch | None = None

    @classmethod
    def file(cls, path: str, *tables: MetaData) -> Self:
        """Open (and create) the database at `path` with the given tables.

        Needs no running loop. Raises DatabaseUnavailable when the file cannot be used.
        """
        engine = create_engine(
            f"sqlite:///{path}",
            isolation_level="AUTOCOMMIT",  # the driver begins nothing by itself; we do
            poolclass=StaticPool,
            connect_args={"check_same_thread": True, "timeout": OPENING_TIMEOUT_MS / 1000},
        )
        try:
            database = cls(engine)
            database._prepare(tables)
        except (DatabaseError, sqlite3.Error) as error:
            message = f"{path} cannot be used as a SQLite database: {error}"
            raise DatabaseUnavailable(message, definite=True) from error
        return database

    def _prepare(self, tables: tuple[MetaData, ...]) -> None:
        """Set the file and the connection up; a replica that came first has made the tables."""
        self._turn_wal_on()
        for pragma in _PRAGMAS:
            self._driver.execute(pragma)
        self._driver.execute("BEGIN IMMEDIATE")  # the check and the creation are one transaction
        for metadata in tables:
            metadata.create_all(self._connection)
        self._driver.execute("COMMIT")
        self._driver.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")

    def _turn_wal_on(self) -> None:
        """Turn the write-ahead log on; replicas that do so together are told "locked" at once.

        No busy timeout applies to the switch, so between two tries a lock is asked for that one
        does apply to: it is had when the other has switched.
        """
        for _ in range(SWITCHES_MAX):
            try:
                self._driver.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & _PRIMARY != sqlite3.SQLITE_BUSY:
                    raise
                self._driver.execute("BEGIN IMMEDIATE")
                self._driver.execute("COMMIT")
            else:
                return
        self._driver.execute("PRAGMA journal_mode=WAL")

    async def run(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn` now, commit with all that was ready, return its value; indefinite on COMMIT."""
        batch = self._batch or self._begin()
        driver = self._driver
        error: BaseException | None = None
        driver.execute("SAVEPOINT fn")
        try:
            result = fn(self._connection, *args, **kwargs)
        except BaseException as raised:  # noqa: BLE001 - raised again once the batch is settled
            error = _told(raised)
            self._take_back(batch)
        else:
            driver.execute("RELEASE fn")
        await self._settled(batch)
        if error is not None:
            raise error
        return result

    async def read(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn(connection, …)`, which writes nothing, on one snapshot.

        Waits only when a COMMIT is due: it has then seen rows that are not
        durable yet, and may not tell anybody before they are.
        """
        if self._batch is not None:
            return await self.run(fn, *args, **kwargs)
        driver = self._driver
        try:
            driver.execute("BEGIN")
            return fn(self._connection, *args, **kwargs)
        except (DatabaseError, sqlite3.Error) as error:
            raise DatabaseUnavailable(
                f"The database cannot be read: {error}", definite=True
            ) from error
        finally:
            if driver.in_transaction:
                driver.execute("ROLLBACK")

    async def healthy(self) -> bool:
        """Return whether the database answers a trivial statement."""
        try:
            self._driver.execute("SELECT 1")
        except sqlite3.Error:
            return False
        return True

    def close(self) -> None:
        """Close the file; a batch still open is rolled back, as a crash would do."""
        batch, self._batch = self._batch, None
        self._rollback()
        if batch is not None:
            batch.settle(DatabaseUnavailable("The database was closed.", definite=True))
        self._connection.close()
        self._engine.dispose()

    def _begin(self) -> _Batch:
        try:
            self._driver.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            message = f"The database takes no writes now: {error}"
            raise DatabaseUnavailable(message, definite=True) from error
        self._batch = batch = _Batch()
        asyncio.get_running_loop().call_soon(self._end_turn, batch)
        return batch

    def _take_back(self, batch: _Batch) -> None:
        """Undo one function. Some errors (disk full, I/O) make SQLite undo the whole batch."""
        if self._driver.in_transaction:
            self._driver.execute("ROLLBACK TO fn")
            self._driver.execute("RELEASE fn")
        elif self._batch is batch:
            self._batch = None
            batch.settle(DatabaseUnavailable("SQLite rolled the transaction back.", definite=True))

    def _end_turn(self, batch: _Batch) -> None:
        """Commit, unless this turn brought more and the next may bring more still."""
        if self._batch is not batch:  # closed or rolled back meanwhile
            return
        if len(batch.waiters) > batch.seen and batch.turns < TURNS_MAX:
            batch.seen, batch.turns = len(batch.waiters), batch.turns + 1
            asyncio.get_running_loop().call_soon(self._end_turn, batch)
            return
        self._batch = None
        try:
            self._driver.execute("COMMIT")
        except sqlite3.Error as error:
            self._rollback()
            batch.settle(DatabaseUnavailable(f"COMMIT failed: {error}", definite=False))
        else:
            batch.settle(None)

    def _rollback(self) -> None:
        if self._driver.in_transaction:
            self._driver.execute("ROLLBACK")

    async def _settled(self, batch: _Batch) -> None:
        if self._batch is not batch:
            raise DatabaseUnavailable("SQLite rolled the transaction back.", definite=True)
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        batch.waiters.append(waiter)
        await waiter


def _told(raised: BaseException) -> BaseException:
    """Return what a store function raised in the words both databases share."""
    cause = raised.orig if isinstance(raised, IntegrityError) else None
    violated = violated_unique(cause)
    if violated is not None:
        violated.__cause__ = raised
        return violated
    if isinstance(raised, OperationalError | sqlite3.OperationalError):
        unavailable = DatabaseUnavailable(f"SQLite refused a statement: {raised}", definite=True)
        unavailable.__cause__ = raised
        return unavailable
    return raised
