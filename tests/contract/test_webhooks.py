"""Gateway and payment agree on webhooks: what one signs and sends, the other believes and applies.

Both sides run the SDK's own scheme, and so does this page: `construct_event` reads what the gateway
sent, and payment reads what `generate_signature_header` signed.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import stripe
from fastapi import FastAPI

from services.chassis.clock import SystemClock
from services.chassis.ids import Ids
from services.chassis.logs import EventLog
from services.chassis.serve import Surroundings
from services.payment.__main__ import build
from services.payment.settings import PaymentSettings
from services.payment.signing import NotGenuine, verify
from tests.services.gateway.gateway_process import GatewayProcess
from tests.services.gateway.webhook_receiver import WebhookReceiver
from tests.services.payment.world import Gateway, Service, listening, running_gateway

SECRET = "whsec_simulator"
NEVER_MS = 600_000
LIMIT_SECONDS = 20


def test_the_sdk_reads_what_the_gateway_sends(tmp_path: Path) -> None:
    with WebhookReceiver() as receiver:
        gateway = GatewayProcess(tmp_path / "gateway.db", webhook_url=receiver.url).start()
        try:
            paid = gateway.paid("ord_1")
            (told,) = receiver.of("ord_1", 1)
        finally:
            gateway.stop()
    event = stripe.Webhook.construct_event(told.body, told.signature, SECRET)

    assert event.type == "payment_intent.succeeded"
    assert event.data.object["id"] == paid["id"]


def test_payment_reads_what_the_sdk_signs_until_it_is_stale() -> None:
    body = json.dumps({"id": "evt_1"})
    now_s = int(time.time())
    header = stripe.WebhookSignature.generate_signature_header(body, SECRET, now_s - 300)

    assert verify(body.encode(), header, SECRET, now_s=now_s) == body
    with pytest.raises(NotGenuine, match="301 s ago"):
        verify(body.encode(), header, SECRET, now_s=now_s + 1)


def test_the_injected_clock_decides_what_is_stale() -> None:
    body = json.dumps({"id": "evt_1"})
    header = stripe.WebhookSignature.generate_signature_header(body, SECRET, 1000)

    assert verify(body.encode(), header, SECRET, now_s=1100.0) == body


def test_payment_accepts_either_secret_while_one_is_rolled(tmp_path: Path) -> None:
    with WebhookReceiver() as receiver:
        gateway = GatewayProcess(tmp_path / "gateway.db", webhook_url=receiver.url).start()
        try:
            roll = f"{gateway.url}/_control/webhook_endpoints/we_gateway_to_payment/roll"
            gateway.http.post(roll, json={"secret": "whsec_new", "expires_after_ms": NEVER_MS})
            gateway.paid("ord_1")
            (told,) = receiver.of("ord_1", 1)
        finally:
            gateway.stop()

    for secret in (SECRET, "whsec_new"):
        assert verify(told.body, told.signature, secret, now_s=time.time())


class Pair:
    """Gateway and payment, each on a port, each calling the other."""

    def __init__(self, gateway: Gateway, payment: Service) -> None:
        self.gateway = gateway
        self.payment = payment

    async def until(self, phase: str, order: str) -> None:
        async with asyncio.timeout(LIMIT_SECONDS):
            while (await self.payment.row(order))["phase"] != phase:  # noqa: ASYNC110 - as the tool
                await asyncio.sleep(0.01)


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    """A payment service that hears of charges by webhook alone: its reconciler sleeps."""
    async with running_gateway(str(tmp_path / "gateway.db")) as gateway:
        settings = PaymentSettings(
            strategy="hardened",
            gateway_url=gateway.url,
            database=str(tmp_path / "payment.db"),
            gateway_try_ms=5000,
            gateway_total_ms=20_000,
            gateway_tries=2,
            tick_ms=NEVER_MS,
            lease_ms=NEVER_MS,
        )
        clock = SystemClock()
        events = EventLog(clock, fd=None)
        app = build(settings, Surroundings(clock=clock, ids=Ids(), events=events))
        assert isinstance(app, FastAPI)
        async with (
            listening(app) as url,
            httpx.AsyncClient(base_url=url, trust_env=False, timeout=LIMIT_SECONDS) as http,
        ):
            service = Service(app=app, http=http)
            events.listener = service.heard
            await _introduce(gateway, url)
            yield Pair(gateway, service)


async def _introduce(gateway: Gateway, url: str) -> None:
    """Register payment with the gateway under the secret it knows."""
    made = await gateway.http.post(
        "/v1/webhook_endpoints",
        data={"url": f"{url}/webhooks/stripe", "enabled_events[0]": "*"},
        headers={"Authorization": "Bearer sk_test_x"},
    )
    endpoint = made.json()["id"]
    rolled = await gateway.http.post(
        f"/_control/webhook_endpoints/{endpoint}/roll", json={"secret": SECRET}
    )
    assert rolled.status_code == 200, rolled.text


async def test_a_charge_whose_answers_are_lost_is_completed_by_its_webhook(pair: Pair) -> None:
    await pair.gateway.fault("drop_after_commit", operation="charge", times=1000)
    await pair.payment.process("ord_1")
    await pair.until("completed", "ord_1")

    assert await pair.gateway.net_minor("ord_1") == 4200


async def test_a_webhook_ahead_of_its_answer_and_twice_completes_once(pair: Pair) -> None:
    await pair.gateway.fault("delay_after_commit", operation="confirm", parameters={"ms": 1000})
    await pair.gateway.fault("event_duplicate", operation="payment_intent.succeeded")
    answer = await pair.payment.process("ord_1")
    kinds = pair.payment.kinds("payment.")

    assert answer.status_code == 200
    assert kinds.index("payment.result_written") < kinds.index("payment.charge_succeeded")
    assert kinds.count("payment.result_written") == 1


async def test_a_forged_webhook_changes_nothing(pair: Pair) -> None:
    await pair.gateway.fault(
        "event_forged", operation="payment_intent.created", parameters={"ms": 0}
    )
    answer = await pair.payment.process("ord_1", paymentMethod="pm_card_chargeDeclined")
    async with asyncio.timeout(LIMIT_SECONDS):
        while not pair.payment.kinds("payment.webhook_refused"):  # noqa: ASYNC110 - as the tool
            await asyncio.sleep(0.01)

    assert answer.status_code == 402
    assert (await pair.payment.row("ord_1"))["phase"] == "failed"
