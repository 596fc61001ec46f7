"""One gateway for the whole folder; each test has an order of its own, so none sees another."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.gateway.gateway_process import GatewayProcess

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def shared_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    database = tmp_path_factory.mktemp("gateway") / "gateway.db"
    process = GatewayProcess(database, refund_settles_ms="20").start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def gateway(shared_gateway: GatewayProcess) -> Iterator[GatewayProcess]:
    yield shared_gateway
    shared_gateway.lift()


@pytest.fixture
def own_gateway(tmp_path: Path) -> Iterator[GatewayProcess]:
    """A gateway that the test may kill."""
    process = GatewayProcess(tmp_path / "gateway.db").start()
    yield process
    process.stop()


@pytest.fixture
def order() -> str:
    return f"ord_{next(_NUMBERS)}"
