"""Each event control does what it promises, to the webhook it is aimed at."""

from collections.abc import Iterator

import pytest
import stripe

from tests.services.gateway.gateway_process import GatewayProcess
from tests.services.gateway.webhook_receiver import Heard, WebhookReceiver

SECRET = "whsec_simulator"
SUCCEEDED = "payment_intent.succeeded"


@pytest.fixture(scope="module")
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as listening:
        yield listening


@pytest.fixture(scope="module")
def told_gateway(
    receiver: WebhookReceiver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    database = tmp_path_factory.mktemp("gateway") / "gateway.db"
    process = GatewayProcess(
        database, webhook_url=receiver.url, webhook_silence_ms="10000", refund_settles_ms="20"
    ).start()
    yield process
    process.stop()


@pytest.fixture
def gateway(told_gateway: GatewayProcess) -> Iterator[GatewayProcess]:
    yield told_gateway
    told_gateway.lift()


def refund(gateway: GatewayProcess, paid: dict[str, object]) -> None:
    answer = gateway.post("refunds", {"payment_intent": str(paid["id"])})
    assert answer.status_code == 200, answer.text


def undecided(gateway: GatewayProcess) -> list[str]:
    return list(gateway.http.get(f"{gateway.url}/undecided").json()["ids"])


def about(heard: list[Heard], intent: object) -> list[str]:
    """Return the types told about an intent, in order of arrival."""
    return [one.event["type"] for one in heard if str(intent).encode() in one.body]


def test_a_dropped_event_is_never_sent_and_listed_as_undelivered(
    gateway: GatewayProcess, receiver: WebhookReceiver, order: str
) -> None:
    gateway.arm("event_drop", order, operation=SUCCEEDED, order_id=order)
    paid = gateway.paid(order)
    refund(gateway, paid)  # a second event, so that the first had its chance
    gateway.event("gateway.webhook_sent", payment_intent=paid["id"], label="charge.refunded")
    failed = gateway.get("events", delivery_success="false", type=SUCCEEDED).json()["data"]

    assert about(receiver.heard, paid["id"]) == ["charge.refunded"]
    assert [event["data"]["object"]["id"] for event in failed] == [paid["id"]]
    assert failed[0]["id"] not in undecided(gateway)
    assert "fault_used" in gateway.kinds(order)
    assert gateway.used(order) == 1


def test_a_doubled_event_comes_twice_under_one_id(
    gateway: GatewayProcess, receiver: WebhookReceiver, order: str
) -> None:
    gateway.arm("event_duplicate", order, operation=SUCCEEDED, order_id=order)
    gateway.paid(order)
    first, second = receiver.of(order, 2)

    assert first.event == second.event


def test_a_delayed_event_is_overtaken_by_its_successor(
    gateway: GatewayProcess, receiver: WebhookReceiver, order: str
) -> None:
    gateway.arm("event_delay", order, operation=SUCCEEDED, order_id=order, parameters={"ms": 1500})
    paid = gateway.paid(order)
    due = undecided(gateway)
    (event,) = gateway.get("events", type=SUCCEEDED, limit="1").json()["data"]
    refund(gateway, paid)
    gateway.event("gateway.webhook_sent", payment_intent=paid["id"], label=SUCCEEDED)

    assert event["id"] in due
    assert about(receiver.heard, paid["id"]) == ["charge.refunded", SUCCEEDED]


def test_a_swapped_event_waits_for_its_successor(
    gateway: GatewayProcess, receiver: WebhookReceiver, order: str
) -> None:
    gateway.arm(
        "event_swap", order, operation=SUCCEEDED, order_id=order, parameters={"ms": 600_000}
    )
    paid = gateway.paid(order)
    refund(gateway, paid)
    gateway.event("gateway.webhook_sent", payment_intent=paid["id"], label=SUCCEEDED)

    assert about(receiver.heard, paid["id"]) == ["charge.refunded", SUCCEEDED]


def test_a_swapped_event_without_a_successor_comes_when_its_time_is_up(
    gateway: GatewayProcess, receiver: WebhookReceiver, order: str
) -> None:
    gateway.arm("event_swap", order, operation=SUCCEEDED, order_id=order, parameters={"ms": 50})
    gateway.paid(order)
    (told,) = receiver.of(order, 1)

    assert told.event["type"] == SUCCEEDED


def test_a_forged_event_says_paid_and_is_signed_by_a_stranger(
    gateway: GatewayProcess, receiver: WebhookReceiver, order: str
) -> None:
    gateway.arm(
        "event_forged",
        order,
        operation="payment_intent.created",
        order_id=order,
        parameters={"ms": 0},
    )
    made = gateway.create(order)
    (forged,) = receiver.of(order, 1)
    ended = gateway.event("call.ended", order=order, operation=SUCCEEDED)
    listed = gateway.get(f"events/{forged.event['id']}")

    assert forged.event["type"] == SUCCEEDED
    assert forged.event["data"]["object"]["id"] == made["id"]
    assert forged.event["data"]["object"]["status"] == "succeeded"
    assert ended["data"]["link"] == "gateway_to_payment"
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(forged.body, forged.signature, SECRET)
    assert listed.status_code == 404
    assert gateway.kinds(order) == ["intent_created", "fault_used"]


def test_an_event_control_leaves_other_events_alone(
    gateway: GatewayProcess, receiver: WebhookReceiver, order: str
) -> None:
    gateway.arm("event_drop", order, operation="refund.failed", order_id=order)
    gateway.paid(order)
    receiver.of(order, 1)

    assert gateway.used(order) == 0
