"""Figures as they are typed into fields and written back into them.

Takes text, gives integers in the unit a name ends with, and text again. The reading is that of
scenario files; a bare figure takes the field's usual unit, which is shown beside it.
"""

from collections.abc import Callable

from checkout_sim.scenario_files.units import NotAValue, milliseconds, minor_units

_SECOND_MS = 1000
_CENTS = 100


def typed_ms(text: str) -> int:
    """Return milliseconds of `500`, `500ms` or `1.5s`; raise NotAValue with what to write."""
    return milliseconds(with_unit(text, "ms"))


def typed_minor(text: str) -> int:
    """Return minor units of `12.5`, read as a decimal and never as a float."""
    return minor_units(text.strip())


def typed_count(text: str, *, least: int, most: int, what: str) -> int:
    """Return a whole number between both bounds; raise NotAValue naming `what` and the bounds."""
    bare = text.strip()
    if not (bare.isascii() and bare.isdigit() and least <= int(bare[:12]) <= most):
        raise NotAValue(f'"{bare}" is not {what}; write a whole number from {least} to {most}')
    return int(bare)


def typed_with(text: str, unit: str, read: Callable[[object], int]) -> int:
    """Return what `read` makes of the text, which may leave out the field's own `unit`."""
    return read(with_unit(text, unit))


def with_unit(text: str, unit: str) -> str:
    """Return the text, with the unit where it is a bare figure."""
    bare = text.strip()
    figure = bare.replace(".", "", 1)
    return f"{bare}{unit}" if figure.isascii() and figure.isdigit() else bare


def said_ms(ms: int) -> str:
    """Return a duration as scenario files write it: `500ms`, `1.5s`."""
    if ms < _SECOND_MS or ms % _CENTS:
        return f"{ms}ms"
    seconds, rest = divmod(ms, _SECOND_MS)
    return f"{seconds}.{rest // _CENTS}s" if rest else f"{seconds}s"


def said_minor(minor: int) -> str:
    """Return minor units as money, two decimals: `12.50`."""
    return f"{minor // _CENTS}.{minor % _CENTS:02d}"
