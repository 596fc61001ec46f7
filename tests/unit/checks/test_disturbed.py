"""A machine that stood still excuses what slowness decides, and never a wrong order."""

import pytest

from checkout_sim.checks.expectation import unless_disturbed
from checkout_sim.checks.timings import longest_hiccup_ms
from checkout_sim.model.run import Surprise
from checkout_sim.model.wire import STRATEGIES, TAKES_SLOWNESS_FOR_FAILURE
from tests.histories import Tale

FEWER = Surprise(kind="confirmed", detail="2 of 5 checkouts confirmed, expected 4 to 5")
UNSEEN = Surprise(kind="unseen", about="breaker.opened", detail="breaker.opened was not seen")
HELD = Surprise(kind="held", about="replies_are_true", detail="replies_are_true did not break")
UNDECIDED = Surprise(kind="unknown", about="came_to_rest, faults_fired", detail="no trace")
UNREAD = Surprise(kind="unknown", about="faults_fired, history_is_complete", detail="not read")
VERDICT = Surprise(kind="verdict", about="invalid", detail="invalid where valid was expected")
BROKE = Surprise(kind="broke", about="replies_are_true", detail="replies_are_true broke")
SOUND = [name for name in STRATEGIES if name not in TAKES_SLOWNESS_FOR_FAILURE]


@pytest.mark.parametrize("found", [FEWER, UNSEEN, HELD, UNDECIDED])
def test_what_slowness_decides_is_excused_and_still_told(found: Surprise) -> None:
    [told] = unless_disturbed((found,), "hardened", longest_hiccup_ms=616.2)

    assert told.kind == "disturbed"
    assert told.detail.startswith("the machine stood still for 616 ms")
    assert found.detail in told.detail


@pytest.mark.parametrize("strategy", SOUND)
def test_no_slowness_excuses_a_wrong_order_of_a_strategy_that_survives_it(strategy: str) -> None:
    found = (VERDICT, BROKE, FEWER)

    assert unless_disturbed(found, strategy, longest_hiccup_ms=5_000.0) == found


def test_naive_takes_slowness_for_failure_so_that_a_slow_machine_breaks_its_orders() -> None:
    [told] = unless_disturbed((VERDICT, BROKE), "naive", longest_hiccup_ms=616.0)

    assert told.kind == "disturbed"


def test_no_slowness_excuses_missing_evidence() -> None:
    assert unless_disturbed((UNREAD,), "naive", longest_hiccup_ms=616.0) == (UNREAD,)


def test_a_strategy_nobody_knows_is_held_to_every_claim() -> None:
    assert unless_disturbed((BROKE,), "our-own", longest_hiccup_ms=616.0) == (BROKE,)


@pytest.mark.parametrize("ms", [0.0, 99.9])
def test_a_machine_that_went_on_excuses_nothing(ms: float) -> None:
    assert unless_disturbed((FEWER,), "hardened", longest_hiccup_ms=ms) == (FEWER,)


def test_a_run_that_is_as_expected_stays_so_however_long_the_machine_stood_still() -> None:
    assert unless_disturbed((), "hardened", longest_hiccup_ms=5_000.0) == ()


def test_the_longest_hiccup_is_read_from_the_history() -> None:
    tale = Tale()
    assert longest_hiccup_ms(tale.history()) == 0.0

    for cpu, ms in enumerate((120.0, 616.2, 180.5)):
        tale.see("machine.hiccup", source="machine", cpu=cpu, ms=ms)
    assert longest_hiccup_ms(tale.history()) == 616.2
