"""Scenarios in a list and under way: verdicts beside expectations, steps done and to come."""

from pathlib import Path
from typing import Any

from checkout_sim.board.faults import FaultSeen
from checkout_sim.board.plan_rows import phase_bar, said_expectation, step_rows
from checkout_sim.board.run_results import Results, flakes
from checkout_sim.board.scenario_rows import Entry, scenario_rows
from checkout_sim.model.answer import Judged, Stretch
from checkout_sim.model.errors import Problem
from checkout_sim.model.fault import LinkFault, PlacedToxic, ProcessFault
from checkout_sim.model.scenario import (
    BeforeCheckout,
    Expectation,
    FaultRule,
    OnEvent,
    Scenario,
)
from checkout_sim.model.verdict import Status
from checkout_sim.scenario_files.load import link_names, load_scenarios
from checkout_sim.scenario_files.shipped import links_path, shipped_roots

HOLD = FaultRule(
    name="hold",
    kind=LinkFault(
        links=("payment_to_gateway",),
        toxics=(
            PlacedToxic(
                name="hold", type="latency", stream="downstream", attributes={"latency": 250}
            ),
        ),
    ),
    begin=BeforeCheckout(checkout=3),
    end=OnEvent(event="client.ended", checkout=3),
)
CUT = FaultRule(
    name="cut",
    kind=ProcessFault(processes=("payment",), do="kill"),
    begin=OnEvent(event="gateway.captured", checkout=3, then_ms=20),
    end=BeforeCheckout(checkout=4),
)


def scenario(**about: Any) -> Scenario:
    given: dict[str, Any] = {
        "expect": {
            "naive": Expectation(verdict="invalid", trips=("replies_are_true",)),
            "hardened": Expectation(verdict="valid", confirmed=(4, 5)),
        },
        **about,
    }
    return Scenario(
        name="crash",
        why="It dies.",
        path="scenarios/22-crash.yaml",
        digest="",
        invariants=(),
        faults=(HOLD, CUT),
        **given,
    )


def verdict(status: Status, *broken: str, run: str, expected: bool | None = True) -> Judged:
    return Judged(
        run_id=run,
        provisional=False,
        status=status,
        broken=dict.fromkeys(broken, 1),
        as_expected=expected,
    )


def stretch(run: str, *, name: str = "crash", strategy: str = "naive") -> Stretch:
    return Stretch(run_id=run, folder="", scenario=name, strategy=strategy, live=True)


def results(*verdicts: Judged) -> Results:
    heard = Results()
    for one in verdicts:
        heard = heard.heard(stretch(one.run_id), one)
    return heard


def entry(*, problems: tuple[Problem, ...] = (), broken: bool = False) -> Entry:
    return Entry("22-crash.yaml", "22-crash", None if broken else scenario(), problems)


def cells(of: Results, *, running: tuple[str, str] | None = None) -> list[str]:
    shown = ("naive", "hardened", "orchestrated")
    return [
        cell.text
        for cell in scenario_rows((entry(),), of, strategies=shown, running=running)[0].cells
    ]


def test_a_scenario_that_was_not_run_says_so_and_a_strategy_it_does_not_name_has_no_cell() -> None:
    assert cells(Results()) == ["not run", "not run", "-"]


def test_a_verdict_and_its_being_expected_are_two_marks() -> None:
    assert cells(results(verdict("invalid", "replies_are_true", run="a")))[0] == "invalid="
    assert cells(results(verdict("unknown", run="a", expected=False)))[0] == "unknown!"


def test_the_newest_verdict_counts_and_what_runs_now_says_so() -> None:
    twice = results(verdict("valid", run="a"), verdict("invalid", run="b", expected=False))

    assert cells(twice)[0] == "invalid!"
    assert cells(twice, running=("crash", "naive"))[0] == "running"


def test_a_live_session_and_a_judgement_in_between_are_no_results() -> None:
    live = Results().heard(stretch("a", name=""), verdict("valid", run="a"))
    between = Judged(run_id="a", provisional=True, status=None)

    assert live == Results()
    assert Results().heard(stretch("a"), between) == Results()


