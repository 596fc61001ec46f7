import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from checkout_sim.model.errors import StackDidNotStart
from checkout_sim.stack.fork_client import ForkServer
from checkout_sim.stack.launch import launch
from checkout_sim.stack.ports import PortReservation
from tests.integration.stack.world import (
    LIMIT_S,
    TINY,
    Departure,
    Seen,
    ask,
    parent_of,
    supervise,
    tiny,
)

Reserve = Callable[[], PortReservation]


async def end_of(exited: "asyncio.Future[int]") -> int:
    return await asyncio.wait_for(exited, LIMIT_S)


async def test_a_child_runs_main_with_its_output_and_reports_its_exit_status(
    fork_server: ForkServer, tmp_path: Path, reserve: Reserve
) -> None:
    log = tmp_path / "log"
    child = await fork_server.spawn(tiny("order", port=reserve().port, start="die"), 1, log)
    assert await end_of(child.exited) == 5
    assert log.read_text() == "tiny order begins\ntiny cannot go on: the moon is full\n"


async def test_an_exception_in_main_is_status_1_with_its_traceback_in_the_log(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    service = tiny("order", port=0)
    broken = replace(service, environment={"TINY_NAME": "order"})
    child = await fork_server.spawn(broken, 1, tmp_path / "log")
    assert await end_of(child.exited) == 1
    assert "KeyError: 'ORDER_INSTANCE'" in (tmp_path / "log").read_text()


async def test_a_signal_is_reported_as_a_negative_status(
    fork_server: ForkServer, tmp_path: Path, reserve: Reserve
) -> None:
    service = tiny("order", port=reserve().port, start="mute")
    child = await fork_server.spawn(service, 1, tmp_path / "log")
    child.send_signal(signal.SIGKILL)
    assert await end_of(child.exited) == -signal.SIGKILL
    child.send_signal(signal.SIGKILL)  # to nobody: does nothing


async def test_each_child_has_its_own_environment_group_and_chance(
    fork_server: ForkServer,
    tmp_path: Path,
    seen: Seen,
    reserve: Reserve,
) -> None:
    services = [tiny(name, port=reserve().port) for name in ("order", "payment")]
    stack = supervise(services, fork_server=fork_server, folder=tmp_path, seen=seen)
    await stack.start()
    order, payment = [await ask(service.port, "/environ") for service in services]
    assert order["environ"]["TINY_NAME"] == "order"
    assert "PAYMENT_PORT" not in order["environ"]
    assert order["environ"]["PATH"] == os.environ["PATH"]
    assert order["pgid"] == seen.pid("order") != payment["pgid"]
    assert order["chance"] != payment["chance"]
    await stack.stop()


async def test_stray_settings_of_the_operators_shell_do_not_reach_a_service(
    tmp_path: Path, seen: Seen, reserve: Reserve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDER_LEASE_MS", "1")
    fork_server = ForkServer()
    await fork_server.start([TINY])
    service = tiny("order", port=reserve().port)
    stack = supervise([service], fork_server=fork_server, folder=tmp_path, seen=seen)
    await stack.start()
    environ = (await ask(service.port, "/environ"))["environ"]
    assert "ORDER_LEASE_MS" not in environ
    await stack.stop()
    await fork_server.close()


async def test_a_child_keeps_no_descriptor_of_the_fork_server_or_of_its_siblings(
    fork_server: ForkServer, tmp_path: Path, reserve: Reserve
) -> None:
    first = tiny("order", port=reserve().port, start="mute")
    child = await fork_server.spawn(first, 1, tmp_path / "1")
    parent = parent_of(child.pid)
    assert _sockets_of(parent)  # it does have one: to the tool
    reader, writer = os.pipe()
    second = await fork_server.spawn(tiny("payment", port=0, start="die"), writer, tmp_path / "2")
    os.close(writer)
    await end_of(second.exited)
    assert os.read(reader, 1) == b""  # the end of the pipe: nobody else holds it open
    os.close(reader)
    assert not _sockets_of(parent) & _sockets_of(child.pid)


async def test_a_module_that_cannot_be_imported_stops_the_start_with_the_reason() -> None:
    fork_server = ForkServer()
    with pytest.raises(StackDidNotStart, match=r"No module named 'services\.cinema'"):
        await fork_server.start(["services.cinema"])
    await fork_server.close()


async def test_a_fork_server_launched_ahead_is_taken_over() -> None:
    launched = launch([TINY])
    fork_server = ForkServer(launched)
    await fork_server.start([TINY])
    await fork_server.close()
    assert launched.process.returncode == 0


async def test_the_end_of_the_fork_server_is_the_end_of_its_children(
    tmp_path: Path, seen: Seen, reserve: Reserve
) -> None:
    launched = launch([TINY])
    fork_server = ForkServer(launched)
    await fork_server.start([TINY])
    service = tiny("order", port=reserve().port)
    stack = supervise([service], fork_server=fork_server, folder=tmp_path, seen=seen)
    await stack.start()
    departure = Departure(seen.pid("order"))
    launched.process.kill()
    await seen.until(lambda: "process.exited" in seen.order)
    assert departure.happened()
    assert (seen.notes[-1].exit_status, seen.notes[-1].asked) == (-signal.SIGKILL, False)
    with pytest.raises(StackDidNotStart, match="the fork server is not running"):
        await fork_server.spawn(service, 1, tmp_path / "log")
    await stack.stop()
    await fork_server.close()


async def test_closing_it_ends_what_it_still_has_paused_or_not(
    tmp_path: Path, seen: Seen, reserve: Reserve
) -> None:
    fork_server = ForkServer()
    await fork_server.start([TINY])
    services = [tiny(name, port=reserve().port) for name in ("order", "payment")]
    stack = supervise(services, fork_server=fork_server, folder=tmp_path, seen=seen)
    await stack.start()
    await stack.pause("payment")
    departures = [Departure(seen.pid(name)) for name in ("order", "payment")]
    await fork_server.close()
    await fork_server.close()
    assert [departure.happened() for departure in departures] == [True, True]
    await stack.stop()


async def test_a_fork_whose_asker_gave_up_is_not_left_behind(
    fork_server: ForkServer, tmp_path: Path, reserve: Reserve
) -> None:
    log = tmp_path / "log"
    service = tiny("order", port=reserve().port, start="mute")
    asking = asyncio.ensure_future(fork_server.spawn(service, 1, log))
    await asyncio.sleep(0)  # the request is on its way, the answer cannot be here yet
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    # A later child is answered later, so the first one's report has been read by then.
    later = await fork_server.spawn(service, 1, log)
    departures = [Departure(pid) for pid in _children_of(later.pid) if pid != later.pid]
    assert all(departure.happened() for departure in departures)


def _children_of(sibling: int) -> list[int]:
    """Return every child of the process whose child this is."""
    parent = parent_of(sibling)
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def _sockets_of(pid: int) -> set[str]:
    links = [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    return {link for link in links if link.startswith("socket:")}
