"""Moments proposed for what an operator did: by its cause first, by the clock last.

Pure: takes a time in a stretch; gives the moments it could be given, the likeliest first, each as a
scenario file writes it. A clock repeats a rhythm, a cause repeats what mattered.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from checkout_sim.drafting.rhythm import Rhythm
from checkout_sim.drafting.stretch import Stretch
from checkout_sim.model.history import Observation
from checkout_sim.model.wire import EVENTS

WITHIN_MS = 500.0  # an operator who reacts to what is shown is not quicker, nor much slower
_ROUND_MS = 10
# Calls come by the dozen, and their number differs from run to run.
_NO_CAUSE = ("call.", "lease.")

Written = str | Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One moment: as a scenario file writes it, and as people read it."""

    written: Written
    said: str


def begins(
    stretch: Stretch, rhythm: Rhythm, time: float, *, awaited: str | None = None
) -> list[Proposal]:
    """Return the moments at which something could begin; `awaited` is an event it waited for."""
    found: list[Proposal] = []
    following = stretch.next_after(time)
    caused = _after_event(stretch, time, awaited=awaited)
    if awaited is not None and caused is not None:
        found.append(caused)
    if following is not None and not stretch.busy_at(time):
        found.append(_before(following.number))
    if caused is not None and caused not in found:
        found.append(caused)
    if following is not None and stretch.busy_at(time):
        found.append(_before(following.number))
    return [*found, at_time(rhythm, time)]


def ends(stretch: Stretch, rhythm: Rhythm, time: float | None) -> Proposal:
    """Return the moment at which something ends; None: nobody ended it."""
    if time is None or (stretch.next_after(time) is None and not stretch.busy_at(time)):
        return CALM
    following = stretch.next_after(time)
    if following is not None and not stretch.busy_at(time):
        return _before(following.number)
    return _after_event(stretch, time) or at_time(rhythm, time)


def at_time(rhythm: Rhythm, time: float) -> Proposal:
    """Return a moment by the clock."""
    ms = rhythm.ms(time)
    return Proposal(written=f"{ms}ms", said=f"{ms / 1000:.1f} s")


CALM = Proposal(written="calm", said="calm")


def _before(number: int) -> Proposal:
    return Proposal(written={"before_checkout": number}, said=f"before checkout {number}")


def _after_event(stretch: Stretch, time: float, *, awaited: str | None = None) -> Proposal | None:
    """Return the event just before, of a checkout of the stretch, and how much later it was."""
    cause: Observation | None = None
    for seen in stretch.seen:
        if seen.t_ms > time:
            break
        fits = seen.kind == awaited if awaited else _may_cause(seen)
        if fits and seen.t_ms >= time - WITHIN_MS and stretch.number_of(seen.checkout):
            cause = seen
    if cause is None:
        return None
    number = stretch.number_of(cause.checkout)
    written: dict[str, Any] = {"event": cause.kind, "checkout": number}
    said = f"on {cause.kind} of #{number}"
    nth = _nth(stretch, cause)
    if nth > 1:
        written["nth"] = nth
    then_ms = 0 if awaited else round((time - cause.t_ms) / _ROUND_MS) * _ROUND_MS
    if then_ms:
        written["then"] = f"{then_ms}ms"
        said += f", then {then_ms} ms"
    return Proposal(written=written, said=said)


def _may_cause(seen: Observation) -> bool:
    return seen.kind in EVENTS and not seen.kind.startswith(_NO_CAUSE)


def _nth(stretch: Stretch, cause: Observation) -> int:
    same = (
        seen.id <= cause.id
        for seen in stretch.seen
        if seen.kind == cause.kind and seen.checkout == cause.checkout
    )
    return sum(same)
