from itertools import permutations

import pytest

from checkout_sim.cli.exits import Exit, of_error, of_run, worst
from checkout_sim.model.errors import (
    CheckoutSimError,
    FaultNotApplied,
    HistoryUnreadable,
    LedgerUnreadable,
    RunNotFound,
    ScenarioInvalid,
    ScenarioNotFound,
    StackDidNotStart,
    StrategyUnknown,
)
from tests.unit.reports.stories import caught, disturbed, regressed, run, undecided


def test_the_codes_are_those_documented() -> None:
    assert [code.value for code in Exit] == [0, 1, 2, 3, 4, 70, 130]


@pytest.mark.parametrize(
    ("worse", "better"), [(130, 70), (70, 4), (4, 1), (1, 3), (3, 0), (4, 2), (2, 1)]
)
def test_the_worse_end_speaks_for_all(worse: int, better: int) -> None:
    for both in permutations([Exit(worse), Exit(better), Exit.AS_EXPECTED]):
        assert worst(both) == worse


def test_nothing_at_all_is_as_expected() -> None:
    assert worst([]) == Exit.AS_EXPECTED


def test_a_catch_that_was_expected_exits_0_and_strictly_1() -> None:
    assert (of_run(caught()), of_run(caught(), strict=True)) == (0, 1)


def test_a_surprise_exits_1() -> None:
    assert of_run(regressed()) == 1
    assert of_run(run(expected="invalid", surprises=["nothing was broken"])) == 1


def test_a_clean_run_exits_0_strictly_too() -> None:
    assert (of_run(run()), of_run(run(), strict=True)) == (0, 0)


def test_an_unknown_verdict_exits_3_whatever_was_expected() -> None:
    assert [of_run(undecided()), of_run(run(found="unknown", expected="unknown"))] == [3, 3]
    assert of_run(undecided(), strict=True) == 3


def test_without_expectation_only_a_valid_run_exits_0() -> None:
    assert of_run(run(expected=None)) == 0
    assert of_run(run(found="invalid", expected=None)) == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ScenarioInvalid(()), 2),
        (ScenarioNotFound(), 2),
        (StrategyUnknown(), 2),
        (RunNotFound(), 2),
        (HistoryUnreadable(), 3),
        (LedgerUnreadable(), 3),
        (FaultNotApplied(), 3),
        (StackDidNotStart(), 4),
        (CheckoutSimError(), 70),
        (KeyError(), 70),
        (KeyboardInterrupt(), 130),
        (ExceptionGroup("", [LedgerUnreadable(), StackDidNotStart()]), 4),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_every_error_has_its_class_of_end(error: BaseException, code: int) -> None:
    assert of_error(error) == code


def test_a_run_the_machine_disturbed_exits_3_although_its_verdict_is_known() -> None:
    assert of_run(disturbed()) == Exit.UNKNOWN
