"""One private RabbitMQ for the whole folder: it takes seconds to start; scopes keep tests apart.

Where it is not installed these tests are skipped, and say so.
"""

import secrets
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from checkout_sim.faults.broker import BrokerDesk
from checkout_sim.stack.ports import LOOPBACK
from checkout_sim.stack.rabbitmq import RabbitMQ, start_rabbitmq
from checkout_sim.stack.servers import unavailable


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    missing = unavailable("broker")
    if missing is not None:
        pytest.skip(missing)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def rabbitmq(installed: None) -> AsyncIterator[RabbitMQ]:  # noqa: ARG001 - asked first
    broker = await start_rabbitmq()
    yield broker
    await broker.stop()


@pytest.fixture
async def scope(rabbitmq: RabbitMQ) -> AsyncIterator[str]:
    """A prefix of its own for every test, whose queues are deleted afterwards."""
    prefix = f"test-{secrets.token_hex(4)}"
    yield prefix
    await rabbitmq.close_scope(prefix)


@pytest.fixture
def url(rabbitmq: RabbitMQ, scope: str) -> str:
    return rabbitmq.url_at(LOOPBACK, rabbitmq.port, scope=scope)


@pytest.fixture
async def desk(url: str, scope: str) -> AsyncIterator[BrokerDesk]:
    desk = BrokerDesk(url, scope)
    yield desk
    await desk.close()
