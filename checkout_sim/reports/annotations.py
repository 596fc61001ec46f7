"""GitHub annotations: one workflow command per run that needs a look, at its line of the scenario.

Takes runs and the text of their scenario files, gives lines for standard output (GitHub docs,
"Workflow commands": properties escape `%`, newlines, `:` and `,`, the message the first three).
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from checkout_sim.model.run import Run
from checkout_sim.reports import evidence, phrases
from checkout_sim.reports.evidence import NotRun

MOST = 10  # GitHub shows ten errors of a step

_MOST_REASONS = 3


def annotations(
    runs: Sequence[Run],
    *,
    missing: Sequence[NotRun] = (),
    texts: Mapping[str, str],
    targets: phrases.Targets | None = None,
) -> Iterator[str]:
    """Yield `::error …` lines, the first ten; `texts` holds scenario files by path."""
    urgent = [run for run in phrases.in_order(runs) if evidence.is_urgent(run)]
    lines = [_never_ran(one) for one in missing]
    lines += [_error(run, texts.get(run.scenario_path), targets) for run in urgent]
    yield from lines[:MOST]
    if len(lines) > MOST:
        yield f"::notice title=checkout-sim::and {len(lines) - MOST} runs more need a look"


def line_of(text: str, strategy: str) -> int:
    """Return the line that states what is expected of a strategy, else of `expect:`, else 1."""
    found = 1
    inside = False
    for number, line in enumerate(text.splitlines(), start=1):
        if re.match(r"expect\s*:", line):
            found, inside = number, True
        elif inside and re.match(rf"\s+[\"']?{re.escape(strategy)}[\"']?\s*:", line):
            return number
        elif line.strip() and not line[0].isspace() and not line.startswith("#"):
            inside = False
    return found


def _error(run: Run, text: str | None, targets: phrases.Targets | None) -> str:
    place = "" if text is None else f"file={_property(run.scenario_path)}"
    line = "" if text is None else f",line={line_of(text, run.strategy)},"
    reasons = list(evidence.reasons(run))
    more = len(reasons) - _MOST_REASONS
    told = [*reasons[:_MOST_REASONS], *([f"and {more} more"] if more > 0 else [])]
    told.append(f"Reproduce with: {phrases.reproduce(run, targets)}")
    title = _property(f"{phrases.title(run)}: {phrases.outcome(run)}")
    return f"::error {place}{line}title={title}::{_message(chr(10).join(told))}"


def _never_ran(one: NotRun) -> str:
    level, what = ("notice", "skipped") if one.skipped else ("error", "never ran")
    title = _property(f"{one.scenario} × {one.strategy}: {what}")  # noqa: RUF001 - a product
    return f"::{level} title={title}::{_message(one.why)}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
