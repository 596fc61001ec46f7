"""The ladder on the page: the same rungs, bands and words as in the terminal, as SVG.

Takes a `Ladder`, gives `Markup`. Every rung has a row of its own, so time runs downwards by rows:
a band begins and ends between the rows where its moments lie.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from checkout_sim.model.ladder import Band, Ladder, Rung, Tone
from checkout_sim.reports.ladder import shortened
from checkout_sim.reports.svg import drawing, element, joined, line, text

_ROW, _TOP = 22, 44
_FIRST_LANE, _BETWEEN_LANES, _LANES_WIDTH = 84, 104, 330
_FIRST_BAND, _BETWEEN_BANDS, _BAND_WIDTH = 446, 20, 14
_MOST_BANDS = 8
_LETTERS_TO_THE_EDGE = 7.0  # pixels per letter, at the size page.css sets

_MARKS: dict[Tone, str] = {"commit": "●", "money": "$", "unknown": "?", "struck": "!", "plain": "•"}


def ladder_svg(ladder: Ladder) -> Markup:
    """Return the drawing of a ladder; a very long one leaves out its middle and says so."""
    head, left_out, tail = shortened(ladder.rungs)
    rows: list[Rung | None] = [*head, *([None] if left_out else []), *tail]
    bands = ladder.bands[:_MOST_BANDS]
    bottom = _TOP + _ROW * max(len(rows), 1)
    words_at = _FIRST_BAND + _BETWEEN_BANDS * len(bands) + 6
    parts = [
        *_lanes(ladder.lanes, bottom),
        *(_band(band, at, rows, bottom) for at, band in enumerate(bands)),
    ]
    for at, rung in enumerate(rows):
        y = _TOP + _ROW * at + _ROW / 2
        if rung is None:
            parts.append(text(f"… {left_out} more like these …", words_at, y + 4, "quiet"))
        else:
            parts.append(_row(rung, ladder.lanes, y, words_at))
    return drawing(
        joined(parts),
        height=bottom + 10,
        title=f"Ladder of order {ladder.order_id}",
        told=_told(head, left_out, tail),
    )


def _told(head: Sequence[Rung], left_out: int, tail: Sequence[Rung]) -> str:
    """Return the whole story in words, for who does not see the drawing."""
    said = [f"{rung.at_ms:.0f} ms {_sentence(rung)}" for rung in head]
    said += [f"{left_out} more"] if left_out else []
    said += [f"{rung.at_ms:.0f} ms {_sentence(rung)}" for rung in tail]
    return "; ".join(said)


def _sentence(rung: Rung) -> str:
    match rung.shape:
        case "request":
            return f"{rung.lane} to {rung.other}: {rung.text}"
        case "reply":
            return f"{rung.other} to {rung.lane}: {rung.text}"
        case "lost" | "unsent" | "mark":
            return f"{rung.lane}: {rung.text}"


def _lanes(lanes: Sequence[str], bottom: float) -> Iterator[Markup]:
    for lane in lanes:
        x = _x(lanes, lane)
        yield text(lane.upper(), x, 16, "lane-name")
        yield line(x, 24, x, bottom, "lane")
    yield text("ms", 46, 16, "time")


def _band(band: Band, at: int, rows: Sequence[Rung | None], bottom: float) -> Markup:
    x = _FIRST_BAND + _BETWEEN_BANDS * at
    begin = _y(band.begin_ms, rows)
    end = bottom if band.end_ms is None else _y(band.end_ms, rows)
    rect = element(
        "rect",
        x=x,
        y=begin,
        width=_BAND_WIDTH,
        height=max(end - begin, 3.0),
        class_=f"band band-{at % 2}",
    )
    name = text(str(at + 1), x + _BAND_WIDTH / 2, 16, "lane-name")
    return element("g", element("title", band.said) + rect + name)


def _row(rung: Rung, lanes: Sequence[str], y: float, words_at: float) -> Markup:
    room = int((980 - words_at) / _LETTERS_TO_THE_EDGE)
    shown = rung.text if len(rung.text) <= room else f"{rung.text[: room - 1]}…"
    under = f"; under {', '.join(rung.under)}" if rung.under else ""
    title = f"{_sentence(rung)} (event {rung.event}{under})"
    return element(
        "g",
        element("title", title)
        + text(f"{rung.at_ms:.0f}", 46, y + 4, "time")
        + _sign(rung, lanes, y)
        + text(shown, words_at, y + 4, f"words {rung.tone}"),
        class_="rung",
    )


def _sign(rung: Rung, lanes: Sequence[str], y: float) -> Markup:
    here = _x(lanes, rung.lane)
    if rung.lane not in lanes:
        return Markup("")
    if rung.shape == "mark" or rung.other not in lanes:
        return element("circle", cx=here, cy=y, r=9, class_="under-mark") + text(
            _MARKS[rung.tone], here, y + 5, f"mark {rung.tone}"
        )
    there = _x(lanes, rung.other)
    style = "arrow struck" if rung.under else "arrow"
    step = 6 if there > here else -6
    match rung.shape:
        case "request":
            return line(here, y, there - step / 2, y, style)
        case "reply":
            return line(there, y, here + step / 2, y, f"{style} reply")
        case "lost":
            half = (here + there) / 2
            cross = text("✕", here, y + 5, "mark unknown")
            circle = element("circle", cx=here, cy=y, r=9, class_="under-mark")
            return line(half, y, here + 2 * step, y, f"{style} lost") + circle + cross
        case "unsent":
            circle = element("circle", cx=here, cy=y, r=9, class_="under-mark")
            return circle + text("✕", here, y + 5, "mark unknown")


def _x(lanes: Sequence[str], lane: str | None) -> float:
    between = min(_BETWEEN_LANES, _LANES_WIDTH / max(1, len(lanes) - 1))
    return _FIRST_LANE + between * (lanes.index(lane) if lane in lanes else 0)


def _y(at_ms: float, rows: Sequence[Rung | None]) -> float:
    """Return the height of a moment: between the middles of the rows before and after it."""
    known = [(rung.at_ms, at) for at, rung in enumerate(rows) if rung is not None]
    after = bisect_right(known, (at_ms, len(rows)))
    if after == 0:
        return _TOP - 8.0
    if after == len(known):
        return _TOP + _ROW * len(rows) + 4.0
    (early, above), (late, below) = known[after - 1], known[after]
    share = (at_ms - early) / (late - early) if late > early else 0.5
    return _TOP + _ROW / 2 + _ROW * (above + (below - above) * share)
