"""Each core claim meets a history that keeps it and one that breaks it alone (INVARIANTS, Core)."""

from collections.abc import Callable

import pytest

from checkout_sim.checks.invariants import CLAIMS
from checkout_sim.model.claims import CORE, EXTENDED
from checkout_sim.model.verdict import Broken, Holds
from tests.histories import Tale, broken


def test_every_claim_a_scenario_may_name_has_one_function() -> None:
    assert (*CORE, *EXTENDED) == tuple(CLAIMS)


def test_a_sound_order_keeps_every_core_claim() -> None:
    tale = Tale()
    tale.bought(1, told="confirmed")
    verdict = tale.verdict()

    assert verdict.status == "valid"
    assert all(isinstance(found, Holds) for found in verdict.findings.values())
    assert tuple(verdict.findings) == CORE


def test_a_declined_order_keeps_every_core_claim() -> None:
    tale = Tale()
    order = tale.bought(1, ends="failed", payment="failed", charged_minor=None, told="failed")
    order.gateway("declined")

    assert tale.verdict().status == "valid"


def stuck(tale: Tale) -> None:
    tale.bought(1, ends="pending", payment="failed", charged_minor=None)


def underpaid(tale: Tale) -> None:
    tale.bought(1, charged_minor=4100)


def paid_in_another_currency(tale: Tale) -> None:
    order = tale.order(1).placed().created().charged(currency="eur").hears("unknown")
    order.rests_as("confirmed").believed("completed", intent=order.intent, currency="eur")


def paid_twice_in_one_charge(tale: Tale) -> None:
    tale.bought(1, charged_minor=8400)


def failed_but_paid(tale: Tale) -> None:
    tale.bought(1, ends="failed")


def canceled_but_paid(tale: Tale) -> None:
    tale.bought(1, ends="canceled")


def failed_with_an_open_authorization(tale: Tale) -> None:
    order = tale.bought(1, ends="failed", payment="failed", charged_minor=None)
    order.gateway("authorized")


def charged_twice_and_refunded(tale: Tale) -> None:
    order = tale.order(1).placed().created().charged(intent="pi_a").charged(intent="pi_b")
    order.refunded(intent="pi_a").hears("unknown")
    order.rests_as("confirmed").believed("completed", intent="pi_b")


def charged_for_an_order_that_is_not_there(tale: Tale) -> None:
    tale.bought(1, row=False)


def payment_says_failed(tale: Tale) -> None:
    tale.bought(1, payment="failed")


def payment_is_undecided(tale: Tale) -> None:
    tale.bought(1, payment="pending")


def payment_says_refunded(tale: Tale) -> None:
    tale.bought(1, payment="refunded")


def payment_names_no_intent(tale: Tale) -> None:
    order = tale.order(1).placed().created().charged().hears("unknown")
    order.rests_as("confirmed").believed("completed", intent=None)


def two_payments_name_one_intent(tale: Tale) -> None:
    tale.bought(1)
    other = tale.bought(2, ends="failed", payment="failed", charged_minor=None)
    tale.ledgers["payments"][-1]["payment_intent"] = "pi_1"
    assert other.intent != "pi_1"


def two_orders_stand(tale: Tale) -> None:
    tale.bought(1, "ord_1a", key="first")
    order = tale.order(1, "ord_1b")
    order.attempts = order.ended_attempts = 1
    order.placed(key="second").created().charged().logged("confirmed").hears("unknown")
    order.rests_as("confirmed").believed("completed", intent=order.intent)


def told_failed_but_confirmed(tale: Tale) -> None:
    tale.bought(1, told="failed")


def told_confirmed_but_failed(tale: Tale) -> None:
    tale.bought(1, ends="failed", payment="failed", charged_minor=None, told="confirmed")


def told_canceled_but_confirmed(tale: Tale) -> None:
    order = tale.bought(1)
    tale.see("client.cancel_ended", checkout=1, order=order.id, http_status=200, error=None)


