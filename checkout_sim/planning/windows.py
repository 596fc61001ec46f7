"""From one fault rule to its windows: when each begins and ends, with every chance drawn.

Takes a `FaultRule` and the dice; gives the windows that strike and a record of what was drawn. A
rule with `every` is laid out over a bounded horizon, since a plan cannot know how long its storm
will be: 60 s, at most 500 windows. Whatever the storm does not reach is never injected.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from checkout_sim.model.fault import BrokerFault, FaultKind, GatewayFault, LinkFault, ProcessFault
from checkout_sim.model.scenario import AtTime, FaultRule, Moment, OnEvent
from checkout_sim.planning.draw import Dice

HORIZON_MS = 60_000
MOST_WINDOWS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One injection of a fault; `number` counts those that strike, from 1."""

    number: int
    begin: Moment
    end: Moment
    kind: FaultKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """All windows of one rule, and what was drawn, named as the lock shows it."""

    windows: tuple[Window, ...]
    draws: Mapping[str, str]


def windows_of(rule: FaultRule, dice: Dice) -> Windows:
    """Return the windows of a rule; none where chance spares each one."""
    windows: list[Window] = []
    draws: dict[str, str] = {}
    spared: list[str] = []
    for slot, offset_ms in enumerate(_offsets(rule), start=1):
        if rule.chance < 1 and dice.fraction(f"{rule.name}/{slot}/chance") >= rule.chance:
            spared.append(f"{offset_ms}ms")
            continue
        number = len(windows) + 1
        figures = {
            name: dice.between(ends.low_ms, ends.high_ms, f"{rule.name}/{slot}/{name}")
            for name, ends in sorted(rule.drawn.items())
        }
        draws |= {f"{rule.name}#{number}.{name}": f"{ms}ms" for name, ms in figures.items()}
        if rule.chance < 1:
            draws[f"{rule.name}#{number}.chance"] = f"strikes at {offset_ms}ms"
        windows.append(
            Window(
                number=number,
                begin=_later(rule.begin, offset_ms),
                end=rule.end,
                kind=_with(rule.kind, figures),
            )
        )
    if spared:
        draws[f"{rule.name}.spared"] = " ".join(spared)
    return Windows(windows=tuple(windows), draws=draws)


def _offsets(rule: FaultRule) -> Iterator[int]:
    """Yield how long after the rule's first moment each repetition is due."""
    if rule.every_ms is None:
        yield 0
        return
    count = min(MOST_WINDOWS, HORIZON_MS // rule.every_ms + 1)
    yield from (slot * rule.every_ms for slot in range(count))


def _later(begin: Moment, offset_ms: int) -> Moment:
    match begin:
        case AtTime():
            return AtTime(ms=begin.ms + offset_ms)
        case OnEvent():
            return replace(begin, then_ms=begin.then_ms + offset_ms)
        case _:
            # Validation lets only times and events repeat, so the offset here is nought.
            return begin


def _with(kind: FaultKind, figures: Mapping[str, int]) -> FaultKind:
    """Return the fault with its drawn figures in place."""
    if not figures:
        return kind
    match kind:
        case LinkFault():
            toxics = tuple(
                replace(toxic, attributes={**toxic.attributes, **figures}) for toxic in kind.toxics
            )
            return replace(kind, toxics=toxics)
        case GatewayFault():
            return replace(kind, parameters={**kind.parameters, **figures})
        case ProcessFault() | BrokerFault():
            return kind
        case _:
            assert_never(kind)
