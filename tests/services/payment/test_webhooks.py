"""A webhook is believed when it is signed, fresh and new, and then moves money's record once."""

import asyncio
import itertools
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest
import stripe

from .world import LIMIT_SECONDS, Gateway, Service, running_payment

SECRET = "whsec_simulator"
NEVER_MS = 600_000


def signature(body: str, *, secret: str = SECRET, age_s: int = 0) -> str:
    at = int(time.time()) - age_s
    return str(stripe.WebhookSignature.generate_signature_header(body, secret, at))


async def deliver(
    payment: Service, event: Mapping[str, Any], *, header: str | None = None
) -> httpx.Response:
    body = json.dumps(event)
    headers = {"Stripe-Signature": signature(body) if header is None else header}
    return await payment.http.post("/webhooks/stripe", content=body, headers=headers)


async def events_of(gateway: Gateway, order: str) -> dict[str, Mapping[str, Any]]:
    """Return what the gateway tells of an order, by type."""
    answer = await gateway.http.get(
        "/v1/events", params={"limit": "100"}, headers={"Authorization": "Bearer sk_test_x"}
    )
    intents = {row["payment_intent"] for row in await gateway.journal(order)}
    return {
        event["type"]: event
        for event in answer.json()["data"]
        if intents & {event["data"]["object"]["id"], event["data"]["object"].get("payment_intent")}
    }


@pytest.fixture
async def unheard(gateway: Gateway, database: str) -> AsyncIterator[Service]:
    """A payment service that hears no answer to a charge, and whose reconciler sleeps."""
    await gateway.fault("drop_after_commit", operation="charge", times=1000)
    async with running_payment(
        gateway.url, database, gateway_tries=2, tick_ms=NEVER_MS, lease_ms=NEVER_MS
    ) as service:
        yield service


async def test_a_webhook_tells_what_the_lost_answer_did_not(
    gateway: Gateway, unheard: Service
) -> None:
    answer = await unheard.process("ord_1")
    told = (await events_of(gateway, "ord_1"))["payment_intent.succeeded"]
    heard = await deliver(unheard, told)

    assert answer.status_code == 202
    assert heard.status_code == 200
    assert (await unheard.row("ord_1"))["phase"] == "completed"
    assert (await unheard.process("ord_1")).status_code == 200
    assert unheard.kinds()[-3:] == [
        "payment.webhook_received",
        "payment.result_written",
        "payment.deduplicated",
    ]


async def test_a_repeated_event_is_acknowledged_and_changes_nothing(
    gateway: Gateway, unheard: Service
) -> None:
    await unheard.process("ord_1")
    told = (await events_of(gateway, "ord_1"))["payment_intent.succeeded"]
    answers = await asyncio.gather(*(deliver(unheard, told) for _ in range(3)))

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert unheard.kinds("message.") == [
        "message.handled",
        "message.deduplicated",
        "message.deduplicated",
    ]
    assert unheard.kinds("payment.result") == ["payment.result_written"]


async def test_any_order_of_arrival_ends_in_the_same_row(
    gateway: Gateway, payment: Service
) -> None:
    rows = []
    types = ("payment_intent.created", "payment_intent.succeeded", "charge.succeeded")
    for number, arrival in enumerate(itertools.permutations(types)):
        order = f"ord_{number}"
        await payment.process(order)
        told = await events_of(gateway, order)
        for kind in (*arrival, arrival[0]):
            assert (await deliver(payment, told[kind])).status_code == 200
        rows.append(await payment.row(order))

    assert {(row["phase"], row["attempts"], len(row["keys"])) for row in rows} == {
        ("completed", 0, 2)
    }


async def test_a_refund_that_fails_unwatched_is_made_again_once_a_webhook_tells(
    gateway: Gateway, payment: Service
) -> None:
    await payment.process("ord_1")
    await gateway.fault("refund_fails_later", parameters={"ms": 1500})
    await payment.refund("ord_1")
    await payment.quiet()
    async with asyncio.timeout(LIMIT_SECONDS):
        while not (await gateway.journal("ord_1", "refund_failed")):  # noqa: ASYNC110 - as the judge
            await asyncio.sleep(0.01)
    heard = await deliver(payment, (await events_of(gateway, "ord_1"))["refund.failed"])

    assert heard.status_code == 200
    assert await payment.settled("ord_1") == "refunded"
    assert await gateway.net_minor("ord_1") == 0
    assert "ord_1:refund:2" in (await payment.row("ord_1"))["keys"]


@pytest.mark.parametrize(
    "spoil",
    ["no header", "garbage", "other secret", "other body", "too old", "other scheme"],
)
async def test_what_is_not_signed_lately_by_who_knows_the_secret_is_refused(
    gateway: Gateway, unheard: Service, spoil: str
) -> None:
    await unheard.process("ord_1")
    told = (await events_of(gateway, "ord_1"))["payment_intent.succeeded"]
    body = json.dumps(told)
    header = {
        "no header": "",
        "garbage": "t=now,v1",
        "other secret": signature(body, secret="whsec_of_a_stranger"),
        "other body": signature(body + " "),
        "too old": signature(body, age_s=400),
        "other scheme": signature(body).replace("v1=", "v0="),
    }[spoil]
    answer = await deliver(unheard, told, header=header)

    assert answer.status_code == 400
    assert answer.json()["code"] == "signature_invalid"
    assert (await unheard.row("ord_1"))["phase"] == "unknown"
    assert unheard.kinds("payment.webhook") == ["payment.webhook_refused"]
    assert unheard.kinds("message.") == []


async def test_a_delivery_that_took_minutes_is_still_believed(
    gateway: Gateway, unheard: Service
) -> None:
    await unheard.process("ord_1")
    told = (await events_of(gateway, "ord_1"))["payment_intent.succeeded"]
    answer = await deliver(unheard, told, header=signature(json.dumps(told), age_s=200))

    assert answer.status_code == 200
    assert (await unheard.row("ord_1"))["phase"] == "completed"


async def test_a_signed_body_that_is_no_event_is_refused(payment: Service) -> None:
    answer = await deliver(payment, {"object": "kettle"})

    assert (answer.status_code, answer.json()["code"]) == (400, "not_an_event")


async def test_an_event_about_nobody_is_acknowledged(payment: Service) -> None:
    about = {"id": "pi_9", "object": "payment_intent", "metadata": {}}
    told = {
        "id": "evt_9",
        "object": "event",
        "type": "payment_intent.succeeded",
        "data": {"object": about},
    }

    assert (await deliver(payment, told)).status_code == 200
    assert (await payment.http.get("/ledger/payments")).json()["rows"] == []


async def test_what_cannot_be_written_is_asked_for_again(
    gateway: Gateway, unheard: Service, database: str
) -> None:
    await unheard.process("ord_1")
    told = (await events_of(gateway, "ord_1"))["payment_intent.succeeded"]
    lock = sqlite3.connect(database, isolation_level=None)
    try:
        lock.execute("BEGIN IMMEDIATE")
        refused = await deliver(unheard, told)
        lock.execute("ROLLBACK")
    finally:
        lock.close()
    heard = await deliver(unheard, told)

    assert (refused.status_code, refused.json()["code"]) == (500, "not_recorded")
    assert heard.status_code == 200
    assert unheard.kinds("message.") == ["message.handled"]
    assert (await unheard.row("ord_1"))["phase"] == "completed"


async def test_naive_has_no_address_for_webhooks(gateway: Gateway, database: str) -> None:
    async with running_payment(gateway.url, database, strategy="naive") as naive:
        answer = await deliver(naive, {"object": "event"})

    assert answer.status_code == 404
