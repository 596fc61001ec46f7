"""Values with units, as people write them: `150ms`, `600B`, `4KB/s`, `30%`, `"19.99"`, `2..5`.

Takes what YAML read, gives integers in the unit a field's name ends with; raises `NotAValue`, whose
message says what was found and what to write instead. Nothing here knows a file or a position.
"""

import re
from decimal import Decimal

from checkout_sim.model.scenario import Drawn

_MICROSECONDS = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000}
_BYTES = {"B": 1, "KB": 1_000, "MB": 1_000_000}
_LONGEST_MS = 24 * 3_600_000
_DEAREST_MINOR = 100_000_000

_FIGURE = r"(\d+(?:\.\d+)?)"
_DURATION = re.compile(rf"{_FIGURE}(us|ms|s|m)")
_SIZE = re.compile(rf"{_FIGURE}(B|KB|MB)")
_DATA_RATE = re.compile(rf"{_FIGURE}(B|KB|MB)/s")
_RATE = re.compile(rf"{_FIGURE}/s")
_SHARE = re.compile(rf"{_FIGURE}%")
_MONEY = re.compile(r"\d{1,7}(?:\.\d{1,2})?")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")


class NotAValue(ValueError):
    """What was written cannot be read; the message is the end of the sentence a person sees."""


def microseconds(raw: object) -> int:
    """Return whole microseconds of a duration like `20ms` or `250us`."""
    amount = _figure(raw, _DURATION, "a duration", "150ms", "ms")
    return _whole(raw, amount.figure * _MICROSECONDS[amount.unit], "microseconds")


def milliseconds(raw: object) -> int:
    """Return whole milliseconds of a duration, 24 h at most."""
    if isinstance(raw, str) and ".." in raw:
        raise NotAValue(f'"{raw}" is a range, which only toxic attributes and controls may have')
    us = microseconds(raw)
    if us % 1_000:
        raise NotAValue(f'"{raw}" is finer than 1ms, the finest this key can be')
    if us // 1_000 > _LONGEST_MS:
        raise NotAValue(f'"{raw}" is longer than a day')
    return us // 1_000


def drawn_milliseconds(raw: object) -> int | Drawn:
    """Return whole milliseconds, or the two ends of a range like `100ms..300ms`."""
    if not isinstance(raw, str) or ".." not in raw:
        return milliseconds(raw)
    low, _, high = raw.partition("..")
    ends = Drawn(low_ms=milliseconds(low.strip()), high_ms=milliseconds(high.strip()))
    if ends.low_ms > ends.high_ms:
        raise NotAValue(f'"{raw}" runs backwards; write "{high.strip()}..{low.strip()}"')
    return ends


def size_bytes(raw: object) -> int:
    """Return bytes of a size like `600B` or `2KB` (1 KB = 1000 B, as Toxiproxy counts)."""
    amount = _figure(raw, _SIZE, "a size", "600B", "B")
    return _whole(raw, amount.figure * _BYTES[amount.unit], "bytes")


def kilobytes_per_second(raw: object) -> int:
    """Return Toxiproxy's rate of `4KB/s`; `0KB/s` freezes. A bare 0 is as clear, so it passes."""
    if raw == 0 and not isinstance(raw, bool):
        return 0
    amount = _figure(raw, _DATA_RATE, "a data rate", "4KB/s", "KB/s")
    return _whole(raw, amount.figure * _BYTES[amount.unit] / 1_000, "KB/s")


def per_second(raw: object) -> float:
    """Return how many per second of a rate like `40/s`."""
    rate = _figure(raw, _RATE, "a rate", "40/s", "/s").figure
    if rate <= 0:
        raise NotAValue(f'"{raw}" sends nobody; write a rate above zero')
    return float(rate)


def share(raw: object) -> float:
    """Return 0.3 of `30%`."""
    percent = _figure(raw, _SHARE, "a share", "30%", "%").figure
    if not 0 < percent <= 100:  # noqa: PLR2004 - a hundred per cent
        raise NotAValue(f'"{raw}" is not a share; write more than 0% and at most 100%')
    return float(percent / 100)


def minor_units(raw: object) -> int:
    """Return cents of quoted money like `"19.99"`; unquoted, YAML makes it a float."""
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        raise NotAValue(f'{raw} must be quoted, lest it be a float; write "{raw:.2f}"')
    if not isinstance(raw, str) or not _MONEY.fullmatch(raw):
        raise NotAValue(f'{shown(raw)} is not money; write it like "19.99"')
    minor = int(Decimal(raw) * 100)
    if minor > _DEAREST_MINOR:
        raise NotAValue(f'"{raw}" is above 1000000.00, the dearest a line may be')
    return minor


def inclusive_range(raw: object) -> tuple[int, int]:
    """Return both ends of `4..5`, or of `5`."""
    if isinstance(raw, int) and not isinstance(raw, bool) and raw >= 0:
        return raw, raw
    found = _RANGE.fullmatch(raw) if isinstance(raw, str) else None
    if found is None:
        raise NotAValue(f"{shown(raw)} is neither a count nor a range; write 5 or 4..5")
    low, high = int(found[1]), int(found[2])
    if low > high:
        raise NotAValue(f"{raw} runs backwards; write {high}..{low}")
    return low, high


def checkouts(raw: object) -> tuple[tuple[int, int], ...] | None:
    """Return ranges of checkout numbers of `3`, `[1, 3]` or `2..5`; None means `all`."""
    if raw == "all":
        return None
    entries = raw if isinstance(raw, list) else [raw]
    if not entries:
        raise NotAValue("[] names no checkout; write 3, [1, 3], 2..5 or all")
    try:
        ranges = tuple(inclusive_range(entry) for entry in entries)
    except NotAValue as error:
        raise NotAValue(f"{shown(raw)} names no checkouts; write 3, [1, 3], 2..5 or all") from error
    if any(low < 1 for low, _ in ranges):
        raise NotAValue(f"{shown(raw)}: checkouts count from 1")
    return ranges


def shown(raw: object) -> str:
    """Return a value as its author would recognise it."""
    match raw:
        case str():
            return f'"{raw}"'
        case None:
            return "nothing"
        case bool():
            return str(raw).lower()
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case _:
            return str(raw)


class _Amount:
    """A figure and its unit."""

    def __init__(self, figure: Decimal, unit: str) -> None:
        self.figure = figure
        self.unit = unit


def _figure(
    raw: object, pattern: re.Pattern[str], kind: str, example: str, usual_unit: str
) -> _Amount:
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        raise NotAValue(f'{raw} has no unit; write "{raw}{usual_unit}"')
    found = pattern.fullmatch(raw) if isinstance(raw, str) else None
    if found is None:
        raise NotAValue(f'{shown(raw)} is not {kind}; write it like "{example}"')
    return _Amount(Decimal(found[1]), found[2] if pattern.groups > 1 else "")


def _whole(raw: object, amount: Decimal, unit: str) -> int:
    if amount != amount.to_integral_value():
        raise NotAValue(f"{shown(raw)} is not a whole number of {unit}")
    return int(amount)
