"""Processes that die when nobody asked: at start, in the middle, with the tool."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from checkout_sim.model.errors import FaultNotApplied, StackDidNotStart
from checkout_sim.stack.fork_client import ForkServer
from checkout_sim.stack.ports import PortReservation
from checkout_sim.stack.subprocesses import Subprocesses
from tests.integration.stack.world import (
    LIMIT_S,
    Departure,
    Seen,
    ask,
    is_alive,
    parent_of,
    refuses,
    supervise,
    tiny,
)

Reserve = Callable[[], PortReservation]


@pytest.fixture
def port(reserve: Reserve) -> int:
    return reserve().port


async def test_a_child_that_dies_at_start_stops_the_start_with_its_last_words(
    fork_server: ForkServer, tmp_path: Path, seen: Seen, reserve: Reserve
) -> None:
    services = [
        tiny("order", port=reserve().port),
        tiny("payment", port=reserve().port, start="die"),
    ]
    stack = supervise(services, fork_server=fork_server, folder=tmp_path, seen=seen)
    with pytest.raises(StackDidNotStart) as stopped:
        await stack.start()
    said = str(stopped.value)
    assert "payment 1 (pid " in said
    assert f"port {services[1].port}) exited with status 5" in said
    assert "tiny cannot go on: the moon is full" in said
    assert str(tmp_path / "payment-1.log") in said
    assert not stack.is_running("order")
    assert await refuses(services[0].port)
    assert "process.exited" not in seen.order


@pytest.mark.parametrize(
    ("start", "limit_s", "why"),
    [
        ("mute", 0.5, "was not healthy within 0.5 s: /health could not be read"),
        ("sick", 2.0, "was not healthy within 2 s: /health answers 503"),
        ("stranger", 2.0, "the port is answered by another process (pid "),
    ],
)
async def test_a_child_that_never_is_healthy_stops_the_start_and_is_gone(
    fork_server: ForkServer,
    tmp_path: Path,
    seen: Seen,
    port: int,
    start: str,
    limit_s: float,
    why: str,
) -> None:
    stack = supervise(
        [tiny("order", port=port, start=start)],
        fork_server=fork_server,
        folder=tmp_path,
        seen=seen,
        start_limit_s=limit_s,
    )
    with pytest.raises(StackDidNotStart) as stopped:
        await stack.start()
    assert why in str(stopped.value)
    assert not stack.is_running("order")
    assert await refuses(port)


async def test_a_stranger_on_the_port_never_passes_for_our_child(
    fork_server: ForkServer, tmp_path: Path, reserve: Reserve
) -> None:
    """Another stack's healthy service holds the port; ours cannot bind it and must not start."""
    port = reserve().port
    (tmp_path / "theirs").mkdir()
    theirs, ours = Seen(), Seen()
    holder = supervise(
        [tiny("order", port=port)],
        fork_server=fork_server,
        folder=tmp_path / "theirs",
        seen=theirs,
    )
    await holder.start()
    stack = supervise(
        [tiny("order", port=port)], fork_server=fork_server, folder=tmp_path, seen=ours
    )
    with pytest.raises(StackDidNotStart, match="exited with status 1"):
        await stack.start()
    assert holder.is_running("order")
    await holder.stop()


async def test_an_end_nobody_asked_for_is_noted_with_status_and_last_lines(
    fork_server: ForkServer, tmp_path: Path, seen: Seen, port: int
) -> None:
    stack = supervise(
        [tiny("order", port=port)], fork_server=fork_server, folder=tmp_path, seen=seen
    )
    await stack.start()
    await ask(port, "/emit?3")
    await ask(port, "/die?9")
    await seen.until(lambda: "process.exited" in seen.order)
    exited = seen.notes[-1]
    assert (exited.exit_status, exited.asked) == (9, False)
    assert exited.last_lines == ("tiny order begins", "tiny fell over: no more orders")
    assert seen.order.index("process.exited") == len(seen.order) - 1
    await stack.start_again("order")
    await ask(port, "/die?8")
    await seen.until(lambda: seen.order.count("process.exited") == 2)
    assert len(seen.notes[-1].last_lines) == 2  # this life's words, not the first's again
    await stack.stop()


