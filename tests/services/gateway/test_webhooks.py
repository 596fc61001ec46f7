"""Webhooks leave with the effect they tell of, at least once, and stop after the last retry."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.services.gateway.gateway_process import GatewayProcess
from tests.services.gateway.webhook_receiver import WebhookReceiver


@contextmanager
def sending_to(
    receiver: WebhookReceiver, folder: Path, **settings: str
) -> Iterator[GatewayProcess]:
    """Run a gateway that tells the receiver; all its retries take a tenth of a second."""
    told = {"time_scale": "0.01", "webhook_silence_ms": "1000000", **settings}
    gateway = GatewayProcess(folder / "gateway.db", webhook_url=receiver.url, **told).start()
    try:
        yield gateway
    finally:
        gateway.stop()


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as listening:
        yield listening


@pytest.fixture
def gateway(receiver: WebhookReceiver, tmp_path: Path) -> Iterator[GatewayProcess]:
    with sending_to(receiver, tmp_path) as process:
        yield process


def undecided(gateway: GatewayProcess) -> list[str]:
    return list(gateway.http.get(f"{gateway.url}/undecided").json()["ids"])


def wait_until_nothing_is_due(gateway: GatewayProcess) -> None:
    for _ in range(5000):
        if not undecided(gateway):
            return
    raise AssertionError(f"still due: {undecided(gateway)}")


def sent(gateway: GatewayProcess, order: str) -> list[str]:
    return [row["label"] for row in gateway.journal(order) if row["kind"] == "webhook_sent"]


def test_a_charge_is_told_once_and_the_journal_says_so(
    gateway: GatewayProcess, receiver: WebhookReceiver
) -> None:
    paid = gateway.paid("ord_1", key="k1")
    row = gateway.event("gateway.webhook_sent", order="ord_1")["data"]
    (told,) = receiver.of("ord_1", 1)

    assert told.path == "/webhooks/stripe"
    assert told.event["type"] == "payment_intent.succeeded"
    assert told.event["data"]["object"]["id"] == paid["id"]
    assert told.event["request"]["idempotency_key"] == "k1"
    assert (row["label"], row["request_id"]) == (told.event["type"], told.event["id"])
    assert gateway.get(f"events/{told.event['id']}").json() == told.event
    assert undecided(gateway) == []


def test_only_what_a_payment_service_acts_upon_is_told(
    gateway: GatewayProcess, receiver: WebhookReceiver
) -> None:
    paid = gateway.paid("ord_1")
    gateway.post("refunds", {"payment_intent": paid["id"]})
    gateway.create("ord_2", confirm="true", payment_method="pm_card_visa")
    declined = gateway.create("ord_3")
    gateway.post(
        f"payment_intents/{declined['id']}/confirm", {"payment_method": "pm_card_chargeDeclined"}
    )
    gateway.post(f"payment_intents/{declined['id']}/cancel")
    receiver.until(lambda heard: len(heard) == 5)
    wait_until_nothing_is_due(gateway)

    assert sorted(receiver.types()) == [
        "charge.refunded",
        "payment_intent.canceled",
        "payment_intent.payment_failed",
        "payment_intent.succeeded",
        "payment_intent.succeeded",
    ]


def test_a_refusal_is_repeated_until_somebody_acknowledges(tmp_path: Path) -> None:
    with (
        WebhookReceiver(500, 302, 204) as reluctant,
        sending_to(reluctant, tmp_path) as gateway,
    ):
        gateway.paid("ord_1")
        heard = reluctant.of("ord_1", 3)
        gateway.event("gateway.webhook_sent", order="ord_1")
        labels = sent(gateway, "ord_1")

    assert len({one.event["id"] for one in heard}) == 1
    assert labels == ["payment_intent.succeeded"]


def test_silence_is_a_refusal(tmp_path: Path) -> None:
    with (
        WebhookReceiver(None, 200) as slow,
        sending_to(slow, tmp_path, webhook_silence_ms="10000") as gateway,
    ):
        gateway.paid("ord_1")
        ended = gateway.event("call.ended", attempt=1)
        gateway.event("gateway.webhook_sent", order="ord_1")

    assert ended["data"]["error"] == "timeout"
    assert ended["data"]["link"] == "gateway_to_payment"


def test_after_the_last_retry_an_event_is_undelivered_and_waited_for_no_more(
    tmp_path: Path,
) -> None:
    with WebhookReceiver(500) as deaf, sending_to(deaf, tmp_path) as gateway:
        gateway.paid("ord_1")
        waited_for = undecided(gateway)
        gateway.event("call.ended", attempt=6, http_status=500)
        wait_until_nothing_is_due(gateway)
        failed = gateway.get("events", delivery_success="false").json()["data"]
        rest = gateway.get("events", delivery_success="true").json()["data"]
        labels = sent(gateway, "ord_1")

    assert [event["type"] for event in failed] == ["payment_intent.succeeded"]
    assert failed[0]["pending_webhooks"] == 1
    assert waited_for in ([], [failed[0]["id"]])  # [] when six refusals were quicker than the look
    assert "payment_intent.succeeded" not in {event["type"] for event in rest}
    assert len(deaf.heard) == 6
    assert labels == []


def test_what_is_due_survives_a_crash(tmp_path: Path) -> None:
    with (
        WebhookReceiver(500, 500, 200) as reluctant,
        sending_to(reluctant, tmp_path, time_scale="1") as gateway,
    ):
        gateway.paid("ord_1")
        gateway.event("call.ended", attempt=1)
        gateway.kill()
        gateway.start()
        gateway.event("gateway.webhook_sent", order="ord_1")
        heard = reluctant.of("ord_1", 2)

    assert len({one.event["id"] for one in heard}) == 1


def test_an_outcome_that_is_withheld_is_not_told_before_it_may_be_seen(
    gateway: GatewayProcess, receiver: WebhookReceiver
) -> None:
    made = gateway.create("ord_1", payment_method="pm_card_visa")
    gateway.arm(
        "error_500_after_effect", "later", operation="charge", parameters={"reveal_after_ms": 300}
    )
    gateway.post(f"payment_intents/{made['id']}/confirm")
    (told,) = receiver.of("ord_1", 1)
    read = gateway.get(f"payment_intents/{made['id']}").json()

    assert told.event["type"] == "payment_intent.succeeded"
    assert read["status"] == "succeeded"


def test_without_an_address_nothing_is_kept_for_anybody(
    own_gateway: GatewayProcess,
) -> None:
    own_gateway.paid("ord_1")

    assert undecided(own_gateway) == []
    assert own_gateway.get("webhook_endpoints").json()["data"] == []
    assert own_gateway.get("events", delivery_success="false").json()["data"] == []
