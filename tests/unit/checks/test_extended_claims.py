"""Each extended claim meets a history that keeps it and one that breaks it alone."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from checkout_sim.model.claims import CORE, EXTENDED
from checkout_sim.model.verdict import Holds, Unknown
from tests.histories import OrderTale, Tale, broken


def new_tale() -> Tale:
    return Tale(invariants=(*CORE, *EXTENDED))


def by_the_book(tale: Tale, checkout: int = 1, *, told: str = "confirmed") -> OrderTale:
    """An order that keeps every claim: keys stored, intent first, cart cleared."""
    order = tale.order(checkout).placed().created().recorded()
    order.gateway("intent_created", key="create:1")
    order.log("payment.intent_created", payment_intent=order.intent)
    order.log("payment.charge_requested").gateway("captured", key="confirm:1")
    order.logged("confirmed").hears(told).rests_as("confirmed").cart(0)
    return order.believed("completed", intent=order.intent, keys=("create:1", "confirm:1"))


def placed_and_prepared(tale: Tale) -> OrderTale:
    order = tale.order(1).placed().created().recorded()
    return order.gateway("intent_created", key="create:1").log("payment.intent_created")


def end_rolled_back(order: OrderTale) -> None:
    order.hears("unknown", http_status=202).rests_as("canceled").cart(1)
    keys = ("create:1", "confirm:1", "refund:1")
    order.believed("refunded", intent=order.intent, keys=keys)


# ---- histories that break one claim -----------------------------------------------------------


def charged_before_the_intent_was_committed(tale: Tale) -> None:
    order = tale.order(1).placed().created().recorded().gateway("intent_created", key="create:1")
    order.gateway("captured", key="confirm:1").log("payment.intent_created")
    order.logged("confirmed").hears("confirmed").rests_as("confirmed").cart(0)
    order.believed("completed", intent=order.intent, keys=("create:1", "confirm:1"))


def look_up_says_pending(tale: Tale) -> None:
    order = by_the_book(tale)
    tale.see("client.found", checkout=1, order=order.id, http_status=200, status="pending")


def second_confirm_key(tale: Tale) -> None:
    by_the_book(tale).gateway("declined", key="confirm:2")
    tale.ledgers["payments"][0]["keys"].append("confirm:2")


def key_payment_never_stored(tale: Tale) -> None:
    by_the_book(tale)
    tale.ledgers["payments"][0]["keys"].remove("create:1")


def charged_after_the_cancel(tale: Tale) -> None:
    order = placed_and_prepared(tale).logged("canceled")
    order.gateway("captured", key="confirm:1")
    order.log("payment.refund_requested").gateway("refunded", key="refund:1")
    end_rolled_back(order)


def taken_over_while_its_owner_was_at_work(tale: Tale) -> None:
    order = by_the_book(tale)
    order.calls("payment_to_gateway", meanwhile=["lease.taken"], lasting_ms=50.0)
    overlap(tale, order)


def overlap(tale: Tale, order: OrderTale) -> None:
    """Let another call begin while the order's last one is open."""
    ended = tale.seen.pop()
    order.calls("payment_to_gateway", lasting_ms=30.0)
    again = replace(ended, id=len(tale.seen) + 1, t_ms=tale.seen[-1].t_ms + 1.0)
    tale.seen.append(replace(again, source_ms=again.t_ms + 50_000.0))


def one_try_too_many(tale: Tale) -> None:
    by_the_book(tale).calls("payment_to_gateway", attempt=4)


def refused_after_calm(tale: Tale) -> None:
    by_the_book(tale)
    tale.order(50).placed(proof=True).hears("refused", http_status=429, proof=True)


def no_answer_in_time(tale: Tale) -> None:
    by_the_book(tale, told="unknown")


def cart_cleared_by_a_failed_order(tale: Tale) -> None:
    tale.bought(1, ends="failed", payment="failed", charged_minor=None, told="failed").cart(0)


def cart_kept_by_a_confirmed_order(tale: Tale) -> None:
    by_the_book(tale)
    tale.ledgers["carts"][0]["lines"] = 1


@pytest.mark.parametrize(
    ("claim", "tell"),
    [
        ("intent_precedes_call", charged_before_the_intent_was_committed),
        ("unknown_replies_can_be_resolved", look_up_says_pending),
        ("one_key_per_operation", second_confirm_key),
        ("every_call_was_recorded_first", key_payment_never_stored),
        ("nothing_lands_after_rollback", charged_after_the_cancel),
        ("one_owner_at_a_time", taken_over_while_its_owner_was_at_work),
        ("retries_stay_in_budget", one_try_too_many),
        ("recovers_after_calm", refused_after_calm),
        ("answers_in_time", no_answer_in_time),
        ("cart_follows_the_order", cart_cleared_by_a_failed_order),
        ("cart_follows_the_order", cart_kept_by_a_confirmed_order),
    ],
)
def test_a_history_breaks_one_claim_and_no_other(claim: str, tell: Callable[[Tale], None]) -> None:
    tale = new_tale()
    tell(tale)

    assert broken(tale.verdict()) == {claim}


