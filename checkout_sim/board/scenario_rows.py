"""The scenarios as a list: what each is called, what came of it here, what is wrong with its file.

Takes entries (a file, and the scenario in it or the problems found), results and what runs now;
gives rows. A file that cannot be used keeps its row and says why, in place.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from checkout_sim.board.run_results import Results
from checkout_sim.model.errors import Problem
from checkout_sim.model.scenario import Scenario

CellLook = Literal["expected", "surprise", "open", "running", "absent"]
_LOOKS: Mapping[bool | None, CellLook] = {True: "expected", False: "surprise", None: "open"}


class Entry(NamedTuple):
    """One file. `scenario` is None while `pending`, or where `problems` say it cannot be used."""

    path: str
    stem: str
    scenario: Scenario | None
    problems: tuple[Problem, ...] = ()
    pending: bool = False  # it has not been read yet

    @property
    def errors(self) -> tuple[Problem, ...]:
        """Return what stops it from running; warnings stop nothing."""
        return tuple(one for one in self.problems if one.severity == "error")

    @property
    def strategies(self) -> tuple[str, ...]:
        """Return the strategies its file expects something of."""
        return tuple(self.scenario.expect) if self.scenario else ()


class Cell(NamedTuple):
    """One strategy's verdict on one scenario: `invalid=`, `unknown!`, `running`, `not run`, `-`."""

    text: str
    look: CellLook


class ScenarioRow(NamedTuple):
    """One scenario and a cell for each strategy shown."""

    stem: str
    cells: tuple[Cell, ...]
    broken: str  # the first problem of a file that cannot be used


def scenario_rows(
    entries: Sequence[Entry],
    results: Results,
    *,
    strategies: Sequence[str],
    running: tuple[str, str] | None = None,
) -> tuple[ScenarioRow, ...]:
    """Return a row for every file; `running` names the scenario and strategy under way."""
    return tuple(
        ScenarioRow(
            stem=entry.stem,
            cells=tuple(_cell(entry, strategy, results, running) for strategy in strategies),
            broken=_why(entry),
        )
        for entry in entries
    )


def _cell(entry: Entry, strategy: str, results: Results, running: tuple[str, str] | None) -> Cell:
    if entry.pending:
        return Cell("...", "absent")
    if entry.scenario is None or strategy not in entry.scenario.expect:
        return Cell("-", "absent")
    if running == (entry.scenario.name, strategy):
        return Cell("running", "running")
    result = results.last(entry.scenario.name, strategy)
    if result is None:
        return Cell("not run", "open")
    return Cell(f"{result.status:<7}{result.mark}", _LOOKS[result.as_expected])


def _why(entry: Entry) -> str:
    if entry.scenario is not None or entry.pending:
        return ""
    errors = entry.errors
    if not errors:
        return "cannot be read"
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"line {errors[0].line}: {errors[0].message}{more}"
