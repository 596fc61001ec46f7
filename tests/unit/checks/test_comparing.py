"""Expectations, beliefs and timings: what is said about a verdict beside the verdict itself."""

import pytest

from checkout_sim.checks.beliefs import beliefs_of, believed
from checkout_sim.checks.evidence import Evidence
from checkout_sim.checks.expectation import compare
from checkout_sim.checks.judge import judge
from checkout_sim.checks.timings import timings
from checkout_sim.model.belief import Believed
from checkout_sim.model.run import Timings
from checkout_sim.model.scenario import Expectation
from tests.histories import Tale

LOST = ("unconfirmed_means_not_paid", "payment_agrees_with_gateway", "replies_are_true")


def surprises(tale: Tale, expected: Expectation | None) -> list[str]:
    history = tale.history()
    return [s.detail for s in compare(judge(history), expected, seen=history.kinds)]


def sound() -> Tale:
    tale = Tale()
    tale.bought(1, told="confirmed")
    return tale


def lost() -> Tale:
    tale = sound()
    tale.bought(2, ends="failed", payment="failed", told="failed")
    return tale


def test_nothing_expected_surprises_nobody() -> None:
    assert surprises(lost(), None) == []


def test_a_verdict_as_expected_surprises_nobody() -> None:
    assert surprises(sound(), Expectation(verdict="valid", confirmed=(1, 1))) == []
    assert surprises(lost(), Expectation(verdict="invalid", trips=LOST)) == []


def test_a_claim_expected_to_break_that_held_is_a_surprise() -> None:
    expected = Expectation(verdict="invalid", trips=(*LOST, "every_order_ends"))

    assert surprises(lost(), expected) == ["every_order_ends was expected to break and did not"]


def test_a_claim_that_broke_unexpectedly_is_a_surprise_with_its_first_violation() -> None:
    (only,) = surprises(lost(), Expectation(verdict="invalid", trips=LOST[:2]))

    assert only.startswith("replies_are_true broke, which was not expected: the shopper was told")


def test_a_claim_that_may_break_need_not() -> None:
    may = Expectation(verdict="invalid", trips=LOST[:2], may_trip=(LOST[2], "every_order_ends"))

    assert surprises(lost(), may) == []


@pytest.mark.parametrize(("confirmed", "count"), [((1, 1), 0), ((0, 2), 0), ((2, 3), 1)])
def test_the_number_of_confirmed_checkouts_must_lie_in_its_range(
    confirmed: tuple[int, int], count: int
) -> None:
    assert len(surprises(sound(), Expectation(verdict="valid", confirmed=confirmed))) == count


def test_a_promised_sight_that_was_not_seen_is_a_surprise() -> None:
    expected = Expectation(verdict="valid", sees=("gateway.captured", "gateway.replayed"))

    assert surprises(sound(), expected) == ["gateway.replayed was expected to be seen and was not"]


@pytest.mark.parametrize("verdict", ["valid", "invalid", "unknown"])
def test_unknown_satisfies_no_expectation(verdict: str) -> None:
    tale = sound().ended(unread=["orders"])
    found = surprises(tale, Expectation(verdict=verdict))  # type: ignore[arg-type]

    assert found[0].startswith("unknown, which satisfies no expectation: every_order_ends: ")


def test_beliefs_say_who_holds_what_and_which_faults_were_in_force() -> None:
    tale = Tale()
    tale.see("fault.injected", fault="early", window=1, target="x", type="down")
    tale.see("fault.lifted", fault="early", window=1, how="up")
    order = tale.order(1).placed().created()
    tale.see("fault.injected", fault="swallow", window=1, target="payment_to_gateway", type="t")
    order.charged().logged("failed").hears("failed").rests_as("failed").believed("failed")
    tale.see("fault.injected", fault="late", window=1, target="x", type="down")

    assert believed(tale.history(), "ord_1") == Believed(
        told="failed",
        order="failed",
        payment="failed 42.00 usd",
        gateway="captured 42.00 usd (pi_1, seq 2)",
        faults=("swallow",),
    )


def test_beliefs_are_kept_for_every_order_with_a_violation() -> None:
    history = lost().history()

    assert list(beliefs_of(history, judge(history))) == ["ord_2"]


def test_an_order_nobody_knows_is_believed_absent() -> None:
    assert believed(sound().history(), "ord_9").order == "absent"


def test_phases_are_timed_from_one_to_the_next_and_checkouts_by_nearest_rank() -> None:
    tale = Tale()
    for checkout, duration_ms in enumerate((30.0, 10.0, 20.0), start=1):
        tale.order(checkout).placed().hears("confirmed", duration_ms=duration_ms)
    tale.order(9).placed(proof=True).hears("confirmed", duration_ms=900.0, proof=True)

    assert timings(tale.history(), start_ms=250.0, judge_ms=1.5) == Timings(
        start_ms=250.0,
        storm_ms=9.0,
        settle_ms=2.0,
        judge_ms=1.5,
        checkout_p50_ms=20.0,
        checkout_p99_ms=30.0,
    )


def test_a_run_without_checkouts_has_no_percentiles() -> None:
    history = Evidence.in_memory().finish()

    assert timings(history).checkout_p50_ms is None
