"""What a well-shaped scenario must still get right: keys that agree with each other.

Takes the shape and the file's name; gives findings, all of them.
Faults have their own rules in `rules_faults.py`, doubts that stop nothing theirs in `lint.py`.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import chain

from checkout_sim.model import wire
from checkout_sim.model.claims import CORE
from checkout_sim.scenario_files.names import BREAKABLE, CLAIMS, suggestion
from checkout_sim.scenario_files.parse import Trail
from checkout_sim.scenario_files.problems import Finding
from checkout_sim.scenario_files.rules_faults import fault_findings, moment_findings
from checkout_sim.scenario_files.settings import setting_of, written_names
from checkout_sim.scenario_files.shape import (
    ExpectationShape,
    JudgeShape,
    LineShape,
    ScenarioShape,
    ShopperShape,
)
from checkout_sim.scenario_files.units import NotAValue

_NUMBER = re.compile(r"^\d+-")


def findings(shape: ScenarioShape, *, stem: str) -> Iterator[Finding]:
    """Yield every rule this scenario breaks, in no order."""
    yield from _name(shape, stem)
    yield from _stack(shape)
    yield from _load(shape)
    yield from _shoppers(shape)
    yield from fault_findings(shape.faults, checkouts=checkouts_of(shape), shape=shape)
    yield from _judge(shape.judge)
    yield from _expect(shape)


def checkouts_of(shape: ScenarioShape) -> int:
    """Return how many checkouts there are; a list of start times counts itself."""
    if shape.load.checkouts is not None:
        return shape.load.checkouts
    return len(shape.load.at) if shape.load.at is not None else 8


def judged(judge: JudgeShape) -> tuple[str, ...]:
    """Return the claims asked for, unknown names left out, in the order the judge knows them."""
    wanted: set[str] = set()
    for name in chain(judge.invariants, judge.also):
        wanted |= set(CLAIMS if name == "extended" else CORE if name == "core" else (name,))
    return tuple(name for name in CLAIMS if name in wanted and name not in judge.without)


def _name(shape: ScenarioShape, stem: str) -> Iterator[Finding]:
    # pytest collects `refund.scenario.yaml`, and its name is still refund
    expected = _NUMBER.sub("", stem).removesuffix(".scenario")
    if shape.name != expected:
        told = f'"{shape.name}" is not the file name without its number; write "{expected}"'
        yield Finding(trail=("name",), message=told)


def _stack(shape: ScenarioShape) -> Iterator[Finding]:
    stack = shape.stack
    for service in stack.replicas:
        if service not in BREAKABLE:
            told = f'"{service}" cannot be replicated{suggestion(service, BREAKABLE)}'
            yield Finding(trail=("stack", "replicas", service), message=told, at_key=True)
    for service, settings in stack.settings.items():
        here: Trail = ("stack", "settings", service)
        if service not in BREAKABLE:
            told = f'"{service}" has no settings{suggestion(service, BREAKABLE)}'
            yield Finding(trail=here, message=told, at_key=True)
            continue
        for written, raw in settings.items():
            yield from _setting(service, written, raw, here)


def _setting(service: str, written: str, raw: object, here: Trail) -> Iterator[Finding]:
    names = written_names(service)
    if written not in names:
        told = f"no setting of {service}{suggestion(written.removesuffix('_ms'), names)}"
        yield Finding(trail=(*here, written), message=told, at_key=True)
        return
    try:
        setting_of(service, written, raw, time_scale=1)
    except NotAValue as error:
        yield Finding(trail=(*here, written), message=str(error))


def _load(shape: ScenarioShape) -> Iterator[Finding]:
    load = shape.load
    given = [key for key in ("concurrency", "rate", "at") if getattr(load, key) is not None]
    if len(given) > 1:
        told = f"{' and '.join(given)} are given; a load has one of concurrency, rate, at"
        yield Finding(trail=("load", given[1]), message=told, at_key=True)
    if load.at is not None:
        if load.checkouts is not None and len(load.at) != load.checkouts:
            told = f"{len(load.at)} start times for {load.checkouts} checkouts; write one for each"
            yield Finding(trail=("load", "at"), message=told)
        if list(load.at) != sorted(load.at):
            yield Finding(trail=("load", "at"), message="start times run backwards; sort them")
    yield from _cart(load.cart, ("load", "cart"))


def _shoppers(shape: ScenarioShape) -> Iterator[Finding]:
    total, owner = checkouts_of(shape), dict[int, int]()
    for index, shopper in enumerate(shape.shoppers):
        here: Trail = ("shoppers", index)
        for number in numbers(shopper, total):
            if number > total:
                told = f"checkout {number} is above load.checkouts, which is {total}"
                yield Finding(trail=(*here, "checkouts"), message=told)
                break
            if owner.setdefault(number, index) != index:
                told = f"checkout {number} is already described by shoppers[{owner[number]}]"
                yield Finding(trail=(*here, "checkouts"), message=told)
                break
        yield from _cart(shopper.cart, (*here, "cart"))
        yield from _behaviour(shopper, (*here, "do"), total)


def numbers(shopper: ShopperShape, total: int) -> Iterator[int]:
    """Yield the checkouts one entry of `shoppers:` is about; `all` is every one there is."""
    for low, high in shopper.checkouts or ((1, total),):
        # One past the end is enough to be told of; a range may be written up to any figure.
        yield from range(low, min(high, max(total, low) + 1) + 1)


def _behaviour(shopper: ShopperShape, here: Trail, total: int) -> Iterator[Finding]:
    if shopper.do is not None and shopper.do.cancel is not None:
        trail = (*here, "cancel", "at")
        yield from moment_findings(
            shopper.do.cancel.at, trail, checkouts=total, refused=("calm", "before_checkout")
        )


def _cart(cart: Sequence[LineShape] | None, here: Trail) -> Iterator[Finding]:
    if cart is not None and sum(line.price * line.quantity for line in cart) == 0:
        yield Finding(trail=here, message="the cart costs nothing; nothing would be charged")


def _judge(judge: JudgeShape) -> Iterator[Finding]:
    if not judged(judge):
        yield Finding(trail=("judge",), message="nothing is left to judge", at_key=True)


def _expect(shape: ScenarioShape) -> Iterator[Finding]:
    for strategy, expected in shape.expect.items():
        here: Trail = ("expect", strategy)
        yield from _reach(shape, strategy, here)
        if isinstance(expected, ExpectationShape):
            yield from _expectation(expected, here, shape)


def _reach(shape: ScenarioShape, strategy: str, here: Trail) -> Iterator[Finding]:
    """Yield faults that cannot touch this strategy, whose verdict would then prove nothing."""
    carrying = wire.links_of(strategy, shape.stack.database)
    for fault in shape.faults:
        links: list[str] = getattr(fault, "link", [])
        if links and not set(links) & set(carrying):
            needs = f"one of {', '.join(links)}" if len(links) > 1 else links[0]
            told = f'fault "{fault.name}" needs {needs}; {strategy} has only {", ".join(carrying)}'
            yield Finding(trail=here, message=told, at_key=True)
    running = wire.processes_of(strategy, shape.stack.database)
    for fault in shape.faults:
        processes: list[str] = getattr(fault, "process", [])
        if hasattr(fault, "broker"):
            processes = ["broker"]
        if processes and not set(processes) & set(running):
            told = (
                f'fault "{fault.name}" needs the process {" or ".join(processes)}; '
                f"{strategy} on {shape.stack.database} has only {', '.join(running)}"
            )
            yield Finding(trail=here, message=told, at_key=True)


def _expectation(
    expected: ExpectationShape, here: Trail, shape: ScenarioShape
) -> Iterator[Finding]:
    claims = {"trips": expected.trips, "may_trip": expected.may_trip}
    for key, names in claims.items():
        if names and expected.verdict == "valid":
            told = "a valid run breaks no claim; drop this or expect invalid"
            yield Finding(trail=(*here, key), message=told, at_key=True)
        yield from _judged(names, (*here, key), judged(shape.judge))
    if expected.verdict == "invalid" and not (expected.trips or expected.may_trip):
        told = 'invalid by which claim? Name at least one under "trips"'
        yield Finding(trail=(*here, "verdict"), message=told)
    if both := sorted(set(expected.trips) & set(expected.may_trip)):
        told = f'"{both[0]}" must trip and may trip; keep it in one list'
        yield Finding(trail=(*here, "may_trip"), message=told, at_key=True)
    total = checkouts_of(shape)
    if expected.confirmed is not None and expected.confirmed[1] > total:
        told = f"{expected.confirmed[1]} confirmed is above load.checkouts, which is {total}"
        yield Finding(trail=(*here, "confirmed"), message=told)


def _judged(names: Sequence[str], here: Trail, asked: Sequence[str]) -> Iterator[Finding]:
    for index, name in enumerate(names):
        if name not in asked:
            told = f'"{name}" is not judged here; add it to judge.also'
            yield Finding(trail=(*here, index), message=told)
