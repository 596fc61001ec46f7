"""The scenario runner as lines: the list, the run under way, what each strategy must earn.

Takes rows of `scenario_rows` and `plan_rows` and the board of the run; gives lines for a width.
"""

from collections.abc import Sequence

from checkout_sim.board.board import Board
from checkout_sim.board.fault_lines import told_lines
from checkout_sim.board.plan_rows import phase_bar, said_expectation, step_rows
from checkout_sim.board.run_results import Results, flakes
from checkout_sim.board.scenario_rows import Entry, ScenarioRow
from checkout_sim.board.tokens import Line, Token, clock, fitted

_CELL = 10
_LOOKS = {
    "expected": "expected",
    "surprise": "surprise",
    "open": "quiet",
    "running": "live",
    "absent": "quiet",
}
_STEP_LOOKS = {"done": "plain", "next": "live", "waiting": "quiet", "failed": "wrong"}
_LEAST_NAME = 18


def scenario_heading(strategies: Sequence[str], width: int) -> Line:
    """Return the heading above the list."""
    cells = "".join(fitted(name.upper(), _CELL - 1) + " " for name in strategies)
    return (
        Token(f"   {fitted('SCENARIO', _name_width(len(strategies), width))} {cells}", "title"),
    )


def scenario_line(row: ScenarioRow, width: int) -> Line:
    """Return a scenario's line, or what is wrong with its file in place of verdicts."""
    name_width = _name_width(len(row.cells), width)
    name = Token(f"   {fitted(row.stem, name_width)} ", "wrong" if row.broken else "plain")
    if row.broken:
        return (name, Token(f"! {row.broken}", "wrong"))
    cells = [
        token
        for cell in row.cells
        for token in (Token(fitted(cell.text, _CELL - 1), _LOOKS[cell.look]), Token(" "))
    ]
    return (name, *cells)


def run_lines(board: Board, entry: Entry | None, width: int, *, rows: int) -> list[Line]:
    """Return the scenario under way: phases, steps done and next, checkouts, what it must earn."""
    session = board.session
    total = int(session.run.get("checkouts") or 0)
    share = board.checkouts.seen / total if total else 0.0
    repeat = f"  {session.state.plan}" if session.state.plan else ""
    held = (Token("HELD ", "frozen"),) if session.state.held else ()
    head = (
        Token(f" {clock(board.last_ms)}  seed {session.run.get('seed', '-')}{repeat}  "),
        *held,
        Token(phase_bar(session.phase, share, width=11), "title"),
    )
    counts = board.checkouts.counts
    live = (
        f"sent {board.checkouts.seen}/{total or '?'}   open {counts['open']}   confirmed "
        f"{counts['confirmed']}   rolled back {counts['rolled back']}   suspect {counts['suspect']}"
    )
    tail = told_lines([("LIVE", live), *_verdict(board, entry)], width)
    room = max(0, rows - 1 - len(tail))
    return [head, *_steps(board, entry, width, room=room), *tail]


def detail_lines(
    entry: Entry | None, results: Results, strategies: Sequence[str], width: int
) -> list[Line]:
    """Return why a scenario is there, and every strategy's verdict beside what it must earn."""
    if entry is None:
        return [(Token(" no scenario is marked", "quiet"),)]
    parts: list[tuple[str, str]] = [("FILE", entry.path)]
    if entry.pending:
        return told_lines([*parts, ("", "still being read")], width)
    if entry.scenario is None:
        parts += [("WRONG", str(problem)) for problem in entry.problems[:6]]
        return told_lines(parts, width, look="wrong")
    scenario = entry.scenario
    parts.append(("WHY", scenario.why))
    parts.append(("TAGS", " ".join(scenario.tags) or "none"))
    for strategy in dict.fromkeys((*strategies, *scenario.expect)):
        expected = scenario.expect.get(strategy)
        if expected is not None:
            parts.append(("EXPECT", f"{strategy}: {said_expectation(expected)}"))
            parts.append(("", _seen(results, scenario.name, strategy)))
    parts += [("WARNING", problem.message) for problem in entry.problems]
    return told_lines(parts, width)


def _seen(results: Results, scenario: str, strategy: str) -> str:
    result = results.last(scenario, strategy)
    if result is None:
        return "not run here"
    said = result.status + (f" by {', '.join(result.broken)}" if result.broken else "")
    steady = flakes(results.since(scenario, strategy, after=0))
    if steady is not None and steady.runs > 1:
        said += f"; {steady.equal} of {steady.runs} runs equal"
    return "; ".join([f"seen {said}", *result.surprises])


def _steps(board: Board, entry: Entry | None, width: int, *, room: int) -> list[Line]:
    if entry is None or entry.scenario is None:
        return []
    rows = step_rows(entry.scenario, board.faults.by_name, board.session.phase)
    if not rows:
        none: list[Line] = [(Token("    no fault: nothing breaks in this one", "quiet"),)]
        return none[:room]
    # What matters is around the next step: those long done leave first.
    at = next((at for at, row in enumerate(rows) if row.state in {"next", "waiting"}), len(rows))
    begin = max(0, min(at - room // 2, len(rows) - room))
    when = min(40, max(20, width // 2 - 4))
    return [
        (
            Token(f" {row.mark}  ", _STEP_LOOKS.get(row.state, "suspect")),
            Token(fitted(row.when, when), _STEP_LOOKS.get(row.state, "suspect")),
            Token(f" {row.what}", _STEP_LOOKS.get(row.state, "suspect")),
        )
        for row in rows[begin : begin + room]
    ]


def _verdict(board: Board, entry: Entry | None) -> list[tuple[str, str]]:
    session = board.session
    expected = entry.scenario.expect.get(session.strategy) if entry and entry.scenario else None
    parts = [("EXPECT", f"{session.strategy}: {said_expectation(expected)}")]
    verdict = session.verdict
    if verdict is not None and verdict.status is not None:
        broken = f" by {', '.join(verdict.broken)}" if verdict.broken else ""
        mark = {True: "= as expected", False: "! not as expected", None: "nothing to compare with"}
        parts.append(("VERDICT", f"{verdict.status}{broken}   {mark[verdict.as_expected]}"))
        parts += [("", surprise) for surprise in verdict.surprises[:2]]
    return parts


def _name_width(columns: int, width: int) -> int:
    return max(_LEAST_NAME, min(34, width - 5 - columns * _CELL))
