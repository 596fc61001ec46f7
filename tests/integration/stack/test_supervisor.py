import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from checkout_sim.model.errors import FaultNotApplied
from checkout_sim.stack.fork_client import ForkServer
from checkout_sim.stack.kernel import is_stopped
from checkout_sim.stack.ports import PortReservation
from checkout_sim.stack.supervisor import Supervisor
from tests.integration.stack.world import Seen, ask, is_alive, refuses, supervise, tiny

Reserve = Callable[[], PortReservation]


@pytest.fixture
def port(reserve: Reserve) -> int:
    return reserve().port


@pytest.fixture
def one(fork_server: ForkServer, tmp_path: Path, seen: Seen, port: int) -> Supervisor:
    return supervise(
        [tiny("order", port=port)], fork_server=fork_server, folder=tmp_path, seen=seen
    )


async def test_every_service_is_healthy_and_noted_once_start_returns(
    fork_server: ForkServer, tmp_path: Path, seen: Seen, reserve: Reserve
) -> None:
    services = [tiny(name, port=reserve().port) for name in ("order", "payment", "gateway")]
    stack = supervise(services, fork_server=fork_server, folder=tmp_path, seen=seen)
    await stack.start()
    answers = [await ask(service.port, "/health") for service in services]
    assert [answer["pid"] for answer in answers] == [seen.pid(each.name) for each in services]
    assert [note.kind for note in seen.notes] == ["process.started"] * 3
    assert {note.process: note.port for note in seen.notes} == {s.name: s.port for s in services}
    assert [line.kind for line in seen.lines] == ["process.listening"] * 3
    await stack.stop()


async def test_stop_leaves_no_process_and_no_listener_and_may_be_repeated(
    one: Supervisor, seen: Seen, port: int
) -> None:
    await one.start()
    await one.stop()
    await one.stop()
    assert not is_alive(seen.pid("order"))
    assert await refuses(port)
    assert seen.kinds("order") == ["process.started"]


async def test_stop_ends_a_paused_process_and_a_deaf_one(
    fork_server: ForkServer, tmp_path: Path, seen: Seen, reserve: Reserve
) -> None:
    services = [
        tiny("order", port=reserve().port),
        tiny("payment", port=reserve().port, start="stubborn"),
    ]
    stack = supervise(services, fork_server=fork_server, folder=tmp_path, seen=seen)
    await stack.start()
    await stack.pause("order")
    await stack.stop()
    assert [is_alive(seen.pid(name)) for name in ("order", "payment")] == [False, False]


async def test_stop_before_start_does_nothing(one: Supervisor, seen: Seen) -> None:
    await one.stop()
    assert seen.order == []


async def test_a_killed_process_is_reaped_and_its_port_refuses(
    one: Supervisor, seen: Seen, port: int
) -> None:
    await one.start()
    await one.kill("order")
    assert seen.kinds("order") == ["process.started", "process.killed"]
    assert not is_alive(seen.pid("order"))
    assert not one.is_running("order")
    assert await refuses(port)
    await one.stop()


async def test_what_a_process_said_before_it_was_killed_comes_before_the_note(
    one: Supervisor, seen: Seen, port: int
) -> None:
    await one.start()
    await ask(port, "/emit?2000")
    await one.kill("order")
    assert len(seen.lines) == 2001
    assert seen.order[-1] == "process.killed"
    await one.stop()


async def test_a_killed_process_starts_again_on_its_port_as_a_new_one(
    one: Supervisor, port: int
) -> None:
    await one.start()
    first = await ask(port, "/health")
    await one.kill("order")
    await one.start_again("order")
    second = await ask(port, "/health")
    assert second["pid"] != first["pid"]
    assert second["instance"] != first["instance"]
    assert one.gaps == ()  # each process counts its lines from 1
    await one.stop()


async def test_starting_a_process_that_runs_does_nothing(one: Supervisor, seen: Seen) -> None:
    await one.start()
    await one.start_again("order")
    assert seen.kinds("order") == ["process.started"]
    await one.stop()


async def test_every_thread_of_a_paused_process_is_stopped_until_it_is_resumed(
    fork_server: ForkServer, tmp_path: Path, seen: Seen, port: int
) -> None:
    services = [tiny("order", port=port, start="twin")]
    stack = supervise(services, fork_server=fork_server, folder=tmp_path, seen=seen)
    await stack.start()
    pid = seen.pid("order")
    await stack.pause("order")
    assert is_stopped(pid)
    waiting = asyncio.ensure_future(ask(port, "/health"))  # the kernel accepts; nobody answers
    await stack.resume("order")
    assert not is_stopped(pid)
    assert (await waiting)["pid"] == pid
    assert seen.kinds("order") == ["process.started", "process.paused", "process.resumed"]
    await stack.stop()


