"""PostgreSQL behind the same door: a few threads, each owning one connection.

Takes and gives what `Database` says. The event loop never touches a socket of the database: a
link that is down, black or slow blocks a thread, and a caller waits no longer than the limits:

- 1 s (scaled) until its transaction begins: queue, connect and BEGIN. Beyond it the job is
  withdrawn, and nothing has happened: definite.
- 1 s for each statement, at the server and here, for a server that cannot be heard. Before COMMIT
  is sent the server rolls back what it lost sight of: definite.
- 1 s for COMMIT. Without an answer it may stand or not: indefinite (R9).

A transaction sees one snapshot (REPEATABLE READ). One that writes a row another has written since,
or a unique value its snapshot could not see, is run again from the start. SERIALIZABLE was tried
and rejected: predicate locks cover whole index pages, and on tables of a few pages placements
refused each other 20 times in a row (measured; 263 checkouts/s became 165, with failures).
Each commits by itself: the server gathers the flushes of concurrent ones into one, and savepoints
of one batch on one connection were slower (measured: 159 against 262 with four connections).

Sources: PostgreSQL manual, "Transaction Isolation", "Client Connection Defaults", and psycopg,
"Connection.wait".
"""

import asyncio
import contextlib
import queue
import random
import threading
import time
from collections.abc import Callable
from typing import Any, Concatenate, Self

import psycopg
from sqlalchemy import Connection, Engine, MetaData, text
from sqlalchemy.exc import SQLAlchemyError

from .database import Database, DatabaseSettings, P, T, UniqueViolated
from .errors import DatabaseUnavailable
from .postgres_driver import (
    cause_of,
    engine_of,
    is_certain,
    is_out_of_reach,
    met_another_writer,
    unique_violated,
)

CONNECTIONS = 4
LIMIT_MS = 1000.0
RERUNS_MAX = 20
_SCHEMA_LOCK = 0x5C4E_3A01  # any number all replicas agree on
_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ"
_BEGIN_READING = f"{_BEGIN} READ ONLY"


class _Job:
    """A store function on its way to a thread, and the future its caller waits for."""

    __slots__ = ("_begun", "_future", "_lock", "_loop", "_withdrawn", "fn", "reads")

    def __init__(self, fn: Callable[[Connection], Any], *, reads: bool) -> None:
        self.fn = fn
        self.reads = reads
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[Any] = self._loop.create_future()
        self._lock = threading.Lock()
        self._begun = False
        self._withdrawn = False

    async def done(self, limit_s: float) -> Any:
        """Return the function's value; withdraw it if it has not begun within the limit."""
        timer = self._loop.call_later(limit_s, self._withdraw)
        try:
            return await self._future
        finally:
            timer.cancel()

    def begin(self) -> bool:
        """Say in its thread that it begins; False when nobody waits for it any more."""
        with self._lock:
            self._begun = not self._withdrawn
            return self._begun

    def settle(self, value: Any, error: BaseException | None = None) -> None:
        """Hand value or error to the caller, from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is there to be told
            self._loop.call_soon_threadsafe(self._tell, value, error)

    def fail(self, message: str, *, definite: bool = True) -> None:
        """Tell the caller that the database did not do it, or perhaps did."""
        self.settle(None, DatabaseUnavailable(message, definite=definite))

    def _withdraw(self) -> None:
        with self._lock:
            if self._begun:
                return
            self._withdrawn = True
        sentence = "The database did not begin a transaction in time."
        self._tell(None, DatabaseUnavailable(sentence, definite=True))

    def _tell(self, value: Any, error: BaseException | None) -> None:
        if self._future.done():  # its caller was cancelled, or it was withdrawn
            return
        if error is None:
            self._future.set_result(value)
        else:
            self._future.set_exception(error)


class _Again(Exception):
    """The transaction met another writer and was rolled back: run it again."""


class _Lane(threading.Thread):
    """One thread, one connection, one transaction at a time; connects again by itself."""

    def __init__(
        self, jobs: "queue.SimpleQueue[_Job | None]", connect: Callable[[], Connection]
    ) -> None:
        super().__init__(name="postgres", daemon=True)
        self._jobs = jobs
        self._connect = connect
        self._connection: Connection | None = None

    def run(self) -> None:
        """Do jobs until told to stop."""
        while (job := self._jobs.get()) is not None:
            try:
                self._do(job)
            except BaseException as error:  # noqa: BLE001 - a lane outlives every job
                self._discard()
                job.settle(None, error)
        self._discard()

    def _do(self, job: _Job) -> None:
        for attempt in range(RERUNS_MAX):
            try:
                connection = self._begin(_BEGIN_READING if job.reads else _BEGIN)
            except (psycopg.Error, SQLAlchemyError) as error:
                self._discard()
                job.fail(f"The database cannot be reached: {_line_of(error)}")
                return
            if attempt == 0 and not job.begin():
                self._execute("ROLLBACK")
                return
            try:
                self._transact(job, connection, attempt)
            except _Again:
                time.sleep(random.uniform(0, 0.001 * 2 ** min(attempt, 6)))  # noqa: S311 - no secret
            else:
                return
        job.fail(f"The transaction met other writers {RERUNS_MAX} times.")

    def _transact(self, job: _Job, connection: Connection, attempt: int) -> None:
        try:
            value = job.fn(connection)
        except BaseException as raised:  # noqa: BLE001 - the caller's, once its writes are undone
            self._undo()
            self._told(job, raised, attempt)
            return
        if job.reads:
            job.settle(value)
            self._undo()
            return
        self._commit(job, value)

    def _told(self, job: _Job, raised: BaseException, attempt: int) -> None:
        """Tell the caller what its function raised; _Again when that was another's doing."""
        cause = cause_of(raised)
        if met_another_writer(cause):
            raise _Again
        if isinstance(cause, psycopg.errors.UniqueViolation):
            if attempt == 0:  # the row may be one that this snapshot could not see
                raise _Again
            violated = raised if isinstance(raised, UniqueViolated) else unique_violated(cause)
            job.settle(None, violated)
        elif is_out_of_reach(cause):
            job.fail(f"The database went out of reach before COMMIT: {_line_of(cause)}")
        else:
            job.settle(None, raised)

    def _commit(self, job: _Job, value: Any) -> None:
        try:
            said = self._execute("COMMIT")
        except psycopg.Error as error:
            if met_another_writer(error):
                self._undo()
                raise _Again from error
            certain = is_certain(error)
            self._discard()
            job.fail(f"COMMIT failed: {_line_of(error)}", definite=certain)
            return
        if said == "COMMIT":
            job.settle(value)
        else:  # the function went on after a statement that failed
            job.fail(f"PostgreSQL answered COMMIT with {said}.")

    def _begin(self, begin: str) -> Connection:
        """Return a connection in a new transaction; a connection lost while idle is replaced."""
        if self._connection is not None:
            try:
                self._execute(begin)
            except psycopg.Error:
                self._discard()
            else:
                return self._connection
        self._connection = self._connect()
        self._execute(begin)
        return self._connection

    def _execute(self, statement: str) -> str | None:
        assert self._connection is not None
        driver: Any = self._connection.connection.dbapi_connection
        said: str | None = driver.execute(statement).statusmessage
        return said

    def _undo(self) -> None:
        try:
            self._execute("ROLLBACK")
        except (psycopg.Error, SQLAlchemyError):
            self._discard()

    def _discard(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error, SQLAlchemyError):
                connection.detach()  # so that closing it says nothing on the wire
                connection.close()


