"""The shape of a moment: a time, a checkout to come, a count of checkouts ended, an event, calm.

Tags of the union stand in angle brackets so that `problems.py` can leave them out of a path.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Tag
from typing_extensions import TypeAliasType

from checkout_sim.model.scenario import (
    AfterCheckouts,
    AtCalm,
    AtTime,
    BeforeCheckout,
    Moment,
    OnEvent,
)
from checkout_sim.scenario_files.units import NotAValue, shown
from checkout_sim.scenario_files.values import Count, Duration, Event, Strict

_KEYS = {"before_checkout": "<before>", "after_checkouts": "<after>", "event": "<event>"}
_EXAMPLES = (
    "write 2s, {before_checkout: 3}, {after_checkouts: 5}, {event: payment.recorded} or calm"
)


class BeforeShape(Strict):
    """The driver holds this checkout until the fault is injected and read back."""

    before_checkout: Count


class AfterShape(Strict):
    """So many checkouts have ended."""

    after_checkouts: Count


class EventShape(Strict):
    """When that observation is seen, the nth time, and so long after."""

    event: Event
    checkout: Count | None = None
    nth: Count = 1
    then: Duration = 0


def _is_a_moment(raw: Any) -> Any:
    """Refuse what is no moment before the union could say so in its own words."""
    if isinstance(raw, dict):
        if "on" in raw:
            raise NotAValue("events are named by `event`, not `on`, which YAML 1.1 reads as true")
        if sum(key in raw for key in _KEYS) == 1:
            return raw
    elif isinstance(raw, str | int | float) and not isinstance(raw, bool):
        return raw
    raise NotAValue(f"{shown(raw)} is not a moment; {_EXAMPLES}")


def _tag(raw: Any) -> str:
    if raw == "calm":
        return "<calm>"
    if isinstance(raw, dict):
        return next(tag for key, tag in _KEYS.items() if key in raw)
    return "<time>"


MomentShape = TypeAliasType(
    "MomentShape",
    Annotated[
        Annotated[Duration, Tag("<time>")]
        | Annotated[Literal["calm"], Tag("<calm>")]
        | Annotated[BeforeShape, Tag("<before>")]
        | Annotated[AfterShape, Tag("<after>")]
        | Annotated[EventShape, Tag("<event>")],
        Discriminator(_tag),
        BeforeValidator(_is_a_moment),
    ],
)


def moment_of(shape: int | str | BeforeShape | AfterShape | EventShape) -> Moment:
    """Return the model's moment; a duration counts from the beginning of the storm."""
    match shape:
        case int():
            return AtTime(ms=shape)
        case BeforeShape():
            return BeforeCheckout(checkout=shape.before_checkout)
        case AfterShape():
            return AfterCheckouts(count=shape.after_checkouts)
        case EventShape():
            return OnEvent(
                event=shape.event, checkout=shape.checkout, nth=shape.nth, then_ms=shape.then
            )
        case _:
            return AtCalm()
