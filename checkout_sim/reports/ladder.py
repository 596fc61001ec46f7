"""The ladder in a terminal: lanes, arrows, bands and words, from 80 columns up.

Takes a `Ladder`, gives something rich can draw. Meaning is carried by signs and words, colour only
repeats it; where the terminal's encoding has no box characters, ASCII says the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from checkout_sim.model.ladder import Band, Ladder, Rung, Tone

_LANE_COLUMNS = 9
_TIME_COLUMNS = 8
_MOST_BANDS = 6
_EDGE = "shopper_to_"
# A retry storm has hundreds of rungs that say the same: its beginning and its end tell it.
MOST_RUNGS = 80
_KEPT_AT_THE_END = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signs:
    """The characters of one alphabet."""

    lane: str
    line: str
    struck: str  # a line under a fault
    right: str
    left: str
    band: str
    none: str
    cut: str
    lost: str = "X"
    end: str = "o"


_BOXES = _Signs(lane="│", line="─", struck="═", right=">", left="<", band="█", none="·", cut="…")
_ASCII = _Signs(lane="|", line="-", struck="=", right=">", left="<", band="#", none=".", cut="~")

_MARKS: dict[Tone, str] = {
    "commit": "*",
    "money": "$",
    "unknown": "?",
    "struck": "!",
    "plain": "+",
}
_STYLES: dict[Tone, str] = {
    "commit": "",
    "money": "bold yellow",
    "unknown": "bold magenta",
    "struck": "bold red",
    "plain": "",
}


def shortened(rungs: Sequence[Rung], most: int = MOST_RUNGS) -> tuple[list[Rung], int, list[Rung]]:
    """Return the beginning, how many are left out behind it, and the end, `most` rungs in all."""
    if len(rungs) <= most:
        return list(rungs), 0, []
    first = most - min(_KEPT_AT_THE_END, most // 2)
    last = most - first
    return list(rungs[:first]), len(rungs) - most, list(rungs[-last:])


@dataclass(frozen=True, slots=True)
class LadderView:
    """A ladder as rich draws it, in whatever width and alphabet the console has."""

    ladder: Ladder

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the heading, one line per rung, and what the bands stand for."""
        signs = _ASCII if options.ascii_only else _BOXES
        bands = self.ladder.bands[:_MOST_BANDS]
        yield self._heading(bands)
        head, left_out, tail = shortened(self.ladder.rungs)
        for rung in head:
            yield self._line(rung, bands, signs, options.max_width)
        if left_out:
            yield Text(f"{'':{_TIME_COLUMNS}}   {left_out} more like these", style="dim")
        for rung in tail:
            yield self._line(rung, bands, signs, options.max_width)
        yield from _legend(self.ladder.bands, bands, signs)

    def _heading(self, bands: Sequence[Band]) -> Text:
        names = (lane.upper()[: _LANE_COLUMNS - 1] for lane in self.ladder.lanes)
        lanes = "".join(f"{name:<{_LANE_COLUMNS}}" for name in names)
        numbers = "".join(str(number) for number in range(1, len(bands) + 1))
        between = f"{numbers}  " if numbers else ""
        return Text(f"{'ms':>{_TIME_COLUMNS - 2}}  {lanes}{between}EVENT", style="bold", end="\n")

    def _line(self, rung: Rung, bands: Sequence[Band], signs: _Signs, columns: int) -> Text:
        line = Text(no_wrap=True, overflow="ignore")
        line.append(f"{rung.at_ms:>{_TIME_COLUMNS - 2}.0f}  ", style="dim")
        line.append(_lanes(self.ladder.lanes, rung, signs))
        for band in bands:
            here = in_force(band, rung.at_ms)
            line.append(signs.band if here else signs.none, style="red" if here else "dim")
        line.append("  " if bands else "")
        line.append(rung.text, style=_STYLES[rung.tone])
        if len(line) > columns:
            line.truncate(columns - 1, overflow="crop")
            line.append(signs.cut)
        return line


def in_force(band: Band, at_ms: float) -> bool:
    """Return whether a fault was in force at a time."""
    return band.begin_ms <= at_ms and (band.end_ms is None or at_ms <= band.end_ms)


def _lanes(lanes: Sequence[str], rung: Rung, signs: _Signs) -> str:
    """Return the lanes of one line: bars, and what happens on or between them."""
    cells = [signs.lane if at % _LANE_COLUMNS == 0 else " " for at in range(_width(lanes))]
    here = _column(lanes, rung.lane)
    there = _column(lanes, rung.other) if rung.other in lanes else None
    if here is None:
        return "".join(cells)
    if rung.shape == "mark" or there is None:
        cells[here] = _MARKS[rung.tone]
        return "".join(cells)
    cells[here] = signs.end if (rung.link or "").startswith(_EDGE) else signs.lane
    _draw_arrow(cells, here, there, rung, signs)
    return "".join(cells)


def _draw_arrow(cells: list[str], here: int, there: int, rung: Rung, signs: _Signs) -> None:
    """Draw what went between two lanes; of a lost answer only the part its caller waited at."""
    forwards = there > here
    between = list(range(here + 1, there) if forwards else range(here - 1, there, -1))
    towards, back = (signs.right, signs.left) if forwards else (signs.left, signs.right)
    drawn = {"request": len(between), "reply": len(between), "lost": len(between) // 2}
    for at in between[: drawn.get(rung.shape, 0)]:
        cells[at] = signs.struck if rung.under else signs.line
    if rung.shape == "request":
        cells[between[-1]] = towards
    elif rung.shape in drawn:
        cells[between[0]] = back
    if rung.shape in {"lost", "unsent"}:
        cells[here] = signs.lost


def _width(lanes: Sequence[str]) -> int:
    return len(lanes) * _LANE_COLUMNS


def _column(lanes: Sequence[str], lane: str | None) -> int | None:
    return lanes.index(lane) * _LANE_COLUMNS if lane in lanes else None


def _legend(every: Sequence[Band], shown: Sequence[Band], signs: _Signs) -> Iterator[Text]:
    if not every:
        yield Text("no fault was in force", style="dim")
        return
    for number, band in enumerate(shown, start=1):
        until = "the end" if band.end_ms is None else f"{band.end_ms:.0f}"
        yield Text(f"{number} {signs.band} {band.said} ({band.begin_ms:.0f} to {until} ms)")
    if len(every) > len(shown):
        yield Text(f"and {len(every) - len(shown)} more faults", style="dim")
    yield Text(
        f"{signs.struck * 3} under a fault   X heard nothing   $ money   * commit   ? unknown",
        style="dim",
    )
