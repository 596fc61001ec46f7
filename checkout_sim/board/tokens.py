"""Tokens: short texts with a meaning, of a fixed width, that a screen turns into styled cells.

Takes values; gives text padded or cut to its place. A row that wraps pushes a table out of its
screen, and a last column that does not fit vanishes silently: hence every token has a width.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

_SECOND_MS = 1000.0
_TEN_S = 10_000.0
_MINUTE_MS = 60_000.0

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII_BLOCKS = "_.:-=+*#"


class Token(NamedTuple):
    """A text and its meaning; the screen knows how a meaning looks."""

    text: str
    look: str = "plain"


Line = tuple[Token, ...]


def fitted(text: str, width: int, *, right: bool = False) -> str:
    """Return the text in exactly so many cells; what is cut ends in "~"."""
    if width <= 0:
        return ""
    if len(text) > width:
        return f"{text[: width - 1]}~"
    return text.rjust(width) if right else text.ljust(width)


def width_of(line: Iterable[Token]) -> int:
    """Return how many cells a line takes; every character takes one."""
    return sum(len(token.text) for token in line)


def clipped(line: Iterable[Token], width: int) -> Line:
    """Return as much of a line as fits; where more than blanks is cut off, it ends in "~"."""
    if width <= 0:
        return ()
    kept: list[Token] = []
    left = width
    cut = False
    for token in line:
        cut = cut or bool(token.text[max(0, left) :].strip())
        if left > 0:
            kept.append(token._replace(text=token.text[:left]))
        left -= len(token.text)
    if cut:
        kept[-1] = kept[-1]._replace(text=f"{kept[-1].text[:-1]}~")
    return tuple(kept)


def counted(count: int, noun: str) -> str:
    """Return a number and what it counts: 1 checkout, 2 checkouts, 0 checkouts."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def age(ms: float | None) -> str:
    """Return a duration in at most six cells: 0.4s, 31s, 12m03, 3h05."""
    if ms is None:
        return "-"
    if ms < _TEN_S:
        return f"{ms / _SECOND_MS:.1f}s"
    if ms < _MINUTE_MS:
        return f"{ms / _SECOND_MS:.0f}s"
    minutes, seconds = divmod(int(ms // _SECOND_MS), 60)
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours}h{minutes_left:02d}" if hours else f"{minutes}m{seconds:02d}"


def clock(ms: float) -> str:
    """Return minutes and seconds, 00:41."""
    minutes, seconds = divmod(int(max(0.0, ms) // _SECOND_MS), 60)
    return f"{minutes:02d}:{seconds:02d}"


def latency(ms: float | None) -> str:
    """Return a latency in at most five cells: 9ms, 812ms, 1.3s."""
    if ms is None:
        return "-"
    return f"{ms:.0f}ms" if ms < _SECOND_MS else f"{ms / _SECOND_MS:.1f}s"


def money(minor: int | None) -> str:
    """Return minor units as a decimal; "-" of nothing."""
    if minor is None:
        return "-"
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}"


def sparkline(
    values: Sequence[float | None], *, ascii_only: bool = False, most: float | None = None
) -> str:
    """Return one character a value, as tall as its share of the highest; nothing is a blank."""
    blocks = ASCII_BLOCKS if ascii_only else BLOCKS
    top = most or max((one for one in values if one is not None), default=0.0)
    if top <= 0:
        return "".join(" " if one is None else blocks[0] for one in values)
    last = len(blocks) - 1
    return "".join(
        " " if one is None else blocks[min(last, max(0, round(one / top * last)))] for one in values
    )