def test_a_run_judged_twice_counts_once() -> None:
    again = results(verdict("valid", run="a"), verdict("valid", run="a"))

    assert again.count("crash", "naive") == 1


def test_a_file_that_cannot_be_used_keeps_its_row_and_says_where_and_why() -> None:
    problems = (
        Problem(path="x", line=7, column=1, message="unknown key"),
        Problem(path="x", line=9, column=1, message="no such link"),
    )

    row = scenario_rows((entry(problems=problems, broken=True),), Results(), strategies=("naive",))[
        0
    ]

    assert row.broken == "line 7: unknown key (and 1 more)"
    assert [cell.text for cell in row.cells] == ["-"]


def test_three_equal_verdicts_are_steady_and_two_of_three_are_not() -> None:
    same = [verdict("invalid", "replies_are_true", run=run) for run in "abc"]
    odd = [*same[:2], verdict("valid", run="c")]

    assert flakes(results(*same).since("crash", "naive", after=0)) == (
        3,
        3,
        "invalid by replies_are_true",
    )
    told = flakes(results(*odd).since("crash", "naive", after=0))
    assert told is not None
    assert (told.equal, told.runs, told.steady) == (2, 3, False)
    assert flakes(()) is None


def test_verdicts_from_before_the_replay_do_not_count_for_it() -> None:
    heard = results(verdict("valid", run="a"), verdict("invalid", "replies_are_true", run="b"))

    assert [one.run_id for one in heard.since("crash", "naive", after=1)] == ["b"]


def seen(name: str, **about: Any) -> FaultSeen:
    return FaultSeen(name=name, stage="armed", armed_ms=1.0)._replace(**about)


def states(phase: str, *faults: FaultSeen) -> list[str]:
    by_name = {one.name: one for one in faults}
    return [row.mark for row in step_rows(scenario(), by_name, phase)]


def test_the_first_step_not_done_comes_next_while_the_storm_lasts() -> None:
    assert states("start") == [" ", " ", " ", " "]
    assert states("storm") == [">", " ", " ", " "]
    assert states("storm", seen("hold")) == ["+", ">", " ", " "]
    assert states("storm", seen("hold", stage="lifted"), seen("cut")) == ["+", "+", "+", ">"]


def test_what_never_began_is_missed_once_the_storm_is_over() -> None:
    assert states("settle", seen("hold", stage="lifted")) == ["+", "+", "?", "?"]


def test_a_step_that_failed_says_why() -> None:
    failed = seen("cut", stage="stuck", armed_ms=None, message="no such process")

    rows = step_rows(scenario(), {"cut": failed}, "storm")

    assert rows[2].mark == "!"
    assert rows[2].what == "cut: kill payment: no such process"


def test_steps_say_when_and_what_in_words() -> None:
    rows = step_rows(scenario(), {"hold": seen("hold", hits=2)}, "storm")

    assert [(row.when, row.what) for row in rows] == [
        ("before checkout 3", "hold: latency 250ms < on payment_to_gateway (hit 2)"),
        ("on client.ended of #3", "lift hold"),
        ("on gateway.captured of #3, then 20 ms", "cut: kill payment"),
        ("before checkout 4", "start after cut"),
    ]


def test_the_phases_are_a_line_with_a_bar_in_the_storm() -> None:
    assert phase_bar("storm", 0.4, width=10) == ("[storm####......]  calm  settle  read  judge")
    assert phase_bar("settle", 1.0, width=10) == "storm  calm  [settle]  read  judge"
    assert phase_bar("", 0, width=10) == "not running"


def test_what_is_expected_is_said_in_a_line() -> None:
    expect = scenario().expect

    assert said_expectation(expect["naive"]) == "invalid by replies_are_true"
    assert said_expectation(expect["hardened"]) == "valid, 4..5 confirmed"
    assert said_expectation(None) == "nothing"


def test_every_shipped_scenario_can_be_shown_as_steps() -> None:
    paths = sorted(path for root in shipped_roots() for path in Path(root).glob("*.yaml"))
    scenarios, _ = load_scenarios(paths, links=link_names(links_path()))

    assert scenarios
    for one in scenarios:
        assert len(step_rows(one, {}, "storm")) == 2 * len(one.faults)
