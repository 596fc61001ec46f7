"""A private PostgreSQL through its lives: struck, started again, gone with whoever started it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import psycopg
import pytest

from checkout_sim.model.errors import FaultNotApplied, StackDidNotStart
from checkout_sim.stack import postgresql_program
from checkout_sim.stack.kernel import is_stopped
from checkout_sim.stack.ports import LOOPBACK
from checkout_sim.stack.postgresql import PostgreSQL, start_postgresql
from checkout_sim.stack.postgresql_external import use_postgresql
from checkout_sim.stack.postgresql_program import is_installed
from checkout_sim.stack.servers import Servers

ROOT = Path(__file__).parents[3]
LIMIT_S = 60.0
# Starts a server, tells its pid and folder, pauses it if asked to, and waits to be killed.
PARENT = """
import asyncio, sys
from checkout_sim.stack.postgresql import start_postgresql
async def main():
    server = await start_postgresql()
    if sys.argv[1] == "paused":
        await server.pause()
    print(server.pid, server.folder, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@pytest.fixture
async def own() -> AsyncIterator[PostgreSQL]:
    """A server of this test's own, which it may strike."""
    if not is_installed():
        pytest.skip("needs PostgreSQL's server programs (Debian: apt-get install postgresql)")
    running = await start_postgresql()
    yield running
    await running.stop()


def rows(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def family(pid: int) -> list[psutil.Process]:
    postmaster = psutil.Process(pid)
    return [postmaster, *postmaster.children(recursive=True)]


async def gone(processes: list[psutil.Process]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes):  # noqa: ASYNC110 - nobody is told of strangers' ends
            await asyncio.sleep(0.01)


async def test_what_was_committed_is_there_after_a_kill_and_on_the_same_port(
    own: PostgreSQL,
) -> None:
    await own.open_scope("run-1")
    url = own.url_at(LOOPBACK, own.port, scope="run-1-payment")
    await asyncio.to_thread(rows, url, "CREATE TABLE kept (n int)")
    await asyncio.to_thread(rows, url, "INSERT INTO kept VALUES (7)")
    processes = family(own.pid)
    await own.kill()
    await gone(processes)
    with pytest.raises(psycopg.OperationalError):
        await asyncio.to_thread(rows, url, "SELECT 1")
    await own.start_again()
    assert await asyncio.to_thread(rows, url, "SELECT n FROM kept") == [(7,)]
    await own.restart()
    assert await asyncio.to_thread(rows, url, "SELECT n FROM kept") == [(7,)]


async def test_a_paused_server_answers_nobody_until_it_is_resumed(own: PostgreSQL) -> None:
    await own.open_scope("run-1")
    url = own.url_at(LOOPBACK, own.port, scope="run-1-order")
    await own.pause()
    assert all(is_stopped(p.pid) for p in family(own.pid) if p.status() != psutil.STATUS_ZOMBIE)
    asking = asyncio.create_task(asyncio.to_thread(rows, url, "SELECT 1"))
    await own.resume()
    assert await asking == [(1,)]
    await own.resume()  # running already: nothing to do


async def test_a_deed_on_a_server_that_is_not_running_is_refused(own: PostgreSQL) -> None:
    await own.kill()
    for deed in (own.kill, own.pause, own.restart):
        with pytest.raises(FaultNotApplied, match="is not running"):
            await deed()


async def test_it_listens_on_loopback_alone_and_asks_for_its_password(own: PostgreSQL) -> None:
    bound = [
        connection.laddr
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr
    ]
    assert [address.ip for address in bound if address.port == own.port] == [LOOPBACK]
    stranger = f"postgresql://sim:guess@{LOOPBACK}:{own.port}/postgres"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        await asyncio.to_thread(rows, stranger, "SELECT 1")


async def test_stopping_leaves_no_process_and_no_file(own: PostgreSQL) -> None:
    processes, folder = family(own.pid), own.folder
    await own.stop()
    await gone(processes)
    assert not folder.exists()


@pytest.mark.parametrize("state", ["running", "paused"])
async def test_it_dies_with_a_tool_that_was_killed(state: str) -> None:
    if not is_installed():
        pytest.skip("needs PostgreSQL's server programs (Debian: apt-get install postgresql)")
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, state),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert parent.stdout is not None
    async with asyncio.timeout(LIMIT_S):
        told = (await parent.stdout.readline()).decode().split()
    processes = family(int(told[0]))
    os.kill(parent.pid, signal.SIGKILL)
    await parent.communicate()
    await gone(processes)
    following = await start_postgresql()  # whoever comes next also clears up
    await following.stop()
    assert not await asyncio.to_thread(Path(told[1]).exists)


async def test_runs_share_one_server_and_a_struck_one_is_private(own: PostgreSQL) -> None:
    url = f"postgresql://sim@/postgres?host={own.folder}&port={own.port}"
    servers = Servers(database_url=url)
    async with (
        servers.borrow("database", private=False) as one,
        servers.borrow("database", private=False) as other,
        servers.borrow("database", private=True) as struck,
    ):
        assert one is other
        assert struck.pid not in {0, own.pid}
    await servers.close()
    assert await own.administration.version() is not None  # it was there before, and still is


async def test_a_server_that_could_not_be_started_is_tried_again_by_the_next_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    servers = Servers()
    try:
        with monkeypatch.context() as bare:
            bare.setattr(postgresql_program, "_USUAL", ())
            bare.setenv("PATH", "")
            with pytest.raises(StackDidNotStart, match="no PostgreSQL server"):
                async with servers.borrow("database", private=False):
                    raise AssertionError("there was none to borrow")
        async with servers.borrow("database", private=False) as installed:
            assert installed.pid
    finally:
        await servers.close()


async def test_a_server_of_ones_own_is_used_and_left_as_it_was(own: PostgreSQL) -> None:
    await own.administration.create(["mine"])
    mine = own.url_at(LOOPBACK, own.port, scope="mine")
    external = await use_postgresql(mine)
    await external.open_scope("run-1")
    url = external.url_at(external.host, external.port, scope="run-1-order")
    assert await asyncio.to_thread(rows, url, "SELECT 1") == [(1,)]
    await external.close_scope("run-1")
    left = await asyncio.to_thread(rows, mine, "SELECT datname FROM pg_database ORDER BY 1")
    assert [name for (name,) in left] == [
        "checkout-sim-mine",
        "postgres",
        "template0",
        "template1",
    ]
    with pytest.raises(FaultNotApplied, match="is not ours"):
        await external.kill()


async def test_a_user_who_may_create_no_database_is_told_so(own: PostgreSQL) -> None:
    await own.administration.create(["mine"])
    mine = own.url_at(LOOPBACK, own.port, scope="mine")
    await asyncio.to_thread(rows, mine, "CREATE ROLE guest LOGIN PASSWORD 'guest'")
    guest = f"postgresql://guest:guest@{mine.partition('@')[2]}"
    external = await use_postgresql(guest)
    with pytest.raises(StackDidNotStart, match=r"cannot create .* the right CREATEDB"):
        await external.open_scope("run-1")


async def test_an_address_where_no_server_answers_is_refused_by_name(own: PostgreSQL) -> None:
    port = own.port
    await own.stop()
    with pytest.raises(StackDidNotStart, match="does not answer"):
        await use_postgresql(f"postgresql://sim@{LOOPBACK}:{port}/postgres")
    with pytest.raises(StackDidNotStart, match="expected postgresql://"):
        await use_postgresql("mysql://sim@127.0.0.1/postgres")
