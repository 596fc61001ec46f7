"""The database seam on PostgreSQL keeps what it promises on SQLite."""

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from typing import Any

import psycopg
import pytest
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    insert,
    select,
    update,
)

from services.chassis.clock import SystemClock
from services.chassis.database import Prepared, UniqueViolated, upsert
from services.chassis.errors import DatabaseUnavailable
from services.chassis.logs import EventLog
from services.chassis.postgres import PostgresDatabase
from services.chassis.postgres_calls import Calls
from services.chassis.postgres_driver import engine_of
from tests.integration.postgres.link import Link

METADATA = MetaData()
NOTES = Table(
    "notes",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("text", String, unique=True),
    Column("n", Integer),
)
_ADD = Prepared(insert(NOTES).values(text=bindparam("text"), n=bindparam("n")))
_ADD_ONCE = Prepared(
    upsert(NOTES).values(text=bindparam("text"), n=bindparam("n")).on_conflict_do_nothing()
)
_TEXTS = Prepared(select(NOTES.c.text).order_by(NOTES.c.id))
_OF = Prepared(select(NOTES.c.n).where(NOTES.c.text == bindparam("of_text")))
_SET = Prepared(update(NOTES).where(NOTES.c.text == bindparam("of_text")).values(n=bindparam("n")))
LIMIT_S = 30.0


def add(connection: Connection, text: str, n: int = 0) -> str:
    _ADD(connection, text=text, n=n)
    return text


def add_once(connection: Connection, text: str) -> int:
    return _ADD_ONCE(connection, text=text, n=0).rowcount


def texts(connection: Connection) -> list[str]:
    return [text for (text,) in _TEXTS(connection)]


def count_up(connection: Connection) -> int:
    (n,) = _OF(connection, of_text="counter").fetchone()
    _SET(connection, of_text="counter", n=n + 1)
    return int(n + 1)


class Heard:
    """The events a database told, from whichever thread."""

    def __init__(self) -> None:
        self.events: list[Mapping[str, Any]] = []
        self.log = EventLog(SystemClock(), fd=None, listener=self.events.append)

    def calls(self) -> list[tuple[str, str | None]]:
        ended = [event["data"] for event in self.events if event["kind"] == "call.ended"]
        return [(data["link"], data["error"]) for data in ended]


def opened(url: str, heard: Heard | None = None, *, limit_ms: float = 10_000) -> PostgresDatabase:
    """A patient database: the machine may be slow, the link is what these stories are about."""
    calls = Calls("order_to_database", None if heard is None else heard.log)
    return PostgresDatabase(
        engine_of(url, limit_ms=limit_ms), METADATA, calls=calls, limit_ms=limit_ms
    )


@pytest.fixture
async def database(url: str) -> AsyncIterator[PostgresDatabase]:
    made = opened(url)
    assert await made.healthy()
    yield made
    made.close()


def seen_by_another(url: str) -> list[str]:
    with psycopg.connect(url) as outsider:
        return [row[0] for row in outsider.execute("SELECT text FROM notes ORDER BY id")]


async def test_a_caller_resumes_only_after_its_write_is_committed(
    database: PostgresDatabase, url: str
) -> None:
    await database.run(add, "one")
    assert await asyncio.to_thread(seen_by_another, url) == ["one"]


async def test_a_function_that_raises_takes_back_its_own_writes_alone(
    database: PostgresDatabase,
) -> None:
    def half(connection: Connection) -> None:
        add(connection, "half")
        raise RuntimeError("changed my mind")

    answers = await asyncio.gather(
        database.run(add, "one"), database.run(half), return_exceptions=True
    )
    assert answers[0] == "one"
    assert isinstance(answers[1], RuntimeError)
    assert await database.read(texts) == ["one"]


async def test_a_unique_constraint_is_named_as_on_sqlite(database: PostgresDatabase) -> None:
    await database.run(add, "one")
    with pytest.raises(UniqueViolated, match=r"^notes\.text$"):
        await database.run(add, "one")
    assert await database.read(texts) == ["one"]


async def test_an_insert_of_what_is_there_already_changes_nothing_and_says_so(
    database: PostgresDatabase,
) -> None:
    assert [await database.run(add_once, "one") for _ in range(2)] == [1, 0]


async def test_writers_of_one_row_at_the_same_time_lose_none_of_their_writes(
    database: PostgresDatabase,
) -> None:
    await database.run(add, "counter")
    counted = await asyncio.gather(*(database.run(count_up) for _ in range(12)))
    assert sorted(counted) == list(range(1, 13))


async def test_an_integer_holds_milliseconds_since_1970(database: PostgresDatabase) -> None:
    await database.run(add, "now", 1_790_000_000_000)
    rows = await database.read(lambda connection: _OF(connection, of_text="now").fetchone())
    assert rows == (1_790_000_000_000,)