class PostgresDatabase(Database):
    """One PostgreSQL database, `CONNECTIONS` threads on it."""

    def __init__(self, engine: Engine, *tables: MetaData, limit_ms: float = LIMIT_MS) -> None:
        self._engine = engine
        self._tables = tables
        self._limit_s = limit_ms / 1000
        self._schema = threading.Lock()
        self._has_tables = False
        self._closed = False
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lanes = [_Lane(self._jobs, self._connect) for _ in range(CONNECTIONS)]
        for lane in self._lanes:
            lane.start()

    @classmethod
    def connect(cls, settings: DatabaseSettings, *tables: MetaData) -> Self:
        """Return the database of the settings, connected or not.

        The first connection creates the tables, so that a service starts while its database is
        away, and says so in `/health`.
        """
        limit_ms = settings.scaled(LIMIT_MS)
        return cls(engine_of(settings.database_url, limit_ms=limit_ms), *tables, limit_ms=limit_ms)

    async def run(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn` in a transaction of its own, in a thread."""
        job = _Job(lambda connection: fn(connection, *args, **kwargs), reads=False)
        result: T = await self._done(job)
        return result

    async def read(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn` on a snapshot of what is committed, in a thread."""
        job = _Job(lambda connection: fn(connection, *args, **kwargs), reads=True)
        result: T = await self._done(job)
        return result

    async def healthy(self) -> bool:
        """Return whether the database answers, and has the tables."""
        try:
            await self.read(lambda connection: connection.exec_driver_sql("SELECT 1"))
        except DatabaseUnavailable:
            return False
        return True

    def close(self) -> None:
        """Refuse what waits, let what runs end (within its limits), hang up."""
        self._closed = True
        with contextlib.suppress(queue.Empty):
            while (job := self._jobs.get_nowait()) is not None:
                job.fail("The database was closed.")
        for _ in self._lanes:
            self._jobs.put(None)
        for lane in self._lanes:
            lane.join(timeout=2 * self._limit_s)
        self._engine.dispose()

    async def _done(self, job: _Job) -> Any:
        if self._closed:
            raise DatabaseUnavailable("The database was closed.", definite=True)
        self._jobs.put(job)
        return await job.done(self._limit_s)

    def _connect(self) -> Connection:
        connection = self._engine.connect()
        try:
            with self._schema:
                if not self._has_tables:
                    self._create_tables(connection)
                    self._has_tables = True
        except BaseException:
            connection.close()
            raise
        return connection

    def _create_tables(self, connection: Connection) -> None:
        """Create what lacks; replicas start together, so one after another."""
        driver: Any = connection.connection.dbapi_connection
        driver.execute("BEGIN")
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _SCHEMA_LOCK})
        for metadata in self._tables:
            metadata.create_all(connection)
        driver.execute("COMMIT")


def _line_of(error: BaseException) -> str:
    """Return the first line of an error: libpq adds advice, SQLAlchemy the statement."""
    return str(cause_of(error)).partition("\n")[0]
