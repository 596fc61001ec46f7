"""A ladder as rows of tokens: lanes, arrows with their link's label, faults, words.

Takes a `Ladder`, the lanes and the side to show; gives rows for a width. A call is one arrow out
and one back; `X` where its caller lost it, `$` where money moved, `*` a commit, `?` a party left
unknowing. A call on which both sides differ is said so in a word: its caller lost it, its callee
did it all the same.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from checkout_sim.board.places import LINK_OF_NAME
from checkout_sim.board.tokens import Line, Token, fitted
from checkout_sim.model.ladder import BROKER, ORCHESTRATOR, SHOPPER, Ladder, Rung, Tone

Side = Literal["both sides", "what the caller saw", "what the callee did"]
SIDES: tuple[Side, ...] = ("both sides", "what the caller saw", "what the callee did")

# The lanes that `h` hides, first the ones that decide least.
_HIDDEN_FIRST = (BROKER, ORCHESTRATOR)
_LEAST_LANES = 2
_MS_CELLS = 9
_FAULT_CELLS = 6
_MARKS: Mapping[Tone, str] = {
    "commit": "*",
    "money": "$",
    "unknown": "?",
    "struck": "!",
    "plain": ".",
}
_LOOKS: Mapping[Tone, str] = {
    "commit": "plain",
    "money": "money",
    "unknown": "suspect",
    "struck": "down",
    "plain": "plain",
}
_UNDID = {"money", "commit"}


class Signs(NamedTuple):
    """The characters of one alphabet."""

    lane: str
    line: str
    struck: str
    band: str


BOXES = Signs(lane="│", line="─", struck="═", band="█")
ASCII = Signs(lane="|", line="-", struck="=", band="#")


class LadderRow(NamedTuple):
    """One rung as it is listed; `differs` says that caller and callee disagree on this call."""

    key: str
    rung: Rung
    differs: bool


def rows_of(ladder: Ladder, side: Side) -> tuple[LadderRow, ...]:
    """Return the rungs of a side, in order of time."""
    shown = [
        LadderRow(key=f"{at}:{rung.event}", rung=rung, differs=_differs(ladder, at))
        for at, rung in enumerate(ladder.rungs)
    ]
    if side == "what the caller saw":
        return tuple(row for row in shown if row.rung.shape != "mark" or row.rung.lane == SHOPPER)
    if side == "what the callee did":
        return tuple(row for row in shown if row.rung.shape in {"request", "mark"})
    return tuple(shown)


def request_of(ladder: Ladder, at: int) -> int | None:
    """Return the index of the request that a call's end belongs to."""
    end = ladder.rungs[at]
    for index in range(at - 1, -1, -1):
        rung = ladder.rungs[index]
        if rung.shape == "request" and rung.link == end.link and rung.lane == end.lane:
            same_call = rung.call is None or end.call is None or rung.call == end.call
            if same_call and rung.attempt == end.attempt:
                return index
    return None


def done_by_callee(ladder: Ladder, at: int) -> tuple[Rung, ...]:
    """Return what the callee did from a call's request until its end, or until now."""
    rung = ladder.rungs[at]
    if rung.shape == "request":
        ends = (
            index
            for index in range(at + 1, len(ladder.rungs))
            if ladder.rungs[index].shape in {"reply", "lost"} and request_of(ladder, index) == at
        )
        begin, end = at, next(ends, len(ladder.rungs))
    else:
        begun = request_of(ladder, at)
        if begun is None:
            return ()
        begin, end = begun, at
    return tuple(
        one for one in ladder.rungs[begin:end] if one.shape == "mark" and one.lane == rung.other
    )


def _differs(ladder: Ladder, at: int) -> bool:
    if ladder.rungs[at].shape != "lost":
        return False
    return any(one.tone in _UNDID for one in done_by_callee(ladder, at))


def lanes_shown(ladder: Ladder, hidden: int) -> tuple[str, ...]:
    """Return the lanes without the first so many of those that can be hidden."""
    order = [lane for lane in _HIDDEN_FIRST if lane in ladder.lanes]
    order += [lane for lane in ladder.lanes if lane not in order]
    most = max(0, len(ladder.lanes) - _LEAST_LANES)
    gone = set(order[: min(hidden, most)])
    return tuple(lane for lane in ladder.lanes if lane not in gone)


def lane_cells(width: int) -> int:
    """Return how wide a lane is drawn."""
    return 9 if width < 100 else 10  # noqa: PLR2004 - as the mock-ups have it


def heading(lanes: Sequence[str], width: int) -> Line:
    """Return the titles above the rungs."""
    cells = lane_cells(width)
    named = "".join(fitted(lane.upper()[: cells - 1], cells) for lane in lanes)
    return (Token(fitted(f"  {'ms':>{_MS_CELLS - 2}}  {named}{'FAULTS':<7}EVENT", width), "title"),)


def row_line(
    row: LadderRow, lanes: Sequence[str], tokens: Sequence[str], width: int, signs: Signs
) -> Line:
    """Return one rung as a line; `tokens` are the faults on its way."""
    rung = row.rung
    cells = lane_cells(width)
    struck = " ".join(tokens)
    words = f"DIFFERS: {rung.text}" if row.differs else rung.text
    taken = _MS_CELLS + 2 + cells * len(lanes) + _FAULT_CELLS + 1
    return (
        Token(f"  {rung.at_ms:>{_MS_CELLS - 2}.0f}  ", "quiet"),
        Token(_drawn(rung, lanes, cells, signs), "suspect" if row.differs else "plain"),
        Token(f"{fitted(struck, _FAULT_CELLS)} ", "struck"),
        Token(
            fitted(words, max(0, width - taken)), "suspect" if row.differs else _LOOKS[rung.tone]
        ),
    )


def _drawn(rung: Rung, lanes: Sequence[str], cells: int, signs: Signs) -> str:
    """Return the lanes of one line: bars, and what happens on or between them."""
    drawn = [" "] * (cells * len(lanes))
    for at in range(len(lanes)):
        drawn[at * cells] = signs.lane
    here = _column(rung.lane, lanes, cells)
    there = _column(rung.other, lanes, cells)
    if here is None:
        return "".join(drawn)
    if rung.shape == "mark" or there is None:
        drawn[here] = _MARKS[rung.tone]
        return "".join(drawn)
    if rung.lane == SHOPPER:
        drawn[here] = "o"
    if rung.shape != "unsent":
        _arrow(drawn, here, there, rung, signs)
    if rung.shape in {"lost", "unsent"}:
        drawn[here] = "X"
    return "".join(drawn)


def _arrow(drawn: list[str], here: int, there: int, rung: Rung, signs: Signs) -> None:
    """Draw what went between two lanes, its link's label in the middle of the first stretch."""
    low, high = min(here, there), max(here, there)
    stroke = signs.struck if rung.under else signs.line
    for at in range(low + 1, high):
        drawn[at] = stroke
    link = LINK_OF_NAME.get(rung.link or "")
    if link is not None:
        drawn[(low + high) // 2] = link.label
    outward = rung.shape == "request"
    tip = there if outward else here
    if tip == high:
        drawn[high - 1] = ">"
    else:
        drawn[low + 1] = "<"


def _column(lane: str | None, lanes: Sequence[str], cells: int) -> int | None:
    return lanes.index(lane) * cells if lane in lanes else None
