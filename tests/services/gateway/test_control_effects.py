"""Each fault control does what it promises, once, to the request it is aimed at."""

import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.services.gateway.gateway_process import GatewayProcess, intent


def charge(order: str, **form: str) -> dict[str, str]:
    return intent(order, confirm="true", payment_method="pm_card_visa", **form)


@pytest.mark.parametrize(
    ("name", "status", "code", "reason"),
    [
        ("rate_limited", 429, "rate_limit", "global-rate"),
        ("lock_timeout", 429, "lock_timeout", None),
        ("unavailable", 503, None, None),
    ],
)
def test_a_refusing_control_answers_before_anything_is_done(
    gateway: GatewayProcess,
    order: str,
    name: str,
    status: int,
    code: str | None,
    reason: str | None,
) -> None:
    gateway.arm(name, order, operation="charge", order_id=order)
    refused = gateway.post("payment_intents", charge(order))
    served = gateway.post("payment_intents", charge(order))

    assert refused.status_code == status
    assert refused.json()["error"].get("code") == code
    assert refused.headers.get("stripe-rate-limited-reason") == reason
    assert served.status_code == 200
    assert gateway.kinds(order) == ["fault_used", "intent_created", "captured"]
    assert gateway.used(order) == 1


@pytest.mark.parametrize("name", ["rate_limited", "unavailable"])
def test_reads_can_be_refused_too(gateway: GatewayProcess, order: str, name: str) -> None:
    made = gateway.create(order)
    gateway.arm(name, order, operation="retrieve", order_id=order)
    first = gateway.get(f"payment_intents/{made['id']}")
    second = gateway.get(f"payment_intents/{made['id']}")

    assert first.status_code in {429, 503}
    assert second.status_code == 200
    assert gateway.kinds(order) == ["intent_created", "fault_used"]


def test_500_without_effect_does_nothing(gateway: GatewayProcess, order: str) -> None:
    made = gateway.create(order, payment_method="pm_card_visa")
    gateway.arm("error_500_no_effect", order, operation="confirm", order_id=order)
    answer = gateway.post(f"payment_intents/{made['id']}/confirm", key=order)

    assert answer.status_code == 500
    assert answer.json()["error"]["type"] == "api_error"
    read = gateway.get(f"payment_intents/{made['id']}").json()
    assert read["status"] == "requires_confirmation"
    assert gateway.kinds(order) == ["intent_created", "fault_used"]


def test_500_after_the_effect_has_charged_and_reads_tell_it(
    gateway: GatewayProcess, order: str
) -> None:
    made = gateway.create(order, payment_method="pm_card_visa")
    gateway.arm("error_500_after_effect", order, operation="charge", order_id=order)
    answer = gateway.post(f"payment_intents/{made['id']}/confirm", key=order)

    assert answer.status_code == 500
    assert gateway.get(f"payment_intents/{made['id']}").json()["status"] == "succeeded"
    assert gateway.kinds(order) == ["intent_created", "captured", "fault_used"]
    assert gateway.net(order) == 4200


def test_500_after_the_effect_strikes_cancels_and_refunds_as_well(
    gateway: GatewayProcess, order: str
) -> None:
    paid = gateway.paid(order)
    gateway.arm("error_500_after_effect", order, operation="refund", order_id=order)
    answer = gateway.post("refunds", {"payment_intent": paid["id"]}, key=order)

    assert answer.status_code == 500
    assert gateway.net(order) == 0


def test_500_after_effect_waits_for_a_request_that_has_one(
    gateway: GatewayProcess, order: str
) -> None:
    made = gateway.create(order)
    path = f"payment_intents/{made['id']}/confirm"
    gateway.arm("error_500_after_effect", order, operation="charge", order_id=order)
    refused = gateway.post(path)
    struck = gateway.post(path, {"payment_method": "pm_card_visa"})

    assert (refused.status_code, struck.status_code) == (400, 500)
    assert gateway.used(order) == 1


def read_until(
    gateway: GatewayProcess, path: str, done: Callable[[dict[str, Any]], bool]
) -> list[str]:
    """Read an intent until it is as wanted; return each status once, as first seen."""
    seen: list[str] = []
    for _ in range(2000):
        document = gateway.get(path).json()
        if document["status"] not in seen:
            seen.append(document["status"])
        if done(document):
            return seen
    raise AssertionError(f"{path} only went through {seen}")


def test_a_charge_behind_a_500_can_read_processing_until_it_is_revealed(
    gateway: GatewayProcess, order: str
) -> None:
    made = gateway.create(order, payment_method="pm_card_visa")
    path = f"payment_intents/{made['id']}"
    gateway.arm(
        "error_500_after_effect",
        order,
        operation="charge",
        order_id=order,
        parameters={"reveal_after_ms": 1200},
    )
    gateway.post(f"{path}/confirm", key=order)
    undecided = gateway.http.get(f"{gateway.url}/undecided").json()
    masked = gateway.get(path).json()
    cancel = gateway.post(f"{path}/cancel")
    charges = gateway.get("charges", payment_intent=made["id"]).json()["data"]
    seen = read_until(gateway, path, lambda document: document["status"] == "succeeded")

    assert made["id"] in undecided["ids"]
    assert (masked["status"], masked["latest_charge"]) == ("processing", None)
    assert cancel.status_code == 400
    assert cancel.json()["error"]["payment_intent"]["status"] == "processing"
    assert charges == []
    assert seen == ["processing", "succeeded"]
    assert len(gateway.get("charges", payment_intent=made["id"]).json()["data"]) == 1
    types = [event["type"] for event in gateway.get("events", limit="4").json()["data"]]
    assert types[:2] == ["payment_intent.succeeded", "payment_intent.processing"]
    assert gateway.net(order) == 4200


