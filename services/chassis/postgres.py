"""PostgreSQL behind the same door: a few threads, each owning one connection.

Takes and gives what `Database` says. The event loop never touches a socket of the database: a
link that is down, black or slow blocks a thread, and a caller waits no longer than the limits:

- 1 s (scaled) until its transaction begins: queue, connect and BEGIN. Beyond it the job is
  withdrawn, and nothing has happened: definite.
- 1 s for each statement, at the server and here, for a server that cannot be heard. Before COMMIT
  is sent the server rolls back what it lost sight of: definite.
- 1 s for COMMIT. Without an answer it may stand or not: indefinite (R9). Before anything is read
  afterwards the server is made to end that session, so that what is read stays true.

A transaction sees one snapshot (REPEATABLE READ). One that writes a row another has written since,
or a unique value its snapshot could not see, is run again from the start. SERIALIZABLE was tried
and rejected: predicate locks cover whole index pages, and on tables of a few pages placements
refused each other 20 times in a row (measured; 263 checkouts/s became 165, with failures).
Each commits by itself: the server gathers the flushes of concurrent ones into one (measured: 262
a second over four connections, 159 over one, 211 over eight).

Sources: PostgreSQL manual, "Transaction Isolation", "Client Connection Defaults", and psycopg,
"Connection.wait".
"""

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, Concatenate, Self

from sqlalchemy import Connection, Engine, MetaData, text

from .database import REREAD_LIMIT_MS, Database, DatabaseSettings, P, T
from .errors import DatabaseUnavailable
from .logs import EventLog
from .postgres_calls import Calls
from .postgres_driver import engine_of
from .postgres_lanes import Doubts, Job, Jobs, Lane

CONNECTIONS = 4
LIMIT_MS = 1000.0
CLOSE_LIMIT_S = 0.25  # of the event loop; a lane that takes longer ends by itself, or with us
_SCHEMA_LOCK = 0x5C4E_3A01  # any number all replicas agree on


class PostgresDatabase(Database):
    """One PostgreSQL database, `CONNECTIONS` threads on it."""

    def __init__(
        self, engine: Engine, *tables: MetaData, calls: Calls, limit_ms: float = LIMIT_MS
    ) -> None:
        self._engine = engine
        self._tables = tables
        self._limit_s = limit_ms / 1000
        self.reread_limit_s = REREAD_LIMIT_MS * limit_ms / LIMIT_MS / 1000
        self._schema = threading.Lock()
        self._has_tables = False
        self._closed = False
        self._jobs: Jobs = queue.SimpleQueue()
        doubts = Doubts(self._limit_s)
        self._lanes = [Lane(self._jobs, self._connect, doubts, calls) for _ in range(CONNECTIONS)]
        for lane in self._lanes:
            lane.start()

    @classmethod
    def connect(
        cls, settings: DatabaseSettings, *tables: MetaData, events: EventLog | None = None
    ) -> Self:
        """Return the database of the settings, connected or not.

        The first connection creates the tables, so that a service starts while its database is
        away, and says so in `/health`. `events` hear of transactions that are slow or fail.
        """
        limit_ms = settings.scaled(LIMIT_MS)
        calls = Calls(f"{settings.service}_to_database", events)
        return cls(
            engine_of(settings.database_url, limit_ms=limit_ms),
            *tables,
            calls=calls,
            limit_ms=limit_ms,
        )

    async def run(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn` in a transaction of its own, in a thread."""
        job = Job(lambda connection: fn(connection, *args, **kwargs), reads=False)
        result: T = await self._done(job)
        return result

    async def read(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn` on a snapshot of what is committed, in a thread."""
        job = Job(lambda connection: fn(connection, *args, **kwargs), reads=True)
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
        """Refuse what waits, give what runs a moment to end, and hang up."""
        self._closed = True
        with contextlib.suppress(queue.Empty):
            while (job := self._jobs.get_nowait()) is not None:
                job.settle(None, DatabaseUnavailable("The database was closed.", definite=True))
        for _ in self._lanes:
            self._jobs.put(None)
        for lane in self._lanes:
            lane.join(timeout=CLOSE_LIMIT_S / CONNECTIONS)
        self._engine.dispose()

    async def _done(self, job: Job) -> Any:
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
