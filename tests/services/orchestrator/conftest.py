"""An orchestrator on a database file of its own, over an order service and a payment double."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.services.orchestrator.world import Orchestrator, Payment, Shop, running_shop


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with running_shop(tmp_path) as running:
        yield running


@pytest.fixture
def payment() -> Payment:
    return Payment()


@pytest.fixture
def asleep(tmp_path: Path, shop: Shop, payment: Payment) -> Orchestrator:
    """One that is not running yet."""
    return Orchestrator(database=tmp_path / "orchestrator.db", shop=shop, payment=payment)


@pytest.fixture
async def orchestrator(asleep: Orchestrator) -> AsyncIterator[Orchestrator]:
    async with asleep.running():
        yield asleep