def test_500_then_back_reads_processing_and_was_never_charged(
    gateway: GatewayProcess, order: str
) -> None:
    made = gateway.create(order, payment_method="pm_card_visa")
    path = f"payment_intents/{made['id']}"
    gateway.arm(
        "error_500_then_back",
        order,
        operation="charge",
        order_id=order,
        parameters={"reveal_after_ms": 600},
    )
    answer = gateway.post(f"{path}/confirm", key=order)
    seen = read_until(gateway, path, lambda document: document["status"] == "requires_confirmation")
    fenced = gateway.post(f"{path}/cancel").json()

    assert answer.status_code == 500
    assert seen == ["processing", "requires_confirmation"]
    assert fenced["status"] == "canceled"
    assert gateway.kinds(order) == ["intent_created", "fault_used", "canceled"]


def test_drop_after_commit_closes_the_connection_and_has_charged(
    gateway: GatewayProcess, order: str
) -> None:
    gateway.arm("drop_after_commit", order, operation="charge", order_id=order)
    with pytest.raises(httpx.RemoteProtocolError):
        gateway.post("payment_intents", charge(order), key=order)
    repeat = gateway.post("payment_intents", charge(order), key=order)

    assert repeat.headers["idempotent-replayed"] == "true"
    assert repeat.json()["status"] == "succeeded"
    assert gateway.kinds(order) == ["intent_created", "captured", "fault_used", "replayed"]


def in_background(post: Callable[[], httpx.Response]) -> Callable[[], httpx.Response]:
    """Begin a request in a thread; the result waits for its answer."""
    answers: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: answers.append(post()))
    thread.start()

    def joined() -> httpx.Response:
        thread.join(20)
        return answers[0]

    return joined


def test_delay_after_commit_holds_the_answer_not_the_charge(
    gateway: GatewayProcess, order: str
) -> None:
    gateway.arm(
        "delay_after_commit",
        order,
        operation="charge",
        order_id=order,
        parameters={"ms": 300},
    )
    late = in_background(lambda: gateway.post("payment_intents", charge(order), key=order))
    gateway.event("gateway.captured", order=order)
    repeat = gateway.post("payment_intents", charge(order), key=order)
    answer = late()

    assert repeat.headers["idempotent-replayed"] == "true"
    assert answer.text == repeat.text
    assert answer.elapsed.total_seconds() >= 0.3
    assert gateway.kinds(order) == ["intent_created", "captured", "fault_used", "replayed"]


def test_during_slow_execution_a_cancel_wins(gateway: GatewayProcess, order: str) -> None:
    made = gateway.create(order, payment_method="pm_card_visa")
    path = f"payment_intents/{made['id']}"
    gateway.arm(
        "slow_execution", order, operation="charge", order_id=order, parameters={"ms": 1000}
    )
    late = in_background(lambda: gateway.post(f"{path}/confirm", key=order))
    gateway.event("gateway.fault_used", order=order)
    undecided = gateway.http.get(f"{gateway.url}/undecided").json()
    canceled = gateway.post(f"{path}/cancel")
    answer = late()

    assert order in undecided["ids"]
    assert undecided["in_flight"] == 1
    assert canceled.status_code == 200
    assert answer.status_code == 400
    assert answer.json()["error"]["payment_intent"]["status"] == "canceled"
    assert gateway.net(order) == 0


def test_a_client_that_leaves_does_not_stop_a_held_charge(
    gateway: GatewayProcess, order: str
) -> None:
    gateway.arm("slow_execution", order, operation="charge", order_id=order, parameters={"ms": 300})
    with httpx.Client(timeout=0.1) as impatient, pytest.raises(httpx.ReadTimeout):
        impatient.post(
            f"{gateway.url}/v1/payment_intents", data=charge(order), headers=gateway.headers(order)
        )
    gateway.event("gateway.captured", order=order)
    repeat = gateway.post("payment_intents", charge(order), key=order)

    assert repeat.headers["idempotent-replayed"] == "true"
    assert gateway.net(order) == 4200


def test_refund_pending_settles_later(gateway: GatewayProcess, order: str) -> None:
    paid = gateway.paid(order)
    gateway.arm("refund_pending", order, order_id=order, parameters={"ms": 50})
    refund = gateway.post("refunds", {"payment_intent": paid["id"]}).json()
    gateway.event("gateway.refunded", refund=refund["id"])

    assert refund["status"] == "pending"
    assert gateway.get(f"refunds/{refund['id']}").json()["status"] == "succeeded"
    assert gateway.net(order) == 0


def test_refund_fails_later_gives_the_money_back_and_can_be_repeated(
    gateway: GatewayProcess, order: str
) -> None:
    paid = gateway.paid(order)
    gateway.arm("refund_fails_later", order, order_id=order, parameters={"ms": 50})
    refund = gateway.post("refunds", {"payment_intent": paid["id"]}).json()
    gateway.event("gateway.refund_failed", refund=refund["id"])
    net_between = gateway.net(order)
    newest = gateway.get("events", limit="1").json()["data"][0]
    second = gateway.post("refunds", {"payment_intent": paid["id"]}).json()

    assert refund["status"] == "succeeded"
    assert net_between == 4200
    assert newest["type"] == "refund.failed"
    assert newest["data"]["object"]["failure_reason"]
    assert second["status"] == "succeeded"
    assert gateway.net(order) == 0
