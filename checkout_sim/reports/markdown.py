"""The Markdown report: fits a pull-request comment and GitHub's step summary.

Takes runs, gives text of at most 65,536 characters (what GitHub takes in a comment). What must be
seen comes first and is never what is cut: the one line that says it all, then what is not as
expected, then the table.
"""

import html
from collections.abc import Iterator, Sequence

from checkout_sim.model.run import Run
from checkout_sim.model.verdict import Broken
from checkout_sim.reports import evidence, phrases
from checkout_sim.reports.evidence import NotRun
from checkout_sim.reports.phrases import Standing, counted

LIMIT_CHARACTERS = 65_536

_MOST_VIOLATIONS = 3
_ROOM_FOR_THE_END = 300


def markdown(
    runs: Sequence[Run],
    *,
    missing: Sequence[NotRun] = (),
    targets: phrases.Targets | None = None,
) -> str:
    """Return the report; blocks that do not fit any more are counted instead."""
    runs = phrases.in_order(runs)
    urgent = [run for run in runs if evidence.is_urgent(run)]
    text = _headline(runs, missing)
    blocks = [*(_missing(one) for one in missing), *(_block(run, targets) for run in urgent)]
    text = _filled(text, blocks, "run that needs a look")
    rows = list(_rows(runs))
    if rows:
        text = _filled(text + _table_head(runs), rows, "scenario")
    return text


def _filled(text: str, blocks: Sequence[str], noun: str) -> str:
    """Return the text with as many blocks as fit, and how many did not."""
    for at, block in enumerate(blocks):
        if len(text) + len(block) > LIMIT_CHARACTERS - 2 * _ROOM_FOR_THE_END:
            left = len(blocks) - at
            return f"{text}\n*and {left} more ({noun}), left out to fit; see the JSON report*\n\n"
        text += block
    return text


def _headline(runs: Sequence[Run], missing: Sequence[NotRun]) -> str:
    standings = [phrases.standing(run) for run in runs]
    said = {
        "as expected": standings.count(Standing.AS_EXPECTED),
        "not as expected": standings.count(Standing.SURPRISING),
        "unknown": standings.count(Standing.UNDECIDED),
        "known from the baseline": standings.count(Standing.KNOWN),
        "without expectation": standings.count(Standing.UNASKED),
        "never ran": sum(not one.skipped for one in missing),
        "skipped": sum(one.skipped for one in missing),
    }
    counts = ", ".join(f"{number} {words}" for words, number in said.items() if number)
    never_ran = any(not one.skipped for one in missing)
    bad = never_ran or not runs or any(evidence.is_urgent(run) for run in runs)
    mark = Standing.SURPRISING.value if bad else Standing.AS_EXPECTED.value
    engines = dict.fromkeys(f"{run.engine.name} {run.engine.version}" for run in runs)
    through = f" through {_inline(', '.join(engines))}" if engines else ""
    checkouts = counted(sum(run.verdict.orders.total for run in runs), "checkout")
    total = counted(len(runs) + len(missing), "run")
    return (
        f"### {mark} checkout-sim: {counts or 'nothing ran'}\n\n{total}, {checkouts}{through}\n\n"
    )


def _missing(one: NotRun) -> str:
    told = _inline(one.why) if one.skipped else f"never ran: {_inline(one.why)}"
    return f"**{_inline(one.scenario)} × {_inline(one.strategy)}** {told}\n\n"  # noqa: RUF001 - a product


def _block(run: Run, targets: phrases.Targets | None) -> str:
    mark = phrases.standing(run).value
    lines = [f"**{mark} {_inline(phrases.title(run))}**: {_inline(phrases.outcome(run))}", ""]
    lines += [f"- {_inline(reason)}" for reason in evidence.reasons(run)]
    told = [
        line
        for finding in run.verdict.findings.values()
        if isinstance(finding, Broken)
        for line in evidence.told_all(run, finding, most=_MOST_VIOLATIONS)
    ]
    code = _fenced([*told, *evidence.ways_to_see(run, targets)])
    return "\n".join(
        [*lines, "", "<details><summary>evidence</summary>", "", code, "</details>\n\n"]
    )


def _table_head(runs: Sequence[Run]) -> str:
    names = [_inline(name) for name in _strategies(runs)]
    return f"| scenario | {' | '.join(names)} |\n|---|{'---|' * len(names)}\n"


def _rows(runs: Sequence[Run]) -> Iterator[str]:
    rows: dict[tuple[str, str], dict[str, list[str]]] = {}
    for run in runs:
        cell = f"{phrases.standing(run).value} {_inline(phrases.outcome(run))}"
        cells = rows.setdefault((run.scenario_path, run.scenario), {})
        cells.setdefault(run.strategy, []).append(cell)
    for (_, scenario), cells in rows.items():
        said = ["<br>".join(cells.get(name, ["not run"])) for name in _strategies(runs)]
        yield f"| {_inline(scenario)} | {' | '.join(said)} |\n"


def _strategies(runs: Sequence[Run]) -> list[str]:
    return sorted({run.strategy for run in runs}, key=phrases.strategy_place)


def _inline(text: str) -> str:
    """Return text that stays what it is within a line or a cell."""
    escaped = html.escape(" ".join(text.split()), quote=False)
    for sign in "\\|*_`[]":
        escaped = escaped.replace(sign, f"\\{sign}")
    return escaped


def _fenced(lines: Sequence[str]) -> str:
    """Return lines in a fence longer than any run of backticks within."""
    text = "\n".join(lines)
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text}\n{fence}\n"
