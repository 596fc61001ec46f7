"""One link fault being edited: its figures as fields, its way, and how strong it is.

Takes a `LinkFault` and what was typed, gives another, or raises NotAValue. Units and limits are
Toxiproxy's (Shopify/toxiproxy README, "Toxics"), narrowed where a value would crash the Go server
or hang its API (`slicer` with pieces of 0 B, `reset_peer` above 1 s).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from checkout_sim.model.fault import LinkFault, PlacedToxic, Stream
from checkout_sim.scenario_files.units import (
    NotAValue,
    kilobytes_per_second,
    microseconds,
    milliseconds,
    size_bytes,
)
from checkout_sim.tui.forms.budgets import Budget
from checkout_sim.tui.forms.figures import said_ms, typed_with

_LONGEST_RESET_MS = 1000
_STRONGER = (5, 4)  # a step is a quarter, so that a few keys span the useful range
_LEAST_STEP = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One attribute of a toxic as a field: its unit, and what a stronger fault does to it."""

    attribute: str
    title: str
    unit: str
    read: Callable[[object], int]
    grows: bool = True  # a stronger fault has more of it
    least: int = 0
    most: int | None = None
    zero: str = ""  # what 0 means, where it is special


_LATENCY = Figure(attribute="latency", title="latency", unit="ms", read=milliseconds)
_TIMEOUT = Figure(
    attribute="timeout", title="close after", unit="ms", read=milliseconds, zero="never closes"
)
_RESET = Figure(
    attribute="timeout", title="reset after", unit="ms", read=milliseconds, most=_LONGEST_RESET_MS
)
_RATE = Figure(
    attribute="rate",
    title="rate",
    unit="KB/s",
    read=kilobytes_per_second,
    grows=False,
    zero="holds everything, loses nothing",
)
_PIECE = Figure(
    attribute="average_size", title="pieces of", unit="B", read=size_bytes, grows=False, least=1
)
_VARIATION = Figure(attribute="size_variation", title="give or take", unit="B", read=size_bytes)
_DELAY = Figure(attribute="delay", title="apart", unit="us", read=microseconds)
_BYTES = Figure(attribute="bytes", title="cut after", unit="B", read=size_bytes, grows=False)

FIGURES: Mapping[str, tuple[Figure, ...]] = {
    "latency": (_LATENCY,),
    "timeout": (_TIMEOUT,),
    "reset_peer": (_RESET,),
    "bandwidth": (_RATE,),
    "slicer": (_PIECE, _VARIATION, _DELAY),
    "limit_data": (_BYTES,),
}


def figures_of(fault: LinkFault) -> tuple[Figure, ...]:
    """Return the fields this fault has; none for a link that is down."""
    return FIGURES[fault.toxics[0].type] if fault.toxics else ()


def shown(figure: Figure, fault: LinkFault) -> str:
    """Return the figure as its field shows it, unit included."""
    value = fault.toxics[0].attributes.get(figure.attribute, 0)
    return said_ms(value) if figure.unit == "ms" else f"{value}{figure.unit}"


def edited(fault: LinkFault, typed: Mapping[str, str]) -> LinkFault:
    """Return the fault with the figures typed, by attribute. Raises NotAValue naming the field."""
    figures = {figure.attribute: figure for figure in figures_of(fault)}
    values = {name: _value(figures[name], text) for name, text in typed.items() if name in figures}
    return _with_attributes(fault, values)


def turned(fault: LinkFault, stream: Stream) -> LinkFault:
    """Return the fault with its toxics on the other way; a link that is down has no way."""
    toxics = tuple(
        replace(
            toxic, stream=stream, name=f"{toxic.name.removesuffix(f'_{toxic.stream}')}_{stream}"
        )
        for toxic in fault.toxics[:1]
    )
    return replace(fault, toxics=toxics)


def way_of(fault: LinkFault) -> Stream | None:
    """Return which way the fault strikes; None for a link that is down, or both ways."""
    streams = {toxic.stream for toxic in fault.toxics}
    return streams.pop() if len(streams) == 1 else None


def stepped(fault: LinkFault, steps: int, *, attribute: str = "") -> LinkFault:
    """Return the fault so many quarters stronger, or weaker where `steps` is negative.

    The figure named moves, the first where none is; a figure whose 0 is special stays at it.
    """
    figures = figures_of(fault)
    if not figures:
        return fault
    named = (figure for figure in figures if figure.attribute == attribute)
    figure = next(named, figures[0])
    value = fault.toxics[0].attributes.get(figure.attribute, 0)
    if value == 0 and figure.zero:
        return fault
    for _ in range(abs(steps)):
        value = _stepped_once(value, up=(steps > 0) is figure.grows)
    value = max(figure.least, value if figure.most is None else min(figure.most, value))
    return _with_attributes(fault, {figure.attribute: value})


def beyond(fault: LinkFault, budget: Budget | None) -> str:
    """Return what a value beyond the caller's budget will do, in a sentence; empty if within."""
    if budget is None or not fault.toxics or fault.toxics[0].type != "latency":
        return ""
    ms = fault.toxics[0].attributes.get("latency", 0)
    if ms < budget.try_ms:
        return ""
    allowed = f"the {budget.try_ms} ms a try may take on this link"
    if ms >= budget.total_ms > budget.try_ms:
        allowed += f" and the {budget.total_ms} ms of all its tries"
    return f"{ms} ms is beyond {allowed}: every call would end unknown"


def _value(figure: Figure, text: str) -> int:
    try:
        value = typed_with(text, figure.unit, figure.read)
    except NotAValue as error:
        raise NotAValue(f"{figure.title}: {error}") from error
    if value < figure.least:
        raise NotAValue(f"{figure.title}: {text.strip()} is below {figure.least}{figure.unit}")
    if figure.most is not None and value > figure.most:
        raise NotAValue(f"{figure.title}: {text.strip()} is above {figure.most}{figure.unit}")
    return value


def _stepped_once(value: int, *, up: bool) -> int:
    over, under = _STRONGER
    moved = value * over // under if up else value * under // over
    if moved == value:
        moved = value + (_LEAST_STEP if up else -_LEAST_STEP)
    return max(0, moved)


def _with_attributes(fault: LinkFault, values: Mapping[str, int]) -> LinkFault:
    toxics = tuple(_with(toxic, values) for toxic in fault.toxics)
    for toxic in toxics:
        size, spread = toxic.attributes.get("average_size"), toxic.attributes.get("size_variation")
        if size is not None and spread is not None and spread >= size:
            raise NotAValue(f"give or take: {spread}B must be below the pieces' {size}B")
    return replace(fault, toxics=toxics)


def _turned(toxic: PlacedToxic, stream: Stream) -> PlacedToxic:
    # A toxic is called after its stream: names are unique on a proxy over both of them.
    name = toxic.name.removesuffix(f"_{toxic.stream}")
    return replace(toxic, stream=stream, name=f"{name}_{stream}")


def _with(toxic: PlacedToxic, values: Mapping[str, int]) -> PlacedToxic:
    return replace(toxic, attributes={**toxic.attributes, **values})
