"""`list` as it is drawn: a line of verdicts for each scenario, and below it why it exists.

Four strategies leave a column of reasons no room at 80 columns, so reasons have lines of their own.
"""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from rich.text import Text

from checkout_sim.model.scenario import Expectation, Scenario
from checkout_sim.model.wire import STRATEGIES

_NAMED = "scenario"
_GAP = "  "
_INDENT = "    "
_WIDEST_REASON = 96


def course(scenarios: Sequence[Scenario], *, width: int) -> Text:
    """Return the scenarios one below the other, their verdicts in columns; `width` is in cells."""
    named = {name for one in scenarios for name in one.expect}
    strategies = [name for name in STRATEGIES if name in named]
    strategies += sorted(named - set(strategies))
    room = width - sum(len(_GAP) + _wide(name) for name in strategies)
    first = max(len(_NAMED), min(room, max((len(one.name) for one in scenarios), default=0)))
    lines = [Text(_row(_NAMED, first, strategies, strategies), style="bold")]
    for one in scenarios:
        verdicts = [_stated(one.expect.get(name)) for name in strategies]
        lines.append(Text(_row(one.name, first, strategies, verdicts)))
        lines += [Text(line, style="dim") for line in _reason(one, width)]
    return Text("\n").join(lines)


def _row(name: str, first: int, strategies: Sequence[str], cells: Sequence[str]) -> str:
    columns = (f"{cell:<{_wide(head)}}" for head, cell in zip(strategies, cells, strict=True))
    above = f"{name}\n" if len(name) > first else ""
    return above + _GAP.join((f"{'' if above else name:<{first}}", *columns)).rstrip()


def _wide(strategy: str) -> int:
    return max(len(strategy), len("invalid"))


def _reason(scenario: Scenario, width: int) -> Iterator[str]:
    tags = f"{' '.join(scenario.tags)}: " if scenario.tags else ""
    room = max(min(width, _WIDEST_REASON) - len(_INDENT), 20)
    return (_INDENT + line for line in wrap(tags + scenario.why, room))


def _stated(expectation: Expectation | None) -> str:
    return "–" if expectation is None else expectation.verdict  # noqa: RUF001 - typography