def refused_but_confirmed(tale: Tale) -> None:
    tale.bought(1, told="refused")


def refused_after_a_confirmation(tale: Tale) -> None:
    tale.bought(1, told="confirmed").placed().hears("refused", http_status=400)


def refused_after_an_unknown_reply(tale: Tale) -> None:
    tale.bought(1, told="unknown").placed().hears("refused", http_status=400)


def one_key_named_two_orders(tale: Tale) -> None:
    tale.bought(1, "ord_1a", told="confirmed")
    order = tale.order(1, "ord_1b")
    order.attempts = order.ended_attempts = 1
    order.placed().created().logged("failed").hears("failed").rests_as("failed")


def other_body_answered_under_the_same_key(tale: Tale) -> None:
    tale.bought(1, told="confirmed").placed(body="mastercard").hears("confirmed")


def went_back_and_forth(tale: Tale) -> None:
    tale.bought(1).logged("failed", "confirmed")


@pytest.mark.parametrize(
    ("claim", "tell"),
    [
        ("every_order_ends", stuck),
        ("confirmed_means_paid_in_full", underpaid),
        ("confirmed_means_paid_in_full", paid_in_another_currency),
        ("confirmed_means_paid_in_full", paid_twice_in_one_charge),
        ("unconfirmed_means_not_paid", failed_but_paid),
        ("unconfirmed_means_not_paid", canceled_but_paid),
        ("unconfirmed_means_not_paid", failed_with_an_open_authorization),
        ("charged_at_most_once", charged_twice_and_refunded),
        ("no_charge_without_an_order", charged_for_an_order_that_is_not_there),
        ("payment_agrees_with_gateway", payment_says_failed),
        ("payment_agrees_with_gateway", payment_is_undecided),
        ("payment_agrees_with_gateway", payment_says_refunded),
        ("payment_agrees_with_gateway", payment_names_no_intent),
        ("payment_agrees_with_gateway", two_payments_name_one_intent),
        ("one_confirmed_order_per_checkout", two_orders_stand),
        ("replies_are_true", told_failed_but_confirmed),
        ("replies_are_true", told_confirmed_but_failed),
        ("replies_are_true", told_canceled_but_confirmed),
        ("replies_are_true", refused_but_confirmed),
        ("same_key_same_answer", refused_after_a_confirmation),
        ("same_key_same_answer", refused_after_an_unknown_reply),
        ("same_key_same_answer", one_key_named_two_orders),
        ("same_key_same_answer", other_body_answered_under_the_same_key),
        ("states_never_go_back", went_back_and_forth),
    ],
)
def test_a_history_breaks_one_claim_and_no_other(claim: str, tell: Callable[[Tale], None]) -> None:
    tale = Tale()
    tell(tale)
    tale.bought(9, told="confirmed")
    verdict = tale.verdict()

    assert broken(verdict) == {claim}
    assert verdict.status == "invalid"


@pytest.mark.parametrize(
    "tell",
    [stuck, underpaid, failed_but_paid, payment_says_failed, two_orders_stand, went_back_and_forth],
)
def test_a_violation_names_its_order_and_quotes_observations(tell: Callable[[Tale], None]) -> None:
    tale = Tale()
    tell(tale)
    (violation,) = tale.verdict().violations

    told = {seen.id for seen in tale.seen if seen.order == violation.order_id}
    assert violation.checkout == 1
    assert violation.order_id in {"ord_1", "ord_1a"}
    assert told & set(violation.events)
    assert set(violation.events) <= set(range(1, len(tale.seen) + 1))


def test_a_violation_is_a_sentence_that_says_who_believes_what() -> None:
    tale = Tale()
    tale.bought(1, ends="failed", told="failed")
    violations = {found.invariant: found.detail for found in tale.verdict().violations}

    assert violations["unconfirmed_means_not_paid"] == (
        "captured 42.00 usd (pi_1, seq 2), but the order is failed; the shopper was told failed"
    )
    assert violations["replies_are_true"] == (
        "the shopper was told failed, but 42.00 usd is captured (pi_1, seq 2)"
    )


