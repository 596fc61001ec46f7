"""Each claim about sagas and messages meets histories that keep it and break it alone."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from checkout_sim.model.claims import CORE, EXTENDED
from checkout_sim.model.verdict import Broken, Unknown
from tests.histories import OrderTale, Tale, broken

CLAIMS = (
    *CORE,
    *(one for one in EXTENDED if one not in {"recovers_after_calm", "answers_in_time"}),
)


def orchestrated() -> Tale:
    return Tale(invariants=CLAIMS, strategy="orchestrated")


def choreographed() -> Tale:
    return Tale(invariants=CLAIMS, strategy="choreographed")


# ---- sagas ------------------------------------------------------------------------------------


def charged_by_a_saga(tale: Tale, checkout: int = 1) -> OrderTale:
    order = tale.order(checkout).placed()
    tale.see("saga.started", source="orchestrator", order=order.id, saga="saga_1")
    order.created().recorded().gateway("intent_created", key="create:1")
    order.log("payment.intent_created").gateway("captured", key="confirm:1")
    return order


def with_steps(order: OrderTale, steps: Sequence[tuple[str, str]], *, ends: str) -> OrderTale:
    """Let the orchestrator's ledgers say so; `steps` are (step, phase) in order."""
    direction = "forward" if ends in {"confirmed", "running"} else "compensating"
    saga = {"saga_id": f"saga_{order.checkout}", "order_id": order.id}
    order.tale.add_row("sagas", **saga, state=ends, direction=direction)
    for seq, (step, phase) in enumerate(steps, 1):
        order.tale.add_row("saga_steps", **saga, seq=seq, step=step, phase=phase, key=None)
    return order


_FORWARD = [
    ("create", "STARTED"),
    ("create", "DONE"),
    ("charge", "STARTED"),
    ("charge", "DONE"),
    ("confirm", "STARTED"),
]
_UNDONE = [
    ("confirm", "FAILED"),
    ("refund", "STARTED"),
    ("refund", "DONE"),
    ("cancel", "STARTED"),
    ("cancel", "DONE"),
]


def rolled_back(tale: Tale, steps: Sequence[tuple[str, str]]) -> OrderTale:
    order = charged_by_a_saga(tale).log("payment.refund_requested")
    order.gateway("refunded", key="refund:1").logged("canceled").hears("unknown", http_status=202)
    order.rests_as("canceled").cart(1)
    keys = ("create:1", "confirm:1", "refund:1")
    order.believed("refunded", intent=order.intent, keys=keys)
    return with_steps(order, steps, ends="canceled")


def test_a_saga_that_goes_forward_keeps_every_claim() -> None:
    tale = orchestrated()
    order = charged_by_a_saga(tale).logged("confirmed").hears("confirmed")
    order.rests_as("confirmed").cart(0)
    order.believed("completed", intent=order.intent, keys=("create:1", "confirm:1"))
    with_steps(order, [*_FORWARD, ("confirm", "DONE")], ends="confirmed")
    verdict = tale.verdict()

    assert broken(verdict) == set()
    assert verdict.status == "valid"


def test_a_saga_that_undoes_what_it_did_keeps_every_claim() -> None:
    tale = orchestrated()
    order = rolled_back(tale, [*_FORWARD, *_UNDONE])
    order.calls("orchestrator_to_payment", operation="process")
    order.calls("orchestrator_to_payment", operation="refund")

    assert tale.verdict().status == "valid"


def test_a_step_that_certainly_failed_needs_no_undo() -> None:
    tale = orchestrated()
    order = tale.order(1).placed().created().logged("failed").hears("failed").rests_as("failed")
    steps = [*_FORWARD[:3], ("charge", "FAILED"), *_UNDONE[3:]]
    with_steps(order.cart(1), steps, ends="failed")

    assert tale.verdict().status == "valid"


def undo_never_ended(tale: Tale) -> None:
    rolled_back(tale, [*_FORWARD, *_UNDONE[:-1]])


def undo_never_begun(tale: Tale) -> None:
    rolled_back(tale, [*_FORWARD, *_UNDONE[:1], *_UNDONE[3:]])


def step_of_unknown_end_not_undone(tale: Tale) -> None:
    rolled_back(tale, [*_FORWARD[:3], ("charge", "UNKNOWN"), *_UNDONE[3:]])


def saga_still_running(tale: Tale) -> None:
    # The order is confirmed; the saga has not heard so and still asks.
    order = charged_by_a_saga(tale).logged("confirmed").hears("unknown", http_status=202)
    order.rests_as("confirmed").cart(0)
    order.believed("completed", intent=order.intent, keys=("create:1", "confirm:1"))
    with_steps(order, _FORWARD, ends="running")


