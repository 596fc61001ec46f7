"""From a history to a Run: judged the same whether it was recorded just now or years ago.

A history says everything its verdict needs: what was declared, expected and seen. So judging runs
nothing, and a newer claim can be put to an older run.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from checkout_sim.archive.recorder import HISTORY_NAME
from checkout_sim.archive.runs import write_verdict
from checkout_sim.checks.beliefs import beliefs_of
from checkout_sim.checks.evidence import Evidence
from checkout_sim.checks.expectation import compare, unless_disturbed
from checkout_sim.checks.history import History
from checkout_sim.checks.judge import judge
from checkout_sim.checks.timings import timings
from checkout_sim.model.claims import CORE, EXTENDED
from checkout_sim.model.errors import HistoryUnreadable
from checkout_sim.model.run import Engine, Run, Timings
from checkout_sim.model.scenario import Expectation
from checkout_sim.ndjson import read_history
from checkout_sim.reports.summary import run_json
from checkout_sim.runner.clock import MonotonicClock


def judged(history: History, *, folder: Path, invariants: Sequence[str] | None = None) -> Run:
    """Return the run that this history tells of. Raises HistoryUnreadable if it never opened.

    `invariants` are asked instead of those the scenario named. Where they leave one of those out,
    nothing is expected of the run: its expectation speaks of them all. Neither is anything
    expected of a run that an operator has touched.
    """
    opened = history.opened
    if not opened:
        message = (
            f"{folder / HISTORY_NAME}: no run.opened in it, so the stack never came up; "
            "there is nothing to judge"
        )
        raise HistoryUnreadable(message)
    clock = MonotonicClock()
    began_ms = clock.now_ms()
    verdict = judge(history, invariants=invariants)
    judge_ms = clock.now_ms() - began_ms
    fewer = invariants is not None and not set(named_claims(opened)) <= set(invariants)
    # Whoever held or stopped a plan made another run of it than its scenario speaks of.
    touched = "operator.asked" in history.kinds
    expected = None if fewer or touched else _expectation(opened.get("expect"))
    strategy, took = str(opened["strategy"]), _timings(history, judge_ms)
    found = compare(verdict, expected, seen=history.kinds)
    return Run(
        id=folder.name,
        scenario=str(opened["scenario"]),
        scenario_path=str(opened["path"]),
        strategy=strategy,
        seed=int(opened["seed"]),
        engine=Engine(**opened["engine"]),
        folder=folder,
        verdict=verdict,
        expected=expected,
        surprises=unless_disturbed(found, strategy, longest_hiccup_ms=took.longest_hiccup_ms),
        timings=took,
        beliefs=beliefs_of(history, verdict),
    )


def judge_run(
    folder: Path, *, among: Literal["core", "extended"] | None = None, also: Sequence[str] = ()
) -> Run:
    """Judge an archived run again, running nothing. Raises HistoryUnreadable.

    The claims are those the scenario named, or all core ones, or core and extended; `also` adds
    single ones.
    """
    evidence = Evidence.in_memory().extend(read_history(folder / HISTORY_NAME))
    history = evidence.finish()
    try:
        named = {
            None: named_claims(history.opened),
            "core": CORE,
            "extended": (*CORE, *EXTENDED),
        }[among]
        return judged(history, folder=folder, invariants=tuple(dict.fromkeys((*named, *also))))
    finally:
        history.close()


def named_claims(opened: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the claims a run's scenario asked to be judged; an early history names none."""
    return tuple(opened.get("invariants", CORE))


def keep(run: Run) -> None:
    """Write the verdict beside the history it was made from."""
    write_verdict(run.folder, run_json(run))


def _expectation(said: Any) -> Expectation | None:
    if said is None:
        return None
    confirmed = said["confirmed"]
    return Expectation(
        verdict=said["verdict"],
        trips=tuple(said["trips"]),
        may_trip=tuple(said["may_trip"]),
        confirmed=None if confirmed is None else (int(confirmed[0]), int(confirmed[1])),
        sees=tuple(said["sees"]),
    )


def _timings(history: History, judge_ms: float) -> Timings:
    """Return the timings; the stack's start ends where the storm begins, with all healthy."""
    start_ms = 0.0
    for remark in history.remarks("phase.entered"):
        if remark.data.get("phase") == "storm":
            start_ms = remark.t_ms
            break
    return timings(history, start_ms=start_ms, judge_ms=judge_ms)
