"""Doubts about a sound scenario: warnings that stop nothing, each from a failure once measured.

Takes the shape, gives findings of severity "warning". Most are about hold, see, strike
(scenarios/README.md): a strike that arrives too late leaves the verdict unknown.
"""

from collections.abc import Iterator

from checkout_sim.model import wire
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


# Who waits for whom, and where: the caller's setting, the callee's, and the strategies it is so in.
# The edge is not among them: a shopper's patience is no setting, `_impatient` looks at it.
_WAITS: tuple[tuple[str, str, str, str, frozenset[str]], ...] = (
    ("order", "payment_try_ms", "payment", "gateway_total_ms", frozenset({"naive", "hardened"})),
    ("orchestrator", "payment_try_ms", "payment", "gateway_total_ms", frozenset({"orchestrated"})),
    ("orchestrator", "answer_ms", "orchestrator", "payment_try_ms", frozenset({"orchestrated"})),
    ("orchestrator", "answer_ms", "orchestrator", "order_total_ms", frozenset({"orchestrated"})),
)
# How long the coordinator of a strategy keeps a shopper waiting before it says 202.
_ANSWERS: dict[str, tuple[str, str]] = {
    "hardened": ("order", "payment_total_ms"),
    "orchestrated": ("orchestrator", "answer_ms"),
    "choreographed": ("order", "answer_ms"),
}


def _inverted(shape: ScenarioShape) -> Iterator[Finding]:
    """Yield each caller that is overridden to give up before its callee may."""
    scale = shape.stack.time_scale
    overrides = {
        service: dict(
            setting_of(service, written, raw, time_scale=scale) for written, raw in given.items()
        )
        for service, given in shape.stack.settings.items()
    }
    told: set[tuple[str, str]] = set()
    for caller, waits, callee, takes, strategies in _WAITS:
        patience = effective_ms(caller, waits, overrides, time_scale=scale)
        needed = effective_ms(callee, takes, overrides, time_scale=scale)
        if patience >= needed or not strategies & set(shape.expect):
            continue
        service = caller if caller in overrides else callee
        if (service, waits) not in told:  # one doubt for each setting, whoever runs
            told.add((service, waits))
            yield _too_short(
                ("stack", "settings", service),
                f"{caller} waits {_duration(patience)} ({caller}.{_written(waits)})",
                f"{_duration(needed)} ({callee}.{_written(takes)})",
                at_key=True,
            )
    yield from _impatient(shape, overrides, scale)


def _impatient(
    shape: ScenarioShape, overrides: dict[str, dict[str, str]], scale: float
) -> Iterator[Finding]:
    """Yield each shopper who is gone before the coordinator may have answered."""
    answers = [
        (effective_ms(*_ANSWERS[strategy], overrides, time_scale=scale), *_ANSWERS[strategy])
        for strategy in shape.expect
        if strategy in _ANSWERS
    ]
    if not answers:
        return
    needed, service, name = max(answers)
    usual = wire.SHOPPER_PATIENCE_MS * scale
    told = f"{_duration(needed)} ({service}.{_written(name)})"
    if usual < needed:
        waits = f"shoppers wait {_duration(usual)} (their patience)"
        yield _too_short(("stack", "settings", service), waits, told, at_key=True)
    for index, rule in enumerate(shape.shoppers):
        if rule.patience is not None and rule.patience < needed:
            waits = f"shopper waits {_duration(rule.patience)} (patience)"
            yield _too_short(("shoppers", index, "patience"), waits, told, at_key=False)


def _too_short(trail: tuple[str | int, ...], waits: str, takes: str, *, at_key: bool) -> Finding:
    message = f"{waits} for what may take {takes}"
    return Finding(trail=trail, message=message, at_key=at_key, severity="warning")


def _written(name: str) -> str:
    """Return a setting as a scenario writes it."""
    return name.removesuffix("_ms")


def _duration(ms: float) -> str:
    return f"{ms:g}ms" if ms < 1_000 else f"{ms / 1_000:g}s"  # noqa: PLR2004 - a second
