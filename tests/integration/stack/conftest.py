"""A warm fork server per test, free ports, a record: everything is taken down afterwards."""

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from checkout_sim.stack.fork_client import ForkServer
from checkout_sim.stack.ports import PortReservation
from tests.integration.stack.world import TINY, Seen


@pytest.fixture
async def fork_server() -> AsyncIterator[ForkServer]:
    server = ForkServer()
    await server.start([TINY])
    yield server
    await server.close()


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def reserve() -> Iterator[Callable[[], PortReservation]]:
    held: list[PortReservation] = []

    def reserve() -> PortReservation:
        held.append(PortReservation())
        return held[-1]

    yield reserve
    for reservation in held:
        reservation.close()
