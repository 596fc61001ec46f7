"""Where jobs for PostgreSQL run: threads, each with one connection and one transaction at a time.

Takes jobs from a queue, answers each exactly once: its function's value after COMMIT, what it
raised after ROLLBACK, or DatabaseUnavailable. Connects, and connects again, by itself; a lost
connection never ends a lane. What the limits are: `postgres.py`.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, cast

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from .database import UniqueViolated
from .errors import DatabaseUnavailable
from .ids import Ids
from .postgres_calls import Calls
from .postgres_driver import (
    LimitedConnection,
    cause_of,
    end_sessions,
    error_of,
    is_certain,
    is_out_of_reach,
    met_another_writer,
    unique_violated,
)

RERUNS_MAX = 20
_BEGIN = b"BEGIN ISOLATION LEVEL REPEATABLE READ"
_BEGIN_READING = _BEGIN + b" READ ONLY"


class Job:
    """A store function on its way to a thread, and the future its caller waits for."""

    __slots__ = ("_begun", "_future", "_lock", "_loop", "_withdrawn", "error", "fn", "reads")

    def __init__(self, fn: Callable[[Connection], Any], *, reads: bool) -> None:
        self.fn = fn
        self.reads = reads
        self.error: str | None = None  # what a lane tells of it, once it has failed
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

    def fail(self, message: str, cause: BaseException, *, definite: bool = True) -> None:
        """Tell the caller that the database did not do it, or perhaps did."""
        self.error = error_of(cause)
        sentence = f"{message}: {str(cause).partition(chr(10))[0]}"  # libpq adds advice below
        self.settle(None, DatabaseUnavailable(sentence, definite=definite))

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


Jobs = queue.SimpleQueue[Job | None]


class Doubts:
    """Connections lost during COMMIT, shared by all lanes, until the server has ended them."""

    def __init__(self, limit_s: float) -> None:
        self._names: set[str] = set()
        self._limit_s = limit_s
        self._lock = threading.Lock()

    def add(self, name: str) -> None:
        """Remember a connection whose COMMIT was sent and not answered."""
        with self._lock:
            self._names.add(name)

    def settle(self, driver: Any) -> None:
        """Return when what is read from now on is final. Raises psycopg.Error."""
        if not self._names:
            return
        with self._lock:
            end_sessions(driver, sorted(self._names), self._limit_s)
            self._names.clear()


class _Again(Exception):
    """The transaction met another writer and was rolled back: run it again."""


class Lane(threading.Thread):
    """One thread, one connection, one transaction at a time; connects again by itself."""

    def __init__(
        self,
        jobs: Jobs,
        connect: Callable[[], Connection],
        doubts: Doubts,
        calls: Calls,
    ) -> None:
        super().__init__(name="postgres", daemon=True)
        self._jobs = jobs
        self._doubts = doubts
        self._calls = calls
        self._ids = Ids()
        self._woken = threading.Event()  # never set: what a thread sleeps on
        self._connect = connect
        self._connection: Connection | None = None

    def run(self) -> None:
        """Connect ahead of need, which takes longest, and do jobs until told to stop."""
        with contextlib.suppress(psycopg.Error, SQLAlchemyError):
            self._connection = self._connect()
        while (job := self._jobs.get()) is not None:
            began_ms = self._calls.now_ms()
            try:
                self._do(job)
            except BaseException as error:  # noqa: BLE001 - a lane outlives every job
                self._discard()
                job.settle(None, error)
            self._calls.tell(reads=job.reads, began_ms=began_ms, error=job.error)
        self._discard()

    def _do(self, job: Job) -> None:
        for attempt in range(RERUNS_MAX):
            try:
                connection = self._begin(_BEGIN_READING if job.reads else _BEGIN)
            except (psycopg.Error, SQLAlchemyError) as error:
                self._discard()
                job.fail("The database cannot be reached", cause_of(error))
                return
            if attempt == 0 and not job.begin():
                job.error = "timeout"
                self._driver.say(b"ROLLBACK")
                return
            try:
                self._transact(job, connection, attempt)
            except _Again:
                self._woken.wait(self._ids.uniform(0, 0.001 * 2 ** min(attempt, 6)))
            else:
                return
        sentence = f"The transaction met other writers {RERUNS_MAX} times."
        job.settle(None, DatabaseUnavailable(sentence, definite=True))

    def _transact(self, job: Job, connection: Connection, attempt: int) -> None:
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

    def _told(self, job: Job, raised: BaseException, attempt: int) -> None:
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
            job.fail("The database went out of reach before COMMIT", cause)
        else:
            job.settle(None, raised)

    def _commit(self, job: Job, value: Any) -> None:
        try:
            said = self._driver.say(b"COMMIT")
        except psycopg.Error as error:
            if met_another_writer(error):
                self._undo()
                raise _Again from error
            certain = is_certain(error)
            if not certain:
                self._doubts.add(self._driver.name)
            self._discard()
            job.fail("COMMIT failed", error, definite=certain)
            return
        if said == "COMMIT":
            job.settle(value)
        else:  # the function went on after a statement that failed
            sentence = f"PostgreSQL answered COMMIT with {said}."
            job.settle(None, DatabaseUnavailable(sentence, definite=True))

    def _begin(self, begin: bytes) -> Connection:
        """Return a connection in a new transaction; a connection lost while idle is replaced."""
        if self._connection is not None:
            try:
                return self._begun(self._connection, begin)
            except psycopg.Error:
                self._discard()
        self._connection = self._connect()
        return self._begun(self._connection, begin)

    def _begun(self, connection: Connection, begin: bytes) -> Connection:
        self._doubts.settle(self._driver)
        self._driver.say(begin)
        return connection

    @property
    def _driver(self) -> LimitedConnection:
        assert self._connection is not None
        return cast(LimitedConnection, self._connection.connection.dbapi_connection)

    def _undo(self) -> None:
        try:
            self._driver.say(b"ROLLBACK")
        except (psycopg.Error, SQLAlchemyError):
            self._discard()

    def _discard(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            for end in (connection.invalidate, connection.close):  # no ROLLBACK on a dead wire
                with contextlib.suppress(psycopg.Error, SQLAlchemyError):
                    end()
