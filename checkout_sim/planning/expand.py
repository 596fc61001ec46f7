"""(Scenario, seed) → Plan: every chance is drawn here, and nothing depends on a strategy.

The same file and seed give the same plan, on any machine. A fault's window becomes two steps,
Inject and Lift; `restart:` of a kill and `for:` of a pause are its Lift. `do: restart` lifts
itself. Faults come first in the plan, so that whoever waits for a moment does so before the first
checkout is sent.
"""

from collections.abc import Iterator, Sequence

from checkout_sim.model.fault import BrokerFault, FaultKind, GatewayFault, LinkFault, ProcessFault
from checkout_sim.model.plan import (
    Action,
    Checkout,
    DeclaredFault,
    Inject,
    InTurn,
    Lift,
    Plan,
    Shopper,
    Step,
)
from checkout_sim.model.scenario import AtTime, FaultRule, Load, Moment, Scenario, Settle
from checkout_sim.planning.draw import Dice
from checkout_sim.planning.shoppers import proof_of, shoppers_of
from checkout_sim.planning.windows import Window, Windows, windows_of

STALLED_FOR_MS = 6_000  # before time_scale: longer than any timer of a strategy


def expand(scenario: Scenario, *, seed: int) -> Plan:
    """Return the plan of a scenario under a seed. Pure: equal arguments give equal plans."""
    dice = Dice(seed=seed, scenario=scenario.name)
    laid_out = [(rule, windows_of(rule, dice)) for rule in scenario.faults]
    shoppers = tuple(shoppers_of(scenario, dice))
    return Plan(
        scenario=scenario.name,
        scenario_path=scenario.path,
        scenario_digest=scenario.digest,
        seed=seed,
        concurrency=scenario.load.concurrency,
        checkouts=scenario.load.checkouts,
        steps=_numbered([*_fault_steps(laid_out), *_checkout_steps(scenario.load, shoppers)]),
        faults=tuple(_declared(rule, windows.windows) for rule, windows in laid_out),
        proof=tuple(proof_of(scenario, dice)),
        stack=scenario.stack,
        settle=_settle(scenario),
        invariants=scenario.invariants,
        draws={name: drawn for _, windows in laid_out for name, drawn in windows.draws.items()},
    )


_Due = tuple[Moment | InTurn, Action]


def _numbered(due: Sequence[_Due]) -> tuple[Step, ...]:
    return tuple(
        Step(number=number, when=when, action=action)
        for number, (when, action) in enumerate(due, start=1)
    )


def _fault_steps(laid_out: Sequence[tuple[FaultRule, Windows]]) -> Iterator[_Due]:
    for rule, windows in laid_out:
        for window in windows.windows:
            yield window.begin, Inject(fault=rule.name, window=window.number, kind=window.kind)
            if not _lifts_itself(rule.kind):
                yield window.end, Lift(fault=rule.name, window=window.number)


def _lifts_itself(kind: FaultKind) -> bool:
    """Return whether a deed is done once it is done: there is nothing to undo."""
    return isinstance(kind, BrokerFault) or (
        isinstance(kind, ProcessFault) and kind.do == "restart"
    )


def _checkout_steps(load: Load, shoppers: Sequence[Shopper]) -> Iterator[_Due]:
    for index, shopper in enumerate(shoppers):
        yield _start(load, index), Checkout(shopper=shopper)


def _start(load: Load, index: int) -> AtTime | InTurn:
    """Return when checkout index + 1 begins: in turn, by the clock of a rate, or as listed."""
    if load.at_ms is not None:
        return AtTime(ms=load.at_ms[index])
    if load.rate_per_s is not None:
        return AtTime(ms=round(index * 1_000 / load.rate_per_s))
    return InTurn()


def _settle(scenario: Scenario) -> Settle:
    settle = scenario.settle
    stalled_for_ms = settle.stalled_for_ms
    if stalled_for_ms is None:
        stalled_for_ms = round(STALLED_FOR_MS * scenario.stack.time_scale)
    return Settle(
        within_ms=settle.within_ms,
        quiet_for_ms=settle.quiet_for_ms,
        stalled_for_ms=stalled_for_ms,
        proof_checkouts=settle.proof_checkouts,
    )


def _declared(rule: FaultRule, windows: Sequence[Window]) -> DeclaredFault:
    """Return what the judge must know of a fault."""
    kind = rule.kind
    type_: str
    links: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()
    least_delay_ms = 0
    match kind:
        case LinkFault():
            type_ = "down" if kind.down else kind.toxics[0].type
            links, streams = kind.links, tuple(toxic.stream for toxic in kind.toxics)
            least_delay_ms = min((_latency(window) for window in windows), default=0)
        case ProcessFault():
            type_, processes = kind.do, tuple(kind.processes)
        case GatewayFault():
            type_ = kind.control
        case BrokerFault():
            type_ = kind.do
    return DeclaredFault(
        name=rule.name,
        type=type_,
        links=links,
        processes=processes,
        streams=streams,
        least_delay_ms=least_delay_ms,
        optional=rule.optional,
        ahead_of=rule.ahead_of,
        windows=len(windows),
        note=rule.note,
    )


def _latency(window: Window) -> int:
    """Return the delay of a latency toxic in this window, 0 for any other."""
    if not isinstance(window.kind, LinkFault):
        return 0
    return max((toxic.attributes.get("latency", 0) for toxic in window.kind.toxics), default=0)
