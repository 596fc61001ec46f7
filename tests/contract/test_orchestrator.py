"""The orchestrator as caller against the real order and payment services, and a real gateway.

Every answer of services/README.md that it reads is produced by the service that gives it, and its
budgets are those the tool plans with: neither side may drift alone.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from checkout_sim.model import wire
from services.orchestrator.answers import Answer, read
from services.orchestrator.calls import request_of
from services.orchestrator.saga import (
    AlreadyCharged,
    Claimed,
    Event,
    Mismatched,
    Ordered,
    Paid,
    Phase,
    Refused,
    Saga,
    State,
    Step,
    Succeeded,
)
from services.orchestrator.settings import OrchestratorSettings
from tests.contract.test_order_payment import Callee, callee
from tests.services.orchestrator.world import Orchestrator, Payment, Shop, running_shop

PAID = Paid(amount_minor=4200, currency="usd")


@dataclass
class Participants:
    """Order and payment as a saga reaches them."""

    shop: Shop
    payment: Callee

    async def take(self, saga: Saga, step: Step) -> Event:
        """Ask for a step as the orchestrator does and read what came back as it does."""
        ask = request_of(saga, step)
        http = self.shop.http if ask.path.startswith("/order") else self.payment.http
        response = await http.post(
            ask.path, json=ask.body, headers={"Idempotency-Key": ask.key}, timeout=20
        )
        answer = Answer(
            http_status=response.status_code, body=response.json(), response=response.text
        )
        return read(saga, step, answer, overdue=False)

    async def created(self, saga: Saga) -> Saga:
        """The saga after its order was created."""
        await self.shop.add(saga.user_id)
        event = await self.take(saga, Step.CREATE)
        assert isinstance(event, Succeeded)
        assert event.order is not None
        return replace(saga, order=event.order, paid=PAID)


@pytest.fixture
async def real(tmp_path: Path) -> AsyncIterator[Participants]:
    async with callee(tmp_path, "orchestrated") as payment, running_shop(tmp_path) as shop:
        yield Participants(shop=shop, payment=payment)


def a_saga(name: str = "1", *, card: str = "pm_card_visa") -> Saga:
    return Saga(
        id=f"saga_{name}", order_id=f"ord_{name}", user_id="ada", card=card, created_at_ms=0
    )


def undoing(saga: Saga) -> Saga:
    return replace(saga, ends_as=State.CANCELED, reason="shopper_canceled")


async def test_a_whole_checkout_is_read_step_by_step(real: Participants) -> None:
    saga = await real.created(a_saga())
    assert saga.order is not None
    assert (saga.order.total_minor, saga.order.status) == (4200, "pending")
    assert await real.take(saga, Step.CHARGE) == Succeeded(step=Step.CHARGE, paid=PAID)
    confirmed = await real.take(saga, Step.CONFIRM)
    assert isinstance(confirmed, Succeeded)
    assert isinstance(confirmed.order, Ordered)
    assert confirmed.order.status == "confirmed"
    assert await real.payment.gateway.net_minor("ord_1") == 4200


@pytest.mark.parametrize("step", [Step.CREATE, Step.CHARGE])
async def test_a_step_that_comes_again_is_read_as_it_was(real: Participants, step: Step) -> None:
    saga = await real.created(a_saga())
    assert await real.take(saga, step) == await real.take(saga, step)


async def test_an_empty_cart_is_refused(real: Participants) -> None:
    assert await real.take(a_saga(), Step.CREATE) == Refused(step=Step.CREATE, reason="cart_empty")


async def test_a_cart_held_by_another_order_is_claimed(real: Participants) -> None:
    await real.created(a_saga())
    assert await real.take(a_saga("2"), Step.CREATE) == Claimed(order_id="ord_1")


async def test_a_decline_is_refused_and_a_charge_of_another_amount_mismatched(
    real: Participants,
) -> None:
    saga = await real.created(a_saga(card="pm_card_chargeDeclined"))
    declined = Refused(step=Step.CHARGE, reason="generic_decline")
    assert await real.take(saga, Step.CHARGE) == declined
    assert saga.order is not None
    other = replace(saga, order=replace(saga.order, total_minor=4100))
    assert await real.take(other, Step.CHARGE) == Mismatched(reason="charge_mismatch")


async def test_a_fence_before_the_charge_stops_it(real: Participants) -> None:
    saga = await real.created(a_saga())
    assert await real.take(saga, Step.FENCE) == Succeeded(step=Step.FENCE)
    assert isinstance(await real.take(saga, Step.CHARGE), Refused)
    assert await real.payment.gateway.net_minor("ord_1") == 0


async def test_a_fence_after_the_charge_says_what_was_paid(real: Participants) -> None:
    saga = await real.created(a_saga())
    await real.take(saga, Step.CHARGE)
    assert await real.take(saga, Step.FENCE) == AlreadyCharged(paid=PAID)


async def test_who_wants_out_is_refused_a_confirmation_and_undone(real: Participants) -> None:
    saga = await real.created(a_saga())
    await real.take(saga, Step.CHARGE)
    await real.shop.cancel("ord_1")
    wanted = Refused(step=Step.CONFIRM, reason="shopper_canceled")
    assert await real.take(saga, Step.CONFIRM) == wanted
    for _ in range(2):
        assert await real.take(saga, Step.REFUND) == Succeeded(step=Step.REFUND)
        undone = await real.take(undoing(saga), Step.CANCEL)
        assert isinstance(undone, Succeeded)
        assert undone.order is not None
        assert undone.order.status == "canceled"
    assert await real.payment.gateway.net_minor("ord_1") == 0


async def test_undoing_what_never_was_shuts_the_door_on_what_comes_late(
    real: Participants,
) -> None:
    saga = await real.created(a_saga())
    other = replace(a_saga("2"), order=saga.order)
    assert await real.take(other, Step.REFUND) == Succeeded(step=Step.REFUND)
    assert isinstance(await real.take(undoing(other), Step.CANCEL), Succeeded)
    assert isinstance(await real.take(other, Step.CHARGE), Refused)
    late = Refused(step=Step.CREATE, reason="order_canceled")
    assert await real.take(other, Step.CREATE) == late


async def test_a_cancel_during_the_charge_ends_canceled_with_net_zero(
    tmp_path: Path, real: Participants
) -> None:
    await real.payment.gateway.fault("slow_execution", operation="charge", parameters={"ms": 200})
    await real.shop.add()
    async with orchestrated(tmp_path, real) as orchestrator:
        placing = asyncio.create_task(orchestrator.place(key="k1"))
        order_id = (await orchestrator.seen("saga.started"))["order"]
        while (await real.shop.cancel(order_id)).status_code != httpx.codes.ACCEPTED:
            assert not placing.done()  # not created yet
        await placing
        assert (await orchestrator.seen("saga.ended"))["data"]["state"] == "canceled"
    assert await real.payment.gateway.net_minor(order_id) == 0


async def test_the_log_holds_the_key_of_every_step(tmp_path: Path, real: Participants) -> None:
    await real.shop.add()
    async with orchestrated(tmp_path, real) as orchestrator:
        order_id = (await orchestrator.place()).json()["order"]["orderId"]
        rows = (await orchestrator.http.get("/ledger/saga_steps")).json()["rows"]
    started = {row["step"]: row["key"] for row in rows if row["phase"] == Phase.STARTED}
    assert started == {step: f"{order_id}:{step}" for step in ("create", "charge", "confirm")}


def test_budgets_are_those_the_tool_plans_with() -> None:
    fields = OrchestratorSettings.model_fields
    ours = {name: field.default for name, field in fields.items() if name in _planned()}
    assert ours == wire.SETTINGS["orchestrator"]


def _planned() -> set[str]:
    return set(wire.SETTINGS["orchestrator"])


@asynccontextmanager
async def orchestrated(folder: Path, real: Participants) -> AsyncIterator[Orchestrator]:
    orchestrator = Orchestrator(
        database=folder / "orchestrator.db", shop=real.shop, payment=_Through(real.payment.http)
    )
    async with orchestrator.running():
        yield orchestrator


class _Through(Payment):
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
