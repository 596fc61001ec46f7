"""A run over time, as SVG: when every attempt was sent, how long it took, and the faults below.

Takes a `Course` and the checkouts that were violated; gives `Markup`. Waiting is on a logarithmic
axis, since a timeout is a hundred times an answer. Of many attempts a sample is drawn: evenly
spaced in time, those that were not confirmed first, every violated one always.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from markupsafe import Markup

from checkout_sim.model.course import Attempt, Course
from checkout_sim.model.ladder import Band
from checkout_sim.reports.svg import drawing, element, joined, line, number, text

_Scale = Callable[[float], float]

_LEFT, _RIGHT, _TOP, _PLOT = 132, 964, 14, 200
_ROW = 20
_LETTERS = 17  # of a fault's name, beside its row
_MOST_ROWS = 12
_MOST_WINDOWS = 200
MOST_POINTS = 1500

# One sign per claim, as a path around 0,0: shape tells them apart where colour does not.
_SIGNS: Mapping[str, str] = {
    "confirmed": "m-2.5 0a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0",
    "failed": "m-3.5-3.5l7 7m0-7l-7 7",
    "refused": "m-3.5 3l3.5-6l3.5 6z",
    "unknown": "m-4 0l4-4l4 4l-4 4z",
}


def course_svg(course: Course, violated: Mapping[int, str], *, title: str) -> Markup:
    """Return the drawing; `violated` are checkouts and where on the page their ladder is."""
    span = max(course.span_ms, 1.0)
    longest = max((one.duration_ms for one in course.attempts), default=1.0)
    decades = max(math.ceil(math.log10(max(longest, 10.0))), 1)
    rows = list(dict.fromkeys(band.fault for band in course.bands))[:_MOST_ROWS]
    height = _TOP + _PLOT + 34 + _ROW * len(rows) + 6

    def x(at_ms: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * min(max(at_ms / span, 0.0), 1.0)

    def y(took_ms: float) -> float:
        return _TOP + _PLOT * (1 - math.log10(max(took_ms, 1.0)) / decades)

    drawn = sample([one for one in course.attempts if one.checkout not in violated])
    parts = [*_axes(span, decades)]
    parts += _bands(course.bands, rows, x, span)
    for claim, sign in _SIGNS.items():
        places = [
            f"M{number(x(one.begin_ms))} {number(y(one.duration_ms))}{sign}"
            for one in drawn
            if one.claim == claim
        ]
        if places:
            parts.append(element("path", d="".join(places), class_=f"attempt {claim}"))
    for one in course.attempts:
        if one.checkout in violated:
            parts.append(_violated(one, violated[one.checkout], x(one.begin_ms), y))
    told = _told(course, len(violated))
    return drawing(joined(parts), height=height, title=title, told=told, role="group")


def sample(attempts: Sequence[Attempt], most: int = MOST_POINTS) -> list[Attempt]:
    """Return at most so many: of those not confirmed up to half, the rest evenly spaced."""
    if len(attempts) <= most:
        return list(attempts)
    odd = _evenly([one for one in attempts if one.claim != "confirmed"], most // 2)
    even = _evenly([one for one in attempts if one.claim == "confirmed"], most - len(odd))
    return sorted([*odd, *even], key=lambda one: one.begin_ms)


def _evenly(attempts: Sequence[Attempt], most: int) -> list[Attempt]:
    if len(attempts) <= most:
        return list(attempts)
    return [attempts[at * len(attempts) // most] for at in range(most)]


def _told(course: Course, violated: int) -> str:
    faults = ", ".join(dict.fromkeys(band.fault for band in course.bands)) or "none"
    return (
        f"{len(course.attempts)} attempts over {course.span_ms:.0f} ms, "
        f"{violated} violated checkouts marked; faults: {faults}"
    )


def _axes(span_ms: float, decades: int) -> Iterator[Markup]:
    for decade in range(decades + 1):
        y = _TOP + _PLOT * (1 - decade / decades)
        yield line(_LEFT, y, _RIGHT, y, "grid")
        yield text(_ms(10.0**decade), _LEFT - 8, y + 4, "time")
    for tick in _ticks(span_ms):
        x = _LEFT + (_RIGHT - _LEFT) * tick / span_ms
        yield line(x, _TOP + _PLOT, x, _TOP + _PLOT + 5, "lane")
        yield text(_ms(tick), x, _TOP + _PLOT + 18, "tick")


def _ticks(span_ms: float) -> list[float]:
    """Return four to nine round moments."""
    step = 10.0 ** math.floor(math.log10(span_ms / 4)) if span_ms > 4 else 1.0  # noqa: PLR2004
    step *= next((by for by in (1, 2, 5) if span_ms / (step * by) <= 9), 10)  # noqa: PLR2004
    return [step * at for at in range(int(span_ms / step) + 1)]


def _bands(
    bands: Sequence[Band], rows: Sequence[str], x: _Scale, span_ms: float
) -> Iterator[Markup]:
    top = _TOP + _PLOT + 34
    for at, name in enumerate(rows):
        shown = name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"
        yield text(shown, _LEFT - 8, top + _ROW * at + 12, "band-name")
    for band in [one for one in bands if one.fault in rows][:_MOST_WINDOWS]:
        at = rows.index(band.fault)
        begin, end = x(band.begin_ms), x(span_ms if band.end_ms is None else band.end_ms)
        wide = max(end - begin, 2.0)
        shade = element("rect", x=begin, y=_TOP, width=wide, height=_PLOT, class_="shade")
        rect = element(
            "rect", x=begin, y=top + _ROW * at, width=wide, height=16, class_=f"band band-{at % 2}"
        )
        yield element("g", element("title", band.said) + shade + rect)


def _violated(one: Attempt, href: str, x: float, y: _Scale) -> Markup:
    title = f"checkout {one.checkout}: violated, told {one.claim} after {one.duration_ms:.0f} ms"
    ring = element("circle", cx=x, cy=y(one.duration_ms), r=7, class_="violated")
    sign = element(
        "path",
        d=f"M{number(x)} {number(y(one.duration_ms))}{_SIGNS.get(one.claim, _SIGNS['unknown'])}",
        class_=f"attempt {one.claim}",
    )
    return element("a", element("title", title) + ring + sign, href=href, aria_label=title)


def _ms(ms: float) -> str:
    return f"{ms:g} ms" if ms < 1000 else f"{ms / 1000:g} s"  # noqa: PLR2004 - a second
