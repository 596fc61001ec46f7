"""Group commit keeps what one transaction each would keep."""

import asyncio
import multiprocessing
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    func,
    insert,
    select,
)

from services.chassis.database import Prepared, UniqueViolated
from services.chassis.errors import DatabaseUnavailable
from services.chassis.sqlite import SqliteDatabase

METADATA = MetaData()
NOTES = Table("notes", METADATA, Column("id", Integer, primary_key=True), Column("text", String))
ADD = insert(NOTES)


def add(connection: Connection, note_id: int, text: str = "") -> int:
    connection.execute(ADD, {"id": note_id, "text": text})
    return note_id


def count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(NOTES)).scalar_one()


def ids(connection: Connection) -> list[int]:
    return list(connection.execute(select(NOTES.c.id).order_by(NOTES.c.id)).scalars())


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "notes.db")


@pytest.fixture
async def database(path: str) -> AsyncIterator[SqliteDatabase]:
    opened = SqliteDatabase.file(path, METADATA)
    yield opened
    opened.close()


@pytest.fixture
def outsider(path: str, database: SqliteDatabase) -> Iterator[sqlite3.Connection]:
    """Another process's view of the same file."""
    assert database is not None  # it has made the file
    with closing(sqlite3.connect(path, timeout=0)) as connection:
        yield connection


def seen_by(outsider: sqlite3.Connection) -> list[int]:
    return [row[0] for row in outsider.execute("SELECT id FROM notes ORDER BY id")]


async def test_a_caller_resumes_only_after_its_write_is_committed(
    database: SqliteDatabase, outsider: sqlite3.Connection
) -> None:
    await database.run(add, 1)
    assert seen_by(outsider) == [1]


async def test_functions_of_one_loop_turn_share_one_commit(
    database: SqliteDatabase, outsider: sqlite3.Connection
) -> None:
    statements: list[str] = []
    database._driver.set_trace_callback(statements.append)
    await asyncio.gather(*(database.run(add, n) for n in range(20)))
    database._driver.set_trace_callback(None)
    assert statements.count("COMMIT") == 1
    assert seen_by(outsider) == list(range(20))


async def test_a_function_that_raises_takes_back_its_own_writes_alone(
    database: SqliteDatabase, outsider: sqlite3.Connection
) -> None:
    def half(connection: Connection) -> None:
        add(connection, 100)
        raise RuntimeError("changed my mind")

    answers = await asyncio.gather(
        database.run(add, 1), database.run(half), database.run(add, 2), return_exceptions=True
    )
    assert [answers[0], answers[2]] == [1, 2]
    assert isinstance(answers[1], RuntimeError)
    assert seen_by(outsider) == [1, 2]


async def test_a_constraint_is_felt_by_the_second_of_two_in_one_turn(
    database: SqliteDatabase,
) -> None:
    first, second = await asyncio.gather(
        database.run(add, 7), database.run(add, 7), return_exceptions=True
    )
    assert first == 7
    assert isinstance(second, UniqueViolated)
    assert str(second) == "notes.id"


async def test_a_failing_commit_fails_every_caller_and_promises_nothing(
    database: SqliteDatabase, outsider: sqlite3.Connection
) -> None:
    def fail_at_commit(connection: Connection) -> None:
        # A deferred foreign key is checked by COMMIT itself.
        connection.exec_driver_sql(
            "CREATE TABLE child (of INTEGER REFERENCES notes (id) DEFERRABLE INITIALLY DEFERRED)"
        )
        connection.exec_driver_sql("INSERT INTO child VALUES (999)")

    answers = await asyncio.gather(
        database.run(add, 1), database.run(fail_at_commit), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [DatabaseUnavailable, DatabaseUnavailable]
    assert [getattr(answer, "definite", None) for answer in answers] == [False, False]
    assert seen_by(outsider) == []
    assert await database.run(add, 2) == 2  # and the next turn works again
    assert seen_by(outsider) == [2]


async def test_a_canceled_caller_does_not_disturb_those_who_share_its_commit(
    database: SqliteDatabase, outsider: sqlite3.Connection
) -> None:
    impatient = asyncio.create_task(database.run(add, 1))
    patient = asyncio.create_task(database.run(add, 2))
    started = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(started.set_result, None)
    await started  # both have run and wait for their commit, or have just got it
    impatient.cancel()
    assert await patient == 2
    await asyncio.gather(impatient, return_exceptions=True)
    assert seen_by(outsider) == [1, 2]


async def test_a_read_never_tells_what_is_not_durable(
    database: SqliteDatabase, outsider: sqlite3.Connection
) -> None:
    writing = asyncio.create_task(database.run(add, 1))
    seen = await asyncio.create_task(database.read(ids))
    assert seen == seen_by(outsider)
    await writing


async def test_a_read_alone_commits_nothing(database: SqliteDatabase) -> None:
    statements: list[str] = []
    database._driver.set_trace_callback(statements.append)
    assert await database.read(count) == 0
    database._driver.set_trace_callback(None)
    assert "COMMIT" not in statements


async def test_what_was_committed_is_there_after_reopening_without_a_close(path: str) -> None:
    abandoned = SqliteDatabase.file(path, METADATA)
    await abandoned.run(add, 1)
    reopened = SqliteDatabase.file(path, METADATA)
    assert await reopened.read(ids) == [1]
    reopened.close()
    abandoned.close()


async def test_an_open_batch_is_lost_at_close_as_in_a_crash(path: str) -> None:
    database = SqliteDatabase.file(path, METADATA)
    writing = asyncio.create_task(database.run(add, 1))
    closing_now = asyncio.create_task(_close(database))  # the next task of the same loop turn
    with pytest.raises(DatabaseUnavailable):
        await writing
    await closing_now
    reopened = SqliteDatabase.file(path, METADATA)
    assert await reopened.read(ids) == []
    reopened.close()


async def _close(database: SqliteDatabase) -> None:
    database.close()


async def test_a_writer_meeting_another_process_waits_a_second_and_says_it_wrote_nothing(
    database: SqliteDatabase, outsider: sqlite3.Connection
) -> None:
    outsider.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseUnavailable) as refused:
        await database.run(add, 1)
    assert refused.value.definite
    outsider.execute("ROLLBACK")
    assert await database.run(add, 1) == 1


def test_a_file_that_is_no_database_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear database, " * 100)
    with pytest.raises(DatabaseUnavailable, match=r"letter\.txt cannot be used"):
        SqliteDatabase.file(str(path), METADATA)


REPLICAS = 6
FILES = 12


def opens_each_file_with_the_others(folder: Path, together: Barrier) -> None:
    for number in range(FILES):
        together.wait(60)
        SqliteDatabase.file(str(folder / f"{number}.db"), METADATA).close()


def test_replicas_that_open_a_new_file_at_once_all_get_it(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(REPLICAS)
    replicas = [
        context.Process(target=opens_each_file_with_the_others, args=(tmp_path, together))
        for _ in range(REPLICAS)
    ]
    for replica in replicas:
        replica.start()
    for replica in replicas:
        replica.join(120)
    ended = [replica.exitcode for replica in replicas]
    for replica in replicas:
        replica.kill()
        replica.join()
        replica.close()

    assert ended == [0] * REPLICAS


async def test_a_prepared_statement_binds_its_constants(database: SqliteDatabase) -> None:
    await asyncio.gather(*(database.run(add, n) for n in range(5)))
    newest = Prepared(select(NOTES.c.id).order_by(NOTES.c.id.desc()).limit(bindparam("at_most")))
    rows = await database.read(lambda connection: newest(connection, at_most=2).fetchall())
    assert rows == [(4,), (3,)]
