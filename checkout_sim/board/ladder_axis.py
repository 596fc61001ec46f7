"""One time axis under a ladder: the faults in force, the tries, the money and what was told.

Takes a `Ladder`; gives lines for a width, each from its beginning to its end.
"""

from collections.abc import Sequence

from checkout_sim.board.ladder_rows import Signs
from checkout_sim.board.places import label_of
from checkout_sim.board.tokens import Line, Token, fitted
from checkout_sim.model.ladder import SHOPPER, Ladder

_LABEL_CELLS = 16
_MOST_BANDS = 4


def axis_lines(ladder: Ladder, width: int, signs: Signs) -> Sequence[Line]:
    """Return the axis: a title, a line for each fault, the busiest link's tries, the money."""
    cells = max(10, width - _LABEL_CELLS - 1)
    span_ms = max(ladder.span_ms, 1.0)
    lines: list[Line] = [
        (Token(f" one axis, 0 .. {span_ms:.0f} ms", "title"),),
    ]
    for band in ladder.bands[:_MOST_BANDS]:
        end_ms = span_ms if band.end_ms is None else band.end_ms
        drawn = [" "] * cells
        for at in range(_at(band.begin_ms, span_ms, cells), _at(end_ms, span_ms, cells) + 1):
            drawn[at] = signs.band
        where = f"{label_of(band.target)} " if band.target else ""
        lines.append(_line(f"{where}{band.fault}", drawn, "struck"))
    if len(ladder.bands) > _MOST_BANDS:
        lines.append((Token(f" and {len(ladder.bands) - _MOST_BANDS} more faults", "quiet"),))
    lines += _tries(ladder, span_ms, cells)
    lines.append(_money(ladder, span_ms, cells))
    return lines


def _tries(ladder: Ladder, span_ms: float, cells: int) -> Sequence[Line]:
    """Return every try on the link that was tried most: `c` asked, `r` answered, `X` lost."""
    links = [one.link for one in ladder.rungs if one.shape == "request" and one.lane != SHOPPER]
    if not links:
        return ()
    most = max(dict.fromkeys(links), key=links.count)
    drawn = [" "] * cells
    signs = {"request": "c", "reply": "r", "lost": "X", "unsent": "x"}
    for rung in ladder.rungs:
        if rung.link == most and rung.shape in signs:
            drawn[_at(rung.at_ms, span_ms, cells)] = signs[rung.shape]
    return (_line(f"tries on {label_of(most or '')}", drawn, "plain"),)


def _money(ladder: Ladder, span_ms: float, cells: int) -> Line:
    drawn = [" "] * cells
    for rung in ladder.rungs:
        at = _at(rung.at_ms, span_ms, cells)
        if rung.tone == "money":
            drawn[at] = "$"
        elif rung.kind == "client.ended":
            drawn[at] = "+" if "confirmed" in rung.text else "?"
    return _line("money, told", drawn, "money")


def _line(label: str, drawn: Sequence[str], look: str) -> Line:
    return (Token(f" {fitted(label, _LABEL_CELLS - 1)}"), Token("".join(drawn), look))


def _at(ms: float, span_ms: float, cells: int) -> int:
    return min(cells - 1, max(0, int(ms / span_ms * (cells - 1))))
