"""The order service as caller against the real payment service as callee, and a real gateway.

Every answer of services/README.md that the order service reads is produced by the service that
gives it, over a real socket: neither side may drift alone.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from services.chassis.breaker import Breaker
from services.chassis.clock import SystemClock
from services.chassis.http_client import Link, http_client
from services.chassis.ids import Ids
from services.chassis.logs import EventLog
from services.order.answers import (
    AlreadyCharged,
    Charged,
    Declined,
    Fenced,
    Refused,
    Undone,
    Unresolved,
)
from services.order.cart import Line
from services.order.order import Order, Status
from services.order.payments import CallBudget, Payments
from tests.services.order.world import OrderService, PaymentDouble
from tests.services.payment.world import Gateway, listening, running_gateway, running_payment


@dataclass
class Callee:
    """Payment and the gateway behind it, as the order service reaches them."""

    http: httpx.AsyncClient
    gateway: Gateway

    def payments(self) -> Payments:
        clock, ids = SystemClock(), Ids()
        link = Link("order_to_payment", events=EventLog(clock, fd=None), clock=clock, ids=ids)
        breaker = Breaker("order_to_payment", failures=5, open_ms=2000)
        budget = CallBudget(
            try_ms=20_000, tries=1, total_ms=20_000, backoff_low_ms=1, backoff_high_ms=2
        )
        return Payments(self.http, link=link, breaker=breaker, budget=budget, clock=clock, ids=ids)


@asynccontextmanager
async def callee(folder: Path, strategy: str) -> AsyncIterator[Callee]:
    async with (
        running_gateway(str(folder / "gateway.db")) as gateway,
        running_payment(gateway.url, str(folder / "payment.db"), strategy=strategy) as payment,
        listening(_requests_of(payment.app)) as url,
        http_client(base_url=url, connect_ms=5000, read_ms=20_000) as http,
    ):
        yield Callee(http=http, gateway=gateway)


def _requests_of(app: ASGIApp) -> ASGIApp:
    """The app without its lifespan, which `running_payment` already runs."""

    async def requests(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await app(scope, receive, send)
            return
        for phase in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{phase}.complete"})

    return requests


@pytest.fixture
async def hardened(tmp_path: Path) -> AsyncIterator[Callee]:
    async with callee(tmp_path, "hardened") as running:
        yield running


def an_order(order_id: str, *, total_minor: int = 4200, card: str = "pm_card_visa") -> Order:
    return Order(
        id=order_id,
        user_id="ada",
        lines=(Line(product_id="mug", quantity=1, price_minor=total_minor),),
        total_minor=total_minor,
        currency="usd",
        card=card,
        status=Status.PENDING,
        created_at_ms=0,
    )


async def test_a_charge_is_read_as_charged_and_its_repetition_too(hardened: Callee) -> None:
    payments, order = hardened.payments(), an_order("ord_1", total_minor=3998)
    outcomes = [await payments.charge(order), await payments.charge(order)]
    assert outcomes == [Charged(amount_minor=3998, currency="usd")] * 2
    assert await hardened.gateway.net_minor("ord_1") == 3998


async def test_a_decline_is_read_as_declined(hardened: Callee) -> None:
    order = an_order("ord_1", card="pm_card_chargeDeclined")
    assert await hardened.payments().charge(order) == Declined(reason="generic_decline")


async def test_a_fence_before_the_charge_makes_it_declined(hardened: Callee) -> None:
    payments, order = hardened.payments(), an_order("ord_1")
    assert await payments.cancel(order) == Fenced()
    assert await payments.cancel(order) == Fenced()
    assert isinstance(await payments.charge(order), Declined)
    assert await hardened.gateway.net_minor("ord_1") == 0


async def test_a_fence_after_the_charge_is_too_late_and_a_refund_undoes_it(
    hardened: Callee,
) -> None:
    payments, order = hardened.payments(), an_order("ord_1")
    await payments.charge(order)
    assert await payments.cancel(order) == AlreadyCharged()
    assert await payments.refund(order) == Undone()
    assert await payments.refund(order) == Undone()
    assert await hardened.gateway.net_minor("ord_1") == 0


async def test_a_refund_of_what_was_never_charged_is_undone(hardened: Callee) -> None:
    assert await hardened.payments().refund(an_order("ord_1")) == Undone()


async def test_a_charge_nobody_can_resolve_yet_is_unresolved(hardened: Callee) -> None:
    await hardened.gateway.fault("unavailable", operation="create", times=100)
    assert isinstance(await hardened.payments().charge(an_order("ord_1")), Unresolved)


@pytest.mark.parametrize(
    "other", [an_order("ord_1", total_minor=4100), an_order("ord_1", card="pm_card_amex")]
)
async def test_another_amount_or_card_for_one_order_is_refused(
    hardened: Callee, other: Order
) -> None:
    payments = hardened.payments()
    await payments.charge(an_order("ord_1"))
    assert isinstance(await payments.charge(other), Refused)


@pytest.mark.parametrize("strategy", ["naive", "hardened"])
async def test_a_whole_checkout_ends_confirmed_and_paid_once(tmp_path: Path, strategy: str) -> None:
    async with callee(tmp_path, strategy) as real, order_service(tmp_path, strategy, real) as order:
        await order.add(quantity=2, price="19.99")
        placed = await order.place(key="k1")
        document = placed.json()["order"]
        assert (placed.status_code, document["status"]) == (200, "confirmed")
        assert await real.gateway.net_minor(document["orderId"]) == 3998


@pytest.mark.parametrize(("strategy", "status"), [("naive", 500), ("hardened", 402)])
async def test_a_whole_checkout_with_a_bad_card_ends_failed_and_unpaid(
    tmp_path: Path, strategy: str, status: int
) -> None:
    async with callee(tmp_path, strategy) as real, order_service(tmp_path, strategy, real) as order:
        await order.add()
        placed = await order.place(paymentMethod="pm_card_chargeDeclinedInsufficientFunds")
        document = placed.json()["order"]
        assert (placed.status_code, document["status"]) == (status, "failed")
        assert await real.gateway.net_minor(document["orderId"]) == 0


async def test_a_cancel_during_the_charge_ends_canceled_with_net_zero(tmp_path: Path) -> None:
    async with (
        callee(tmp_path, "hardened") as real,
        order_service(tmp_path, "hardened", real) as order,
    ):
        await real.gateway.fault("slow_execution", operation="charge", parameters={"ms": 200})
        await order.add()
        placing = asyncio.create_task(order.place(key="k1"))
        order_id = (await order.seen("order.created"))["order"]
        assert (await order.cancel(order_id)).status_code == 202
        await placing
        await order.seen("order.canceled")
        assert await real.gateway.net_minor(order_id) == 0


@asynccontextmanager
async def order_service(folder: Path, strategy: str, real: Callee) -> AsyncIterator[OrderService]:
    service = OrderService(
        strategy=strategy, database=folder / "order.db", payment=_Through(real.http)
    )
    async with service.running():
        yield service


class _Through(PaymentDouble):
    """No double at all: passes every request on to the real payment service."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        super().__init__()
        self._http = http

    async def do(self, request: httpx.Request) -> httpx.Response:
        return await self._http.request(
            request.method,
            request.url.path,
            content=request.content,
            headers=dict(request.headers) | {"host": "payment"},
        )
