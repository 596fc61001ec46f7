"""The private broker: what it keeps through its deaths, and that nothing of it is left."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aio_pika
import psutil
import pytest

from checkout_sim.faults.broker import BrokerDesk
from checkout_sim.model.errors import FaultNotApplied, StackDidNotStart
from checkout_sim.stack import rabbitmq_program
from checkout_sim.stack.kernel import is_stopped
from checkout_sim.stack.ports import LOOPBACK
from checkout_sim.stack.rabbitmq import RabbitMQ, start_rabbitmq

from .world import LIMIT_S, Reader, placed

_TOOL = """
import asyncio
from checkout_sim.stack.rabbitmq import start_rabbitmq

async def main():
    broker = await start_rabbitmq()
    print(broker.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
async def own() -> AsyncIterator[RabbitMQ]:
    """Start a broker to be harmed."""
    broker = await start_rabbitmq()
    yield broker
    await broker.stop()


async def test_what_was_confirmed_survives_a_kill(own: RabbitMQ) -> None:
    url = own.url_at(LOOPBACK, own.port, scope="s")
    async with Reader(url, "s", "order.events").running() as order:
        await order.bus.publish(placed())
    first = own.pid
    await own.kill()
    with pytest.raises(FaultNotApplied, match="not running"):
        await own.kill()
    with pytest.raises(OSError, match=r"refused|Connect"):
        await aio_pika.connect(url)
    await own.start_again()
    assert own.pid != first
    async with Reader(url, "s", "payment.events").running() as payment:
        await payment.until_handled()
    assert payment.handled[0].message_id == "msg_1"
    await own.pause()
    assert is_stopped(own.pid)
    await own.resume()
    assert not is_stopped(own.pid)
    await own.stop()
    assert not psutil.pid_exists(own.pid)


async def test_a_tool_killed_by_sigkill_leaves_neither_broker_nor_epmd() -> None:
    tool = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _TOOL,
        cwd=Path(__file__).parents[3],
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert tool.stdout is not None
    async with asyncio.timeout(2 * LIMIT_S):
        broker_pid = int(await tool.stdout.readline())
    left = [psutil.Process(broker_pid), *psutil.Process(tool.pid).children(recursive=True)]
    assert {"beam.smp", "epmd"} <= {process.name() for process in left}
    os.kill(tool.pid, signal.SIGKILL)
    await tool.wait()
    async with asyncio.timeout(LIMIT_S):
        while any(_lives(process) for process in left):  # noqa: ASYNC110 - the kernel tells no stranger
            await asyncio.sleep(0.01)


def _applications(pid: int) -> set[str]:
    """Return what Erlang may load, by what the broker's process was told."""
    folder = Path(psutil.Process(pid).environ()["ERL_LIBS"])
    return {entry.name.rpartition("-")[0] for entry in folder.iterdir()}


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


async def test_it_listens_on_loopback_alone_and_not_as_root(rabbitmq: RabbitMQ) -> None:
    broker = psutil.Process(rabbitmq.pid)
    listening = {
        connection.laddr.ip
        for connection in broker.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {LOOPBACK}
    assert broker.uids().effective != 0


async def test_it_starts_without_the_plugins_beside_it(rabbitmq: RabbitMQ) -> None:
    names = _applications(rabbitmq.pid)
    assert {"rabbit", "rabbit_common", "ra"} <= names
    assert names.isdisjoint({"rabbitmq_management", "rabbitmq_mqtt", "cowboy"})


async def test_a_closed_scope_leaves_no_queue(url: str, scope: str, rabbitmq: RabbitMQ) -> None:
    async with Reader(url, scope, "order.events").running() as order:
        await order.until_connected()
    await rabbitmq.close_scope(scope)
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        with pytest.raises(aio_pika.exceptions.ChannelNotFoundEntity):
            await channel.declare_queue(f"{scope}.payment.events", passive=True)


async def test_two_scopes_on_one_broker_do_not_hear_each_other(
    url: str, scope: str, desk: BrokerDesk, rabbitmq: RabbitMQ
) -> None:
    other = f"{scope}-other"
    async with (
        Reader(url, scope, "payment.events").running() as ours,
        Reader(url, other, "payment.events").running() as theirs,
    ):
        await theirs.until_connected()
        await ours.bus.publish(placed("msg_1"))
        await theirs.bus.publish(placed("msg_2"))
        await ours.until_handled()
        await theirs.until_handled()
    await rabbitmq.close_scope(other)
    assert [delivery.message_id for delivery in ours.handled] == ["msg_1"]
    assert (await desk.waiting()).count == 0


def test_a_machine_without_rabbitmq_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rabbitmq_program, "_USUAL", ())
    monkeypatch.setenv("PATH", "")
    with pytest.raises(StackDidNotStart, match="apt-get install rabbitmq-server"):
        rabbitmq_program.find_rabbitmq()


@pytest.mark.parametrize("version", ["3.7.28", "3.6", "2.8.7"])
def test_a_rabbitmq_that_is_too_old_is_named(version: str) -> None:
    with pytest.raises(StackDidNotStart, match=rf"RabbitMQ {version} .* expected 3.8 or later"):
        rabbitmq_program.require_version(version)


@pytest.mark.parametrize("version", ["3.8.0", "3.10.8", "4.1.0"])
def test_a_rabbitmq_that_is_new_enough_is_taken(version: str) -> None:
    rabbitmq_program.require_version(version)
