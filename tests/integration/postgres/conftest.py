"""One private PostgreSQL for all tests here; each has databases of its own on it."""

import itertools
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from checkout_sim.stack.ports import LOOPBACK
from checkout_sim.stack.postgresql import PostgreSQL, start_postgresql
from checkout_sim.stack.postgresql_program import is_installed
from tests.integration.postgres.link import Link, linked

_scopes = itertools.count(1)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server() -> AsyncIterator[PostgreSQL]:
    if not is_installed():
        pytest.skip("needs PostgreSQL's server programs (Debian: apt-get install postgresql)")
    running = await start_postgresql()
    yield running
    await running.stop()


@pytest.fixture
async def url(server: PostgreSQL) -> AsyncIterator[str]:
    """An empty database of this test's own."""
    scope = f"test-{next(_scopes)}"
    await server.administration.create([scope])
    yield server.url_at(LOOPBACK, server.port, scope=scope)
    await server.administration.drop([scope])


@pytest.fixture
async def link(url: str) -> AsyncIterator[Link]:
    """The way to that database, which can be cut at a COMMIT."""
    async with linked(url) as made:
        yield made