def saga_of_an_order_never_created_still_running(tale: Tale) -> None:
    order = tale.order(1).placed().hears("unknown", http_status=202)
    with_steps(order, _FORWARD[:1], ends="running")


def given_back_twice(tale: Tale) -> None:
    # Nothing net was taken from this shopper, and more than nothing was given.
    order = rolled_back(tale, [*_FORWARD, *_UNDONE])
    order.gateway("refunded", 0, key="refund:1")


def asked_for_before_it_was_logged(tale: Tale) -> None:
    order = rolled_back(tale, [step for step in (*_FORWARD, *_UNDONE) if step[0] != "confirm"])
    order.calls("orchestrator_to_order", operation="confirm")


# ---- messages ---------------------------------------------------------------------------------


def sends(order: OrderTale, topic: str, *, sent: bool = True, published: bool = True) -> str:
    """Let a service commit a message with its cause, and its relay send it."""
    service = topic.partition(".")[0]
    message_id = f"msg-{len(order.tale.seen)}"
    row = {"message_id": message_id, "order_id": order.id, "topic": topic}
    order.tale.add_row(f"{service}_outbox", **row, sent=sent, attempts=1)
    if published:
        said: dict[str, Any] = {"message_id": message_id, "topic": topic}
        order.tale.see("message.published", source=service, order=order.id, **said)
    return message_id


def receives(order: OrderTale, by: str, message_id: str | None, *, deliveries: int = 1) -> None:
    said: dict[str, Any] = {
        "consumer": f"{by}.events",
        "message_id": message_id,
        "deliveries": deliveries,
    }
    order.tale.see("message.received", source=by, order=order.id, **said)


def handles(order: OrderTale, by: str, message_id: str, *, noted: bool = True) -> None:
    said: dict[str, Any] = {"consumer": f"{by}.events", "message_id": message_id}
    order.tale.see("message.handled", source=by, order=order.id, **said)
    if noted:
        order.tale.add_row(f"{by}_inbox", **said, order_id=order.id)


def told_by_events(tale: Tale, checkout: int = 1) -> tuple[OrderTale, str]:
    """An order that its messages carried to its end; returns the message that confirmed it."""
    order = tale.order(checkout).placed().created()
    placed = sends(order, "order.placed")
    receives(order, "payment", placed)
    order.recorded()
    handles(order, "payment", placed)
    order.gateway("intent_created", key="create:1").log("payment.intent_created")
    order.gateway("captured", key="confirm:1")
    completed = sends(order, "payment.completed")
    receives(order, "order", completed)
    order.logged("confirmed")
    handles(order, "order", completed)
    order.hears("confirmed").rests_as("confirmed").cart(0)
    order.believed("completed", intent=order.intent, keys=("create:1", "confirm:1"))
    return order, completed


def test_an_order_carried_by_messages_keeps_every_claim() -> None:
    tale = choreographed()
    order, completed = told_by_events(tale)
    receives(order, "order", completed)
    said: dict[str, Any] = {"consumer": "order.events", "message_id": completed}
    tale.see("message.deduplicated", source="order", order=order.id, **said)
    verdict = tale.verdict()

    assert broken(verdict) == set()
    assert verdict.status == "valid"


def committed_and_never_sent(tale: Tale) -> None:
    order, _ = told_by_events(tale)
    sends(order, "order.refund_requested", sent=False, published=False)


def marked_sent_and_never_confirmed(tale: Tale) -> None:
    order, _ = told_by_events(tale)
    sends(order, "order.refund_requested", published=False)


def confirmed_by_the_broker_and_lost(tale: Tale) -> None:
    order, _ = told_by_events(tale)
    sends(order, "order.refund_requested")


def sent_with_no_commit_behind_it(tale: Tale) -> None:
    order, _ = told_by_events(tale)
    tale.see("message.published", source="order", order=order.id, message_id="x", topic="order.t")


def handled_twice(tale: Tale) -> None:
    order, completed = told_by_events(tale)
    handles(order, "order", completed)


def handled_and_not_noted(tale: Tale) -> None:
    order, _ = told_by_events(tale)
    again = sends(order, "payment.completed")
    receives(order, "order", again)
    handles(order, "order", again, noted=False)


def webhook_applied_twice(tale: Tale) -> None:
    order, _ = told_by_events(tale)
    for _ in range(2):
        said: dict[str, Any] = {
            "consumer": "stripe",
            "message_id": "evt_1",
            "topic": "payment_intent.succeeded",
        }
        tale.see("message.handled", source="payment", order=order.id, **said)