async def test_a_read_writes_nothing(database: PostgresDatabase) -> None:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        await database.read(add, "one")


async def test_a_canceled_caller_leaves_no_transaction_behind(database: PostgresDatabase) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(connection: Connection) -> None:
        add(connection, "slow")
        begun.set()
        assert go_on.wait(LIMIT_S)

    impatient = asyncio.create_task(database.run(slow))
    await asyncio.to_thread(begun.wait, LIMIT_S)
    impatient.cancel()
    go_on.set()
    await asyncio.gather(impatient, return_exceptions=True)
    assert await database.run(count_of_others_until_none, "slow") == ["slow"]


def count_of_others_until_none(connection: Connection, text: str) -> list[str]:
    """Wait for whoever holds the row, by asking for it: the constraint waits for its end."""
    add_once(connection, text)
    return texts(connection)


async def test_the_event_loop_goes_on_while_a_statement_waits(database: PostgresDatabase) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def waits(_: Connection) -> None:
        begun.set()
        assert go_on.wait(LIMIT_S)

    waiting = asyncio.create_task(database.run(waits))
    await asyncio.to_thread(begun.wait, LIMIT_S)
    assert await database.run(add, "meanwhile") == "meanwhile"
    go_on.set()
    await waiting


async def test_a_link_that_is_down_means_that_nothing_was_written(link: Link, url: str) -> None:
    heard = Heard()
    database = opened(link.url, heard)
    await database.run(add, "before")
    link.is_up = False
    await link.close()
    with pytest.raises(DatabaseUnavailable) as refused:
        await database.run(add, "during")
    assert refused.value.definite
    assert not await database.healthy()
    link.is_up = True
    await database.run(add, "after")
    database.close()
    assert await asyncio.to_thread(seen_by_another, url) == ["before", "after"]
    assert ("order_to_database", "disconnected") in heard.calls()


@pytest.mark.parametrize("where", ["before", "after"])
async def test_a_connection_lost_at_commit_promises_nothing_and_can_be_read_again(
    link: Link, where: Any
) -> None:
    heard = Heard()
    database = opened(link.url, heard)
    link.cut("INSERT INTO notes", where)
    with pytest.raises(DatabaseUnavailable) as lost:
        await database.run(add, "doubtful")
    assert not lost.value.definite
    assert await database.reread(texts) == ([] if where == "before" else ["doubtful"])
    database.close()
    assert ("order_to_database", "disconnected") in heard.calls()


async def test_a_commit_that_arrives_after_it_was_read_as_lost_does_nothing(
    link: Link, url: str
) -> None:
    database = opened(link.url)
    link.cut("INSERT INTO notes", "late")
    with pytest.raises(DatabaseUnavailable):
        await database.run(add, "ghost")
    assert await database.reread(texts) == []
    await link.deliver()
    await database.run(add, "later")
    database.close()
    assert await asyncio.to_thread(seen_by_another, url) == ["later"]


async def test_a_server_that_falls_silent_at_commit_is_waited_for_no_longer_than_the_limit(
    link: Link,
) -> None:
    heard = Heard()
    database = opened(link.url, heard, limit_ms=1500)
    await database.run(add, "before")
    link.cut("UPDATE notes", "silent")
    with pytest.raises(DatabaseUnavailable) as lost:
        await database.run(lambda connection: _SET(connection, of_text="before", n=5).rowcount)
    assert not lost.value.definite
    value = await database.reread(lambda connection: _OF(connection, of_text="before").fetchone())
    assert value == (5,)
    database.close()
    assert ("order_to_database", "timeout") in heard.calls()


async def test_a_reread_of_a_database_that_stays_away_says_that_nothing_is_known(
    link: Link,
) -> None:
    database = opened(link.url, limit_ms=500)
    link.is_up = False
    with pytest.raises(DatabaseUnavailable) as unknown:
        await database.reread(texts)
    assert not unknown.value.definite
    database.close()


async def test_a_service_may_start_before_its_database_answers(link: Link) -> None:
    link.is_up = False
    database = opened(link.url)
    assert not await database.healthy()
    link.is_up = True
    assert await database.healthy()
    assert await database.run(add, "one") == "one"
    database.close()


async def test_replicas_that_start_together_create_the_tables_once(url: str) -> None:
    replicas = [opened(url) for _ in range(3)]
    assert await asyncio.gather(*(replica.healthy() for replica in replicas)) == [True] * 3
    for replica in replicas:
        replica.close()


async def test_what_was_waiting_at_close_was_not_written(url: str) -> None:
    database = opened(url)
    await database.run(add, "one")
    database.close()
    with pytest.raises(DatabaseUnavailable) as closed:
        await database.run(add, "two")
    assert closed.value.definite
