"""Order services on a database file of their own, with a payment double."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.services.order.world import OrderService, PaymentDouble


@pytest.fixture
def payment() -> PaymentDouble:
    return PaymentDouble()


@pytest.fixture
async def naive(tmp_path: Path, payment: PaymentDouble) -> AsyncIterator[OrderService]:
    service = OrderService(strategy="naive", database=tmp_path / "order.db", payment=payment)
    async with service.running():
        yield service


@pytest.fixture
async def hardened(tmp_path: Path, payment: PaymentDouble) -> AsyncIterator[OrderService]:
    service = OrderService(strategy="hardened", database=tmp_path / "order.db", payment=payment)
    async with service.running():
        yield service