def test_an_order_by_the_book_keeps_every_claim() -> None:
    tale = new_tale()
    order = by_the_book(tale)
    tale.see("client.found", checkout=1, order=order.id, http_status=200, status="confirmed")
    order.calls("payment_to_gateway", attempt=3).calls("order_to_payment", attempt=2)
    tale.order(50).placed(proof=True).hears("confirmed", proof=True)
    tale.order(50).rests_as("confirmed").cart(0).charged(key="k").believed(
        "completed", intent="pi_50", keys=("k",)
    )
    verdict = tale.verdict()

    assert broken(verdict) == set()
    assert verdict.status == "valid"


def test_a_rollback_that_was_charged_in_time_and_refunded_keeps_every_claim() -> None:
    tale = new_tale()
    order = placed_and_prepared(tale).gateway("captured", key="confirm:1").logged("canceled")
    end_rolled_back(order.log("payment.refund_requested").gateway("refunded", key="refund:1"))

    assert broken(tale.verdict()) == set()


def test_a_refund_may_take_the_next_key_once_per_refund_that_failed() -> None:
    tale = new_tale()
    order = placed_and_prepared(tale).gateway("captured", key="confirm:1").logged("canceled")
    order.log("payment.refund_requested").gateway("refunded", key="refund:1")
    order.gateway("refund_failed", key="refund:1").gateway("refunded", key="refund:2")
    end_rolled_back(order)
    tale.ledgers["payments"][0]["keys"].append("refund:2")

    assert broken(tale.verdict()) == set()


def test_a_create_may_take_the_next_key_after_a_fault_saved_a_500_under_the_first() -> None:
    tale = new_tale()
    order = tale.order(1).placed().created().recorded()
    order.gateway("fault_used", key="create:1", label="half_done")
    order.gateway("intent_created", key="create:1", intent="pi_lost")
    order.gateway("intent_created", key="create:2").log("payment.intent_created")
    order.gateway("captured", key="confirm:1").logged("confirmed").hears("confirmed")
    order.rests_as("confirmed").cart(0)
    order.believed("completed", intent=order.intent, keys=("create:1", "create:2", "confirm:1"))

    assert broken(tale.verdict()) == set()


def test_a_line_lost_with_its_process_convicts_nobody_whose_key_was_stored() -> None:
    tale = new_tale()
    order = tale.order(1).placed().created().gateway("intent_created", key="create:1")
    order.gateway("captured", key="confirm:1").logged("confirmed").hears("confirmed")
    order.rests_as("confirmed").cart(0)
    order.believed("completed", intent=order.intent, keys=("create:1", "confirm:1"))

    assert broken(tale.verdict()) == set()


def test_what_a_paused_process_holds_may_be_taken_over() -> None:
    tale = Tale(invariants=("one_owner_at_a_time",))
    order = by_the_book(tale)
    order.calls("payment_to_gateway", lasting_ms=50.0)
    ended = tale.seen.pop()
    tale.see("process.paused", process="payment", instance=1, pid=7, port=1)
    tale.seen.append(ended)
    overlap(tale, order)

    assert broken(tale.verdict()) == set()


def test_naive_breaks_the_claims_about_keys_because_it_stores_none() -> None:
    tale = new_tale()
    tale.bought(1, told="confirmed").cart(0)

    assert broken(tale.verdict()) == {"intent_precedes_call", "every_call_was_recorded_first"}


def test_declared_tries_may_be_overridden_by_the_run() -> None:
    tale = Tale(invariants=EXTENDED, settings={"payment": {"gateway_tries": 4}})
    by_the_book(tale).calls("payment_to_gateway", attempt=4)

    assert "retries_stay_in_budget" not in broken(tale.verdict())


def test_recovery_is_unknown_when_no_proof_checkout_was_sent() -> None:
    tale = new_tale()
    by_the_book(tale)

    assert isinstance(tale.verdict().findings["recovers_after_calm"], Unknown)


@pytest.mark.parametrize(
    ("before_ms", "after_ms", "recovers"),
    [
        pytest.param(400.0, 600.0, True, id="half as long again"),
        pytest.param(400.0, 600.1, False, id="more than half as long again"),
        pytest.param(10.0, 110.0, True, id="within what a busy machine does by itself"),
        pytest.param(10.0, 110.1, False, id="beyond it"),
    ],
)
def test_recovery_compares_the_slow_end_with_that_before_the_first_fault(
    before_ms: float, after_ms: float, *, recovers: bool
) -> None:
    tale = Tale(invariants=("recovers_after_calm",))
    for checkout in range(1, 11):
        tale.order(checkout).placed().hears("confirmed", duration_ms=before_ms)
    tale.see("fault.injected", fault="slow", window=1, target="payment_to_gateway", type="latency")
    tale.order(11).placed().hears("confirmed", duration_ms=900.0)
    for checkout in range(12, 22):
        tale.order(checkout).placed(proof=True)
        tale.order(checkout).hears("confirmed", duration_ms=after_ms, proof=True)
    found = tale.verdict().findings["recovers_after_calm"]

    assert isinstance(found, Holds) is recovers


def test_a_handful_of_checkouts_is_no_sample_of_durations() -> None:
    tale = Tale(invariants=("recovers_after_calm",))
    tale.order(1).placed().hears("confirmed", duration_ms=10.0)
    tale.order(2).placed(proof=True).hears("confirmed", duration_ms=500.0, proof=True)

    assert tale.verdict().findings["recovers_after_calm"] == Holds(judged=1)