async def test_a_line_torn_by_death_is_dropped_and_logged(
    fork_server: ForkServer, tmp_path: Path, seen: Seen, port: int
) -> None:
    stack = supervise(
        [tiny("order", port=port)], fork_server=fork_server, folder=tmp_path, seen=seen
    )
    await stack.start()
    await ask(port, "/torn")
    await seen.until(lambda: "process.exited" in seen.order)
    assert seen.notes[-1].exit_status == -signal.SIGKILL
    assert [line.kind for line in seen.lines] == ["process.listening"]
    assert stack.gaps == ()
    assert 'a torn last line: {"n": 2' in (tmp_path / "order-1.log").read_text()
    await stack.stop()


async def test_a_process_that_cannot_come_back_is_a_fault_not_undone(
    fork_server: ForkServer, tmp_path: Path, seen: Seen, port: int
) -> None:
    stack = supervise(
        [tiny("order", port=port)], fork_server=fork_server, folder=tmp_path, seen=seen
    )
    await stack.start()
    await stack.kill("order")
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", port))
        thief.listen()
        with pytest.raises(FaultNotApplied, match="order 1 could not be started again"):
            await stack.start_again("order")
    await stack.stop()


async def test_without_a_fork_server_interpreters_do_the_same(
    tmp_path: Path, seen: Seen, port: int
) -> None:
    interpreters = Subprocesses()
    stack = supervise(
        [tiny("order", port=port)], fork_server=interpreters, folder=tmp_path, seen=seen
    )
    await stack.start()
    told = (await ask(port, "/environ"))["environ"]
    assert told["ORDER_PARENT_PID"] == str(os.getpid())
    await stack.pause("order")
    await stack.resume("order")
    await stack.kill("order")
    await stack.start_again("order")
    await stack.restart("order")
    assert seen.kinds("order") == [
        "process.started",
        "process.paused",
        "process.resumed",
        "process.killed",
        "process.started",
        "process.exited",
        "process.started",
    ]
    await stack.stop()
    await interpreters.close()
    assert not is_alive(seen.pid("order"))


# ---- with the tool -----------------------------------------------------------------------------


@pytest.fixture
def tool(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.integration.stack.parent", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def what_is_up(tool: subprocess.Popen[str]) -> Any:
    assert tool.stdout is not None
    return json.loads(tool.stdout.readline())


async def test_kill_9_of_the_tool_ends_every_process_and_frees_the_ports(
    tool: subprocess.Popen[str],
) -> None:
    up = what_is_up(tool)
    departures = [Departure(pid) for pid in up["pids"].values()]
    tool.kill()
    assert [departure.happened() for departure in departures] == [True, True]
    assert [await refuses(port) for port in up["ports"]] == [True, True]
    for port in up["ports"]:
        with PortReservation(port) as free:
            assert free.port == port


async def test_kill_9_of_the_tool_ends_every_process_though_the_fork_server_hears_nothing(
    tool: subprocess.Popen[str],
) -> None:
    """Stopped, it cannot see the end of its socket: the kernel alone must end it."""
    up = what_is_up(tool)
    departures = [Departure(pid) for pid in up["pids"].values()]
    fork_server = parent_of(up["pids"]["order"])
    os.kill(fork_server, signal.SIGSTOP)
    departures.append(Departure(fork_server))
    tool.kill()
    assert [departure.happened() for departure in departures] == [True, True, True]


async def test_ctrl_c_ends_every_process_before_the_tool(tool: subprocess.Popen[str]) -> None:
    up = what_is_up(tool)
    tool.send_signal(signal.SIGINT)
    assert tool.wait(LIMIT_S) == 130
    assert [is_alive(pid) for pid in up["pids"].values()] == [False, False]


async def test_the_terminals_ctrl_c_does_not_reach_the_services(
    tool: subprocess.Popen[str],
) -> None:
    up = what_is_up(tool)
    groups = {os.getpgid(pid) for pid in up["pids"].values()}
    assert os.getpgid(tool.pid) not in groups
