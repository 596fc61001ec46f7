"""One warm fork server per worker; every run still has a world of its own."""

from collections.abc import AsyncIterator

import pytest_asyncio

from checkout_sim.stack.fork_client import ForkServer
from checkout_sim.stack.topology import MODULES


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def fork_server() -> AsyncIterator[ForkServer]:
    server = ForkServer()
    await server.start(MODULES)
    yield server
    await server.close()
