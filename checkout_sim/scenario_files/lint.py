"""Doubts about a sound scenario: warnings that stop nothing, each from a failure once measured.

Takes the shape, gives findings of severity "warning". Most are about hold, see, strike
(scenarios/README.md): a strike that arrives too late leaves the verdict unknown.
"""

from collections.abc import Iterator

from checkout_sim.scenario_files.problems import Finding
from checkout_sim.scenario_files.rules_faults import Fault, longest_ms
from checkout_sim.scenario_files.settings import effective_ms, setting_of
from checkout_sim.scenario_files.shape import ScenarioShape
from checkout_sim.scenario_files.shape_faults import (
    BandwidthFault,
    ControlFault,
    DownFault,
    KillFault,
    LatencyFault,
    LinkShape,
    PauseFault,
    TimeoutFault,
    WindowShape,
)
from checkout_sim.scenario_files.shape_moments import BeforeShape, EventShape

_SHORTEST_HOLD_MS = 100

_TO_PAYMENT = ("order_to_payment", "orchestrator_to_payment")

# After this event the answer that ends the race travels over one of these links.
_RACES: dict[str, tuple[str, ...]] = {
    "gateway": ("payment_to_gateway",),
    "payment.recorded": ("payment_to_gateway",),
    "payment.intent_created": ("payment_to_gateway",),
    "payment.charge_requested": ("payment_to_gateway",),
    "payment": _TO_PAYMENT,
    "order.created": (*_TO_PAYMENT, "order_to_broker", "payment_to_gateway"),
    "order": ("shopper_to_order",),
}


def warnings(shape: ScenarioShape) -> Iterator[Finding]:
    """Yield every doubt, as findings of severity warning."""
    for index, fault in enumerate(shape.faults):
        doubts = (
            *_unheld(fault, shape),
            *_released(fault, shape),
            *_unaimed(fault, shape),
            *_left_to_chance(fault),
        )
        for doubt in doubts:
            yield Finding(trail=("faults", index), message=doubt, severity="warning")
    yield from _inverted(shape)


def _unheld(fault: Fault, shape: ScenarioShape) -> Iterator[str]:
    """Yield a process struck on an event while the answer runs free."""
    if not isinstance(fault, KillFault | PauseFault) or not isinstance(fault.at, EventShape):
        return
    if set(fault.process) <= {"broker", "database"}:
        return  # it is not an answer of theirs that could come first
    event = fault.at.event
    racing = _RACES.get(event) or _RACES.get(event.partition(".")[0], ())
    if racing == ("payment_to_gateway",) and "payment" not in fault.process:
        racing += _TO_PAYMENT  # who is struck hears of it only from payment
    holds = [other for other in shape.faults if _holds(other, racing)]
    if racing and not holds:
        yield f"{fault.do} on {event}, but nothing holds {' or '.join(racing)}; the answer may win"
    for hold in holds:
        if isinstance(hold, LatencyFault) and longest_ms(hold.attributes.latency) < (
            _SHORTEST_HOLD_MS + fault.at.then
        ):
            yield (
                f'{fault.do} comes {fault.at.then}ms after {event}, but "{hold.name}" holds '
                f"only {longest_ms(hold.attributes.latency)}ms; hold {_SHORTEST_HOLD_MS}ms longer"
            )


def _holds(fault: Fault, links: tuple[str, ...]) -> bool:
    """Return whether a fault keeps an answer on one of the links from arriving in time."""
    match fault:
        case LatencyFault() | TimeoutFault() | DownFault():
            return bool(set(fault.link) & set(links))
        case BandwidthFault():
            return fault.attributes.rate == 0 and bool(set(fault.link) & set(links))
        case ControlFault():
            return fault.delay is not None and "payment_to_gateway" in links
        case _:
            return False


def _released(fault: Fault, shape: ScenarioShape) -> Iterator[str]:
    """Yield a strike added to the very chain that holds; Toxiproxy lets the held data pass."""
    if not isinstance(fault, LinkShape) or isinstance(fault, DownFault):
        return
    if not isinstance(fault.begin, EventShape):
        return
    for other in shape.faults:
        same_stream = getattr(other, "stream", None) in {fault.stream, "both"} or (
            fault.stream == "both"
        )
        if (
            other is not fault
            and isinstance(other, LatencyFault)
            and same_stream
            and set(other.link) & set(fault.link)
        ):
            yield (
                f'"{fault.name}" joins the {fault.stream} chain where "{other.name}" holds and '
                f"releases what is held; strike the other direction"
            )


def _unaimed(fault: Fault, shape: ScenarioShape) -> Iterator[str]:
    """Yield a link struck for one checkout while others use it."""
    begin = fault.begin if isinstance(fault, WindowShape) else fault.at
    aimed = (isinstance(begin, BeforeShape) and begin.before_checkout > 1) or (
        isinstance(begin, EventShape) and begin.checkout is not None
    )
    crowded = (shape.load.concurrency or 1) > 1 or shape.load.rate is not None
    if aimed and crowded and isinstance(fault, LinkShape):
        yield (
            f'"{fault.name}" waits for one checkout, but a link carries them all; use concurrency 1'
        )


def _left_to_chance(fault: Fault) -> Iterator[str]:
    if fault.chance < 1 and not fault.optional:
        yield (
            f'"{fault.name}" strikes with a chance of {fault.chance:.0%} and may never do so, '
            f"which leaves the run unknown; add `optional: true`"
        )


def _inverted(shape: ScenarioShape) -> Iterator[Finding]:
    """Yield a caller that is overridden to give up before its callee may."""
    scale = shape.stack.time_scale
    overrides = {
        service: dict(
            setting_of(service, written, raw, time_scale=scale) for written, raw in given.items()
        )
        for service, given in shape.stack.settings.items()
    }
    waits = effective_ms("order", "payment_try_ms", overrides, time_scale=scale)
    takes = effective_ms("payment", "gateway_total_ms", overrides, time_scale=scale)
    if waits < takes:
        told = f"order waits {_duration(waits)} for payment, which may take {_duration(takes)}"
        service = "order" if "order" in overrides else "payment"
        yield Finding(
            trail=("stack", "settings", service), message=told, at_key=True, severity="warning"
        )


def _duration(ms: float) -> str:
    return f"{ms:g}ms" if ms < 1_000 else f"{ms / 1_000:g}s"  # noqa: PLR2004 - a second