def delivered_once_too_often(tale: Tale) -> None:
    order, _ = told_by_events(tale)
    poisoned(order, deliveries=6)


def neither_handled_nor_set_aside(tale: Tale) -> None:
    order, _ = told_by_events(tale)
    receives(order, "payment", None, deliveries=5)


def poisoned(order: OrderTale, *, deliveries: int) -> None:
    for delivery in range(1, deliveries + 1):
        receives(order, "payment", None, deliveries=delivery)
    said: dict[str, Any] = {
        "consumer": "payment.events",
        "message_id": None,
        "deliveries": deliveries,
    }
    order.tale.see("message.dead_lettered", source="payment", reason="unreadable", **said)


@pytest.mark.parametrize(
    ("claim", "begin", "tell"),
    [
        ("every_order_ends", orchestrated, saga_still_running),
        ("every_order_ends", orchestrated, saga_of_an_order_never_created_still_running),
        ("compensation_is_complete", orchestrated, undo_never_ended),
        ("compensation_is_complete", orchestrated, undo_never_begun),
        ("compensation_is_complete", orchestrated, step_of_unknown_end_not_undone),
        ("compensation_is_complete", orchestrated, given_back_twice),
        ("every_call_was_recorded_first", orchestrated, asked_for_before_it_was_logged),
        ("every_commit_is_published", choreographed, committed_and_never_sent),
        ("every_commit_is_published", choreographed, marked_sent_and_never_confirmed),
        ("every_commit_is_published", choreographed, confirmed_by_the_broker_and_lost),
        ("every_commit_is_published", choreographed, sent_with_no_commit_behind_it),
        ("effects_are_applied_once", choreographed, handled_twice),
        ("effects_are_applied_once", choreographed, handled_and_not_noted),
        ("effects_are_applied_once", choreographed, webhook_applied_twice),
        ("poison_is_contained", choreographed, delivered_once_too_often),
        ("poison_is_contained", choreographed, neither_handled_nor_set_aside),
    ],
)
def test_a_history_breaks_one_claim_and_no_other(
    claim: str, begin: Callable[[], Tale], tell: Callable[[Tale], None]
) -> None:
    tale = begin()
    tell(tale)

    assert broken(tale.verdict()) == {claim}


def test_poison_set_aside_after_the_declared_deliveries_keeps_every_claim() -> None:
    tale = choreographed()
    order, _ = told_by_events(tale)
    poisoned(order, deliveries=5)

    assert broken(tale.verdict()) == set()


def test_the_declared_deliveries_may_be_overridden_by_the_run() -> None:
    settings = {"payment": {"message_tries": 6}}
    tale = Tale(invariants=CLAIMS, strategy="choreographed", settings=settings)
    order, _ = told_by_events(tale)
    poisoned(order, deliveries=6)

    assert broken(tale.verdict()) == set()


def test_a_saga_that_is_stuck_is_told_of_with_its_log() -> None:
    tale = orchestrated()
    saga_still_running(tale)
    found = tale.verdict().findings["every_order_ends"]

    assert isinstance(found, Broken)
    (violation,) = found.violations
    assert "its saga is running, forward: create STARTED, create DONE," in violation.detail
    assert violation.detail.endswith("confirm STARTED")


def test_a_claim_about_sagas_is_unknown_when_their_ledger_was_not_read() -> None:
    tale = orchestrated()
    rolled_back(tale, _FORWARD)
    found = tale.ended(unread=("saga_steps",)).verdict().findings["compensation_is_complete"]

    assert isinstance(found, Unknown)
    assert "saga_steps" in found.reason


def test_a_strategy_without_sagas_or_messages_keeps_the_claims_about_them() -> None:
    tale = Tale(invariants=CLAIMS, strategy="hardened")
    tale.bought(1, told="confirmed").cart(0)
    findings = tale.verdict().findings

    assert not any(
        isinstance(findings[name], Broken | Unknown)
        for name in (
            "compensation_is_complete",
            "effects_are_applied_once",
            "every_commit_is_published",
            "poison_is_contained",
        )
    )


def test_a_violation_by_a_message_names_it_its_order_and_the_observation() -> None:
    tale = choreographed()
    committed_and_never_sent(tale)
    (violation,) = tale.verdict().violations

    assert violation.order_id == "ord_1"
    assert violation.checkout == 1
    assert violation.detail.endswith("(order.refund_requested) was committed and never sent")
    assert len(violation.events) == 1
