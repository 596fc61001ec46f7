"""One broker for all runs of a command: started once, revived for the next, private if struck."""

import asyncio

import psutil

from checkout_sim.stack.rabbitmq import RabbitMQ
from checkout_sim.stack.servers import Servers

from .world import LIMIT_S


async def test_runs_share_a_broker_unless_they_strike_it_and_find_a_dead_one_revived() -> None:
    servers = Servers()
    servers.begin(["broker"])
    try:
        async with (
            servers.borrow("broker", private=False) as ours,
            servers.borrow("broker", private=False) as theirs,
        ):
            assert ours is theirs
        assert isinstance(ours, RabbitMQ)
        pid = ours.pid
        await ours.kill()
        async with (
            servers.borrow("broker", private=False) as revived,
            servers.borrow("broker", private=False) as again,
        ):
            assert revived is ours
            assert again.pid == revived.pid != pid
    finally:
        await servers.close()


async def test_a_broker_begun_for_runs_that_never_came_is_stopped() -> None:
    before = _brokers()
    servers = Servers()
    servers.begin(["broker"])
    async with asyncio.timeout(LIMIT_S):
        while _brokers() == before:  # noqa: ASYNC110 - a child tells nobody that it is there
            await asyncio.sleep(0.01)
    servers.begin(["broker"])
    await servers.close()
    assert _brokers() == before


def _brokers() -> set[int]:
    """Return the brokers that are this process's children, by the last of their names."""
    return {
        child.pid
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE and child.name() == "beam.smp"
    }


async def test_a_command_interrupted_while_its_broker_starts_leaves_none() -> None:
    servers = Servers()

    async def borrow() -> None:
        async with servers.borrow("broker", private=False):
            raise AssertionError("it was not to be ready yet")

    borrowing = asyncio.create_task(borrow())
    await asyncio.sleep(0)
    await servers.close()
    borrowing.cancel()
    (ended,) = await asyncio.gather(borrowing, return_exceptions=True)
    assert isinstance(ended, asyncio.CancelledError)
