"""The gateway and payment, side by side, each on a database file of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .world import Gateway, Service, running_gateway, running_payment


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running_gateway(str(tmp_path / "gateway.db")) as running:
        yield running


@pytest.fixture
def database(tmp_path: Path) -> str:
    return str(tmp_path / "payment.db")


@pytest.fixture
async def payment(gateway: Gateway, database: str) -> AsyncIterator[Service]:
    async with running_payment(gateway.url, database) as service:
        yield service
