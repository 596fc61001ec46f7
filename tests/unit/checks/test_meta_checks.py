"""A run that cannot carry a verdict is unknown, whatever its orders look like."""

from dataclasses import replace
from typing import Any

import pytest

from checkout_sim.checks.evidence import Evidence
from checkout_sim.checks.judge import judge, judge_observations
from checkout_sim.model.verdict import Holds, OrderCounts, Unknown
from tests.histories import Tale, broken


def sound(**opened: Any) -> Tale:
    tale = Tale(**opened)
    tale.bought(1, told="confirmed")
    return tale


def reason(tale: Tale, check: str) -> str:
    verdict = tale.verdict()
    found = verdict.checks[check]
    assert verdict.status == "unknown"
    assert isinstance(found, Unknown)
    return found.reason


def test_a_whole_run_passes_every_meta_check() -> None:
    checks = sound().verdict().checks

    assert list(checks) == [
        "faults_fired",
        "history_is_complete",
        "came_to_rest",
        "run_was_exercised",
    ]
    assert all(isinstance(found, Holds) for found in checks.values())


def test_a_gap_in_the_ids_is_named() -> None:
    tale = sound().ended()
    del tale.seen[5]

    assert reason(tale, "history_is_complete") == "observation 7 follows 5 (observation 7)"


def test_a_gap_in_a_process_log_counter_is_named() -> None:
    tale = sound()
    for n in (1, 2, 4):
        tale.see("payment.deduplicated", order="ord_1", n=n)

    assert "line 4 of payment follows its line 2" in reason(tale, "history_is_complete")


def test_a_process_that_starts_again_counts_from_one_again() -> None:
    tale = sound()
    for n in (1, 2, 1, 2):
        tale.see("payment.deduplicated", order="ord_1", n=n)

    assert tale.verdict().status == "valid"


def test_a_gap_that_the_supervisor_heard_of_is_named() -> None:
    tale = sound()
    tale.see("evidence.gap", message="payment 1: line 9 followed line 7")

    assert "line 9 followed line 7" in reason(tale, "history_is_complete")


def test_an_attempt_that_never_ended_is_named() -> None:
    tale = sound()
    tale.order(2).placed()

    found = reason(tale, "history_is_complete")
    assert found == "attempt 1 of checkout 2 ended 0 times instead of once"


def test_an_attempt_that_ended_twice_is_named() -> None:
    tale = sound()
    tale.order(1).hears("confirmed")

    assert "attempt 1 of checkout 1 ended 2 times" in reason(tale, "history_is_complete")


def test_an_unread_ledger_makes_what_rests_on_it_unknown_and_nothing_else() -> None:
    tale = sound().ended(unread=["payments"])
    verdict = tale.verdict()

    assert verdict.status == "unknown"
    assert set(verdict.unknowns) == {"payment_agrees_with_gateway", "history_is_complete"}
    assert (
        verdict.unknowns["payment_agrees_with_gateway"]
        == "the payments ledger was not read: connection refused"
    )


def test_a_history_that_ends_before_the_read_proves_nothing() -> None:
    tale = sound()
    verdict = judge(Evidence.in_memory().extend(tale.seen).finish())

    assert verdict.status == "unknown"
    assert "came_to_rest" in verdict.unknowns


def test_two_readings_that_differ_make_a_ledger_unread() -> None:
    tale = sound().ended()
    tale.see("ledger.ended", name="orders", rows=1, digest="another")

    verdict = judge(Evidence.in_memory().extend(tale.seen).finish())
    assert (
        verdict.unknowns["every_order_ends"]
        == "the orders ledger was not read: two readings differ"
    )


def test_a_second_reading_replaces_the_first() -> None:
    tale = sound().ended()
    for row in tale.ledgers["payments"]:
        tale.see("ledger.read", order=row["order_id"], name="payments", row=row)
    tale.see("ledger.ended", name="payments", rows=1, digest="payments-digest")

    assert judge(Evidence.in_memory().extend(tale.seen).finish()).status == "valid"


def test_movement_when_waiting_ended_makes_the_end_unknown_but_not_what_happened() -> None:
    tale = Tale()
    tale.bought(1, ends="failed", told="failed")
    order = tale.order(2).placed().created().charged(intent="pi_a").charged(intent="pi_b")
    order.hears("unknown").rests_as("confirmed").believed("completed", intent="pi_b")
    moving = {"reason": "spent", "undecided": {}, "moving": ["gateway: journal grows"]}
    verdict = tale.ended(quiet=moving).verdict()

    assert broken(verdict) == {"charged_at_most_once"}
    assert verdict.unknowns["unconfirmed_means_not_paid"].endswith("gateway: journal grows")


