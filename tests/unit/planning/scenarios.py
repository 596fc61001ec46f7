"""Scenarios and fault rules by hand, saying only what a story is about."""

from collections.abc import Mapping, Sequence
from typing import Any

from checkout_sim.model.fault import LinkFault, PlacedToxic
from checkout_sim.model.plan import Inject, Lift, Plan
from checkout_sim.model.scenario import (
    AfterInjected,
    AtTime,
    Drawn,
    Expectation,
    FaultRule,
    Load,
    Moment,
    Scenario,
    ShopperRule,
)


def scenario(
    *,
    load: Load | None = None,
    shoppers: Sequence[ShopperRule] = (),
    faults: Sequence[FaultRule] = (),
    **more: Any,
) -> Scenario:
    """Return a scenario of three checkouts unless told otherwise."""
    return Scenario(
        name="story",
        why="One sentence.",
        path="scenarios/07-story.yaml",
        digest="d1",
        load=load or Load(checkouts=3),
        shoppers=tuple(shoppers),
        faults=tuple(faults),
        invariants=("every_order_ends",),
        expect={"naive": Expectation(verdict="valid")},
        **more,
    )


def weather(
    *,
    begin: Moment = AtTime(ms=0),  # noqa: B008 - a frozen value
    every_ms: int | None = 300,
    chance: float = 1.0,
    drawn: Mapping[str, Drawn] | None = None,
) -> FaultRule:
    """Return a latency on both streams that comes and goes."""
    toxics = (
        PlacedToxic(
            name="weather_upstream", type="latency", stream="upstream", attributes={"latency": 50}
        ),
        PlacedToxic(
            name="weather_downstream",
            type="latency",
            stream="downstream",
            attributes={"latency": 50},
        ),
    )
    return FaultRule(
        name="weather",
        kind=LinkFault(links=("order_to_payment",), toxics=toxics),
        begin=begin,
        end=AfterInjected(ms=150),
        drawn=drawn or {},
        every_ms=every_ms,
        chance=chance,
    )


def injections(plan: Plan) -> list[tuple[Moment | object, Inject]]:
    """Return every injection with its moment."""
    return [(step.when, step.action) for step in plan.steps if isinstance(step.action, Inject)]


def lifts(plan: Plan) -> list[tuple[Moment | object, Lift]]:
    """Return every lift with its moment."""
    return [(step.when, step.action) for step in plan.steps if isinstance(step.action, Lift)]
