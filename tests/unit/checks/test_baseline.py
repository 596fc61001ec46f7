"""A baseline excuses exactly what it had: the same surprise of the same scenario and strategy."""

from dataclasses import replace

import pytest

from checkout_sim.checks.baseline import baseline_of
from checkout_sim.model.errors import HistoryUnreadable
from checkout_sim.model.run import Run, Surprise
from checkout_sim.reports.summary import report
from tests.unit.reports.stories import disturbed, regressed, run, undecided

BROKE = Surprise(kind="broke", about="replies_are_true", detail="order ord_1 lied")
HELD = Surprise(kind="held", about="every_order_ends", detail="it held")


def surprising(one: Run, *surprises: Surprise) -> Run:
    return replace(one, surprises=surprises)


def test_what_the_baseline_had_is_known_whatever_order_it_names() -> None:
    then = surprising(regressed(), replace(BROKE, detail="order ord_9 lied"))
    now = baseline_of(report([then]), named="b").apply(surprising(regressed(), BROKE, HELD))

    assert (now.known, now.surprises) == ((BROKE,), (HELD,))
    assert now.as_expected is False


def test_a_run_with_known_surprises_alone_fails_nothing() -> None:
    then = surprising(regressed(), BROKE)
    now = baseline_of(report([then]), named="b").apply(then)

    assert now.as_expected is True


def test_another_scenario_or_strategy_excuses_nothing() -> None:
    base = baseline_of(report([surprising(regressed("refused"), BROKE)]), named="b")
    other = surprising(regressed("crumbs"), BROKE)

    assert base.apply(other) == other
    assert base.apply(replace(other, scenario="refused", strategy="naive")).surprises == (BROKE,)


def test_unknown_is_never_excused() -> None:
    unknown = surprising(undecided(), Surprise(kind="unknown", detail="swallow left no trace"))

    assert baseline_of(report([unknown]), named="b").apply(unknown) == unknown
    assert baseline_of(report([disturbed()]), named="b").apply(disturbed()) == disturbed()


def test_a_report_made_against_a_baseline_is_a_baseline_with_all_of_it() -> None:
    first = surprising(regressed(), BROKE)
    excused = baseline_of(report([first]), named="b").apply(first)
    again = baseline_of(report([excused]), named="b")

    assert again.apply(first).known == (BROKE,)


def test_what_is_mended_is_missed_by_nobody() -> None:
    base = baseline_of(report([surprising(run(), BROKE)]), named="b")

    assert base.apply(run()) == run()


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([], "not a report"),
        ({"runs": 3}, "not a report"),
        ({"version": 9, "runs": []}, "version 9"),
        ({"version": 1, "runs": [{"scenario": "a", "strategy": "b"}]}, "older checkout-sim"),
        ({"version": 1, "runs": [3]}, "older checkout-sim"),
    ],
)
def test_what_is_no_baseline_is_refused_with_the_way_to_make_one(found: object, told: str) -> None:
    with pytest.raises(HistoryUnreadable, match=rf"base.json: .*{told}.*--json base.json"):
        baseline_of(found, named="base.json")