def test_a_stalled_run_is_judged_as_it_stands() -> None:
    tale = Tale()
    tale.bought(1, ends="pending", payment="completed")
    stalled = {"reason": "stalled", "undecided": {"orders": ["ord_1"]}, "moving": []}
    verdict = tale.ended(quiet=stalled).verdict()

    assert broken(verdict) == {"every_order_ends"}
    assert verdict.notes == (
        "waiting for rest ended because nothing moved; undecided: orders: ord_1",
    )


def test_a_checkout_of_the_plan_that_was_never_sent_is_missed() -> None:
    assert reason(sound(checkouts=2), "run_was_exercised") == "1 of 2 checkouts were sent"


def test_nothing_judged_is_unknown() -> None:
    empty = Tale()
    assert "no row" in reason(empty, "run_was_exercised")
    unasked = sound(invariants=())
    assert "no claim was asked" in reason(unasked, "run_was_exercised")


def test_a_claim_that_raises_is_unknown_and_names_what_it_raised() -> None:
    tale = sound().ended()
    history = Evidence.in_memory().extend(tale.seen).finish()
    history.rows("DROP TABLE payment_row")
    verdict = judge(history, invariants=["charged_at_most_once", "payment_agrees_with_gateway"])

    found = verdict.unknowns["payment_agrees_with_gateway"]
    assert list(verdict.unknowns) == ["payment_agrees_with_gateway"]
    assert "OperationalError: no such table: " in found


def test_a_claim_nobody_knows_is_unknown() -> None:
    found = sound(invariants=["everything_is_fine"]).verdict().unknowns["everything_is_fine"]

    assert found.startswith("no claim is called everything_is_fine; known: every_order_ends")


@pytest.mark.parametrize(
    ("offences", "whole", "status"),
    [(False, True, "valid"), (False, False, "unknown"), (True, True, "invalid")],
)
def test_the_worst_answer_wins(*, offences: bool, whole: bool, status: str) -> None:
    tale = Tale()
    tale.bought(1, ends="failed" if offences else "confirmed")
    tale.ended(unread=() if whole else ["carts"])

    assert tale.verdict().status == status


def test_a_violation_outweighs_an_unread_ledger() -> None:
    tale = Tale()
    tale.bought(1, ends="failed")

    assert tale.ended(unread=["carts"]).verdict().status == "invalid"


def test_checkouts_are_counted_by_how_they_ended_and_proof_is_left_out() -> None:
    tale = Tale()
    tale.bought(1)
    tale.bought(2, ends="failed", payment="failed", charged_minor=None)
    tale.bought(3, ends="pending", payment="pending", charged_minor=None)
    tale.bought(4, "ord_4a", ends="failed", payment="failed", charged_minor=None)
    order = tale.order(4, "ord_4b")
    order.attempts = order.ended_attempts = 1
    order.placed(key="new").hears("unknown").rests_as("confirmed")
    tale.order(5).placed().hears("refused")
    tale.order(6).placed(proof=True).hears("confirmed", proof=True).rests_as("confirmed")

    assert tale.verdict().orders == OrderCounts(total=5, confirmed=2, rolled_back=2, unsettled=1)


def test_the_same_history_gives_the_same_verdict() -> None:
    tale = Tale()
    tale.bought(1, ends="failed", told="failed")
    tale.ended()

    assert judge_observations(tale.seen) == judge_observations(tale.seen)
    assert repr(judge_observations(tale.seen)) == repr(judge_observations(list(tale.seen)))


def test_a_process_that_ended_by_itself_is_noted() -> None:
    tale = sound()
    words = [f"line {n}" for n in range(9)]
    silent = tale.see("process.exited", process="order", asked=False, exit_status=-11)
    telling = tale.see(
        "process.exited", process="payment", asked=False, exit_status=1, last_lines=words
    )

    last = "the last lines of its log: line 4 / line 5 / line 6 / line 7 / line 8"
    assert tale.verdict().notes == (
        f"order ended by itself with status -11, its log said nothing (observation {silent})",
        f"payment ended by itself with status 1, {last} (observation {telling})",
    )


def test_a_run_that_was_never_opened_is_unknown() -> None:
    tale = sound().ended()
    tale.seen[0] = replace(tale.seen[0], kind="phase.entered", data={"phase": "start"})

    assert "there is no run.opened" in reason(tale, "history_is_complete")