async def test_resuming_what_is_not_paused_does_nothing(one: Supervisor, seen: Seen) -> None:
    await one.start()
    await one.resume("order")
    await one.kill("order")
    await one.resume("order")
    assert seen.kinds("order") == ["process.started", "process.killed"]
    await one.stop()


async def test_a_paused_process_can_be_killed(one: Supervisor, seen: Seen) -> None:
    await one.start()
    await one.pause("order")
    await one.kill("order")
    assert seen.kinds("order")[-1] == "process.killed"
    await one.stop()


async def test_restart_ends_the_old_process_in_order_and_keeps_the_port(
    one: Supervisor, seen: Seen, port: int
) -> None:
    await one.start()
    old = seen.pid("order")
    await one.restart("order")
    assert seen.kinds("order") == ["process.started", "process.exited", "process.started"]
    exited = seen.notes[1]
    assert (exited.pid, exited.exit_status, exited.asked) == (old, 0, True)
    assert (await ask(port, "/health"))["pid"] == seen.pid("order") != old
    await one.stop()


async def test_restart_wakes_a_paused_process_so_that_it_can_end(
    one: Supervisor, seen: Seen
) -> None:
    await one.start()
    await one.pause("order")
    await one.restart("order")
    assert seen.notes[-2].exit_status == 0
    await one.stop()


async def test_calm_resumes_the_paused_and_starts_the_dead(
    fork_server: ForkServer, tmp_path: Path, seen: Seen, reserve: Reserve
) -> None:
    services = [tiny(name, port=reserve().port) for name in ("order", "payment", "gateway")]
    stack = supervise(services, fork_server=fork_server, folder=tmp_path, seen=seen)
    await stack.start()
    await stack.pause("order")
    await stack.kill("payment")
    await stack.start_all_again()
    assert seen.kinds("order")[-1] == "process.resumed"
    assert seen.kinds("payment")[-1] == "process.started"
    assert seen.kinds("gateway") == ["process.started"]
    await stack.stop()


async def test_two_stacks_live_side_by_side_from_one_fork_server(
    fork_server: ForkServer, tmp_path: Path, reserve: Reserve
) -> None:
    seen = [Seen(), Seen()]
    stacks = []
    for number, each in enumerate(seen):
        folder = tmp_path / str(number)
        folder.mkdir()
        services = [tiny(name, port=reserve().port) for name in ("order", "payment")]
        stacks.append(supervise(services, fork_server=fork_server, folder=folder, seen=each))
    await asyncio.gather(*(stack.start() for stack in stacks))
    await stacks[0].stop()
    assert not is_alive(seen[0].pid("order"))
    assert is_alive(seen[1].pid("order"))
    await stacks[1].kill("order")
    assert seen[1].kinds("order") == ["process.started", "process.killed"]
    assert seen[0].kinds("order") == ["process.started"]
    await stacks[1].stop()


async def test_replicas_are_processes_of_their_own(
    fork_server: ForkServer, tmp_path: Path, seen: Seen, reserve: Reserve
) -> None:
    services = [tiny("payment", port=reserve().port, instance=number) for number in (1, 2)]
    stack = supervise(services, fork_server=fork_server, folder=tmp_path, seen=seen)
    await stack.start()
    await stack.kill("payment", 2)
    assert [stack.is_running("payment", number) for number in (1, 2)] == [True, False]
    assert (seen.notes[-1].process, seen.notes[-1].instance) == ("payment", 2)
    await stack.stop()


@pytest.mark.parametrize("deed", ["kill", "pause", "restart"])
async def test_a_deed_on_a_process_that_is_not_running_is_a_fault_not_applied(
    one: Supervisor, deed: str
) -> None:
    await one.start()
    await one.kill("order")
    with pytest.raises(FaultNotApplied, match=f"cannot {deed} order 1: it is not running"):
        await getattr(one, deed)("order")
    await one.stop()


async def test_a_process_this_stack_does_not_have_is_named_with_those_it_has(
    one: Supervisor,
) -> None:
    with pytest.raises(FaultNotApplied, match="no process payment 1; it has order 1"):
        await one.kill("payment")