def test_a_reply_that_the_order_itself_belies_is_told_with_the_order() -> None:
    tale = Tale()
    tale.bought(1, told="failed")
    (violation,) = tale.verdict().violations

    assert violation.detail == (
        "the shopper was told failed, but the order is confirmed: captured 42.00 usd (pi_1, seq 2)"
    )


def test_a_double_charge_says_that_it_was_refunded_later() -> None:
    tale = Tale()
    charged_twice_and_refunded(tale)

    (violation,) = tale.verdict().violations
    assert violation.detail.endswith("; refunded later, but the shopper saw it")


def test_charging_again_after_a_full_refund_is_no_double_charge() -> None:
    tale = Tale()
    order = tale.order(1).placed().created().charged(intent="pi_a").refunded(intent="pi_a")
    order.charged(intent="pi_b").hears("unknown").rests_as("confirmed")
    order.believed("completed", intent="pi_b")

    assert tale.verdict().status == "valid"


def test_a_refund_that_failed_later_gives_the_money_back_to_our_side() -> None:
    tale = Tale()
    order = tale.bought(1, ends="canceled", payment="refunded")
    order.refunded()
    assert tale.verdict().status == "valid"

    again = Tale()
    order = again.bought(1, ends="canceled", payment="refunded")
    order.refunded().gateway("refund_failed")
    assert broken(again.verdict()) == {"unconfirmed_means_not_paid", "payment_agrees_with_gateway"}


def test_an_indefinite_reply_promises_nothing() -> None:
    for ends, payment, charged in (("confirmed", "completed", 4200), ("failed", "failed", None)):
        tale = Tale()
        tale.bought(1, ends=ends, payment=payment, charged_minor=charged, told="unknown")
        assert tale.verdict().status == "valid"


def test_a_promise_about_an_order_that_never_ended_is_judged_by_the_ending_claim_only() -> None:
    tale = Tale()
    tale.bought(1, ends="pending", payment="completed", told="failed")

    assert broken(tale.verdict()) == {"every_order_ends"}


@pytest.mark.parametrize("http_status", [409, 429])
def test_a_conflict_or_a_limit_says_nothing_of_earlier_attempts(http_status: int) -> None:
    tale = Tale()
    tale.bought(1, told="confirmed").placed().hears("refused", http_status=http_status)

    assert tale.verdict().status == "valid"


def test_a_refused_connection_is_no_answer_under_a_key() -> None:
    tale = Tale()
    tale.bought(1, told="confirmed").placed().hears("refused", error="refused")

    assert tale.verdict().status == "valid"


def test_a_refusal_sent_before_the_first_answer_came_is_not_held_against_it() -> None:
    tale = Tale()
    order = tale.order(1).placed().placed().created().charged().logged("confirmed")
    order.hears("refused", http_status=400, attempt=2).hears("confirmed", attempt=1)
    order.rests_as("confirmed").believed("completed", intent=order.intent)

    assert tale.verdict().status == "valid"


def test_a_lawful_retry_after_a_failure_with_a_new_key_may_be_confirmed() -> None:
    tale = Tale()
    tale.bought(1, "ord_1a", ends="failed", payment="failed", charged_minor=None, told="failed")
    order = tale.order(1, "ord_1b")
    order.attempts = order.ended_attempts = 1
    order.placed(key="second").created().charged().logged("confirmed").hears("confirmed")
    order.rests_as("confirmed").believed("completed", intent=order.intent)

    assert tale.verdict().status == "valid"


def test_a_hundred_violations_are_listed_and_all_are_counted() -> None:
    tale = Tale()
    for checkout in range(1, 131):
        tale.bought(checkout, ends="failed")
    found = tale.verdict().findings["unconfirmed_means_not_paid"]

    assert isinstance(found, Broken)
    assert (len(found.violations), found.total) == (100, 130)
