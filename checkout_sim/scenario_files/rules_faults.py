"""What faults and moments must get right: moments in reach, windows that end, figures in bounds.

Takes the shapes; gives findings. The bounds on toxics are those
that keep a real Toxiproxy 2.12 alive and answering (a slicer of size 0 crashes it; removing a
reset_peer waits for its timeout).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Protocol

from checkout_sim.model import wire
from checkout_sim.model.fault import ORDER_PLACEHOLDER
from checkout_sim.model.scenario import Drawn
from checkout_sim.scenario_files.parse import Trail
from checkout_sim.scenario_files.problems import Finding
from checkout_sim.scenario_files.shape import SettleShape, ShopperShape, StackShape
from checkout_sim.scenario_files.shape_faults import (
    BrokerShape,
    ControlFault,
    DeedShape,
    DownFault,
    KillFault,
    LatencyFault,
    LinkShape,
    PauseFault,
    PublishFault,
    ResetPeerFault,
    SlicerFault,
    WindowShape,
)
from checkout_sim.scenario_files.shape_moments import AfterShape, BeforeShape, EventShape

Fault = WindowShape | DeedShape | BrokerShape
Moment = int | str | BeforeShape | AfterShape | EventShape

_LONGEST_RESET_MS = 1_000
WRITTEN_PARAMETERS = {"delay": "ms", "reveal_after": "reveal_after_ms"}


class Story(Protocol):
    """The parts of a scenario that bound a fault."""

    @property
    def stack(self) -> StackShape:
        """Replicas and time scale."""

    @property
    def settle(self) -> SettleShape:
        """How long may be waited."""

    @property
    def shoppers(self) -> list[ShopperShape]:
        """Their patience."""


def fault_findings(faults: Sequence[Fault], *, checkouts: int, shape: Story) -> Iterator[Finding]:
    """Yield every rule the faults break, each alone and all together."""
    names = Counter(fault.name for fault in faults)
    for index, fault in enumerate(faults):
        here: Trail = ("faults", index)
        if names[fault.name] > 1:
            told = f'{names[fault.name]} faults are called "{fault.name}"; a name is for one'
            yield Finding(trail=(*here, "name"), message=told)
        if isinstance(fault, WindowShape):
            yield from _window(fault, here, checkouts)
        elif isinstance(fault, DeedShape):
            yield from _deed(fault, here, checkouts, shape.stack)
        else:
            yield from _meddling(fault, here, checkouts)
        if isinstance(fault, LinkShape):
            yield from _toxic(fault, here)
        if isinstance(fault, ControlFault):
            yield from _control(fault, here, checkouts)
    yield from _settle(faults, shape)


def moment_findings(
    moment: Moment, trail: Trail, *, checkouts: int, refused: Sequence[str] = ()
) -> Iterator[Finding]:
    """Yield what is wrong with one moment; `refused` are the kinds this place has no use for."""
    match moment:
        case "calm" if "calm" in refused:
            yield Finding(trail=trail, message="calm comes too late here; it only ends things")
        case BeforeShape() if "before_checkout" in refused:
            yield Finding(trail=trail, message="nobody is there before a checkout; use an event")
        case BeforeShape():
            yield from _checkout(moment.before_checkout, (*trail, "before_checkout"), checkouts)
        case AfterShape():
            yield from _checkout(moment.after_checkouts, (*trail, "after_checkouts"), checkouts)
        case EventShape():
            if moment.checkout is not None:
                yield from _checkout(moment.checkout, (*trail, "checkout"), checkouts)
        case _:
            return


def longest_ms(value: int | Drawn) -> int:
    """Return a duration, or the upper end of a drawn one."""
    return value.high_ms if isinstance(value, Drawn) else value


def _checkout(number: int, trail: Trail, checkouts: int) -> Iterator[Finding]:
    if number > checkouts:
        told = f"{number} is above load.checkouts, which is {checkouts}"
        yield Finding(trail=trail, message=told)


def _window(fault: WindowShape, here: Trail, checkouts: int) -> Iterator[Finding]:
    yield from moment_findings(fault.begin, (*here, "from"), checkouts=checkouts, refused=("calm",))
    if fault.until is not None:
        yield from moment_findings(fault.until, (*here, "until"), checkouts=checkouts)
        if fault.lasting is not None:
            told = "a window ends by `until` or after `for`, not both; drop one"
            yield Finding(trail=(*here, "for"), message=told, at_key=True)
        begin, until = fault.begin, fault.until
        if isinstance(begin, int) and isinstance(until, int) and until <= begin:
            told = f"ends at {until}ms, not after it begins at {begin}ms"
            yield Finding(trail=(*here, "until"), message=told)
    yield from _repeated(fault, here, begin=fault.begin, end=fault.lasting, ends_by="for")


def _deed(fault: DeedShape, here: Trail, checkouts: int, stack: StackShape) -> Iterator[Finding]:
    yield from moment_findings(fault.at, (*here, "at"), checkouts=checkouts, refused=("calm",))
    for index, process in enumerate(fault.process):
        running = stack.replicas.get(process, 1)
        if fault.instance > running:
            told = f"instance {fault.instance} of {process}, but stack.replicas starts {running}"
            yield Finding(trail=(*here, "process", index), message=told)
    end: int | None = 0
    if isinstance(fault, KillFault):
        yield from moment_findings(fault.restart, (*here, "restart"), checkouts=checkouts)
        end = fault.restart if isinstance(fault.restart, int) else None
    elif isinstance(fault, PauseFault):
        end = fault.lasting
    ends_by = "restart" if isinstance(fault, KillFault) else "for"
    yield from _repeated(fault, here, begin=fault.at, end=end, ends_by=ends_by)


def _meddling(fault: BrokerShape, here: Trail, checkouts: int) -> Iterator[Finding]:
    yield from moment_findings(fault.at, (*here, "at"), checkouts=checkouts, refused=("calm",))
    yield from _repeated(fault, here, begin=fault.at, end=0, ends_by="for")
    if not isinstance(fault, PublishFault):
        return
    if fault.checkout is not None:
        yield from _checkout(fault.checkout, (*here, "checkout"), checkouts)
    if ORDER_PLACEHOLDER in fault.body and fault.checkout is None:
        told = f"{ORDER_PLACEHOLDER} stands for an order; say whose with `checkout`"
        yield Finding(trail=(*here, "body"), message=told)


def _repeated(
    fault: Fault, here: Trail, *, begin: Moment, end: int | None, ends_by: str
) -> Iterator[Finding]:
    """Yield why `every` or `chance` cannot be laid out in advance."""
    if fault.every is None:
        return
    trail = (*here, "every")
    if fault.every == 0:
        yield Finding(trail=trail, message="every 0ms never ends; write a longer time")
    elif end is None:
        told = f"each of these must end before the next; say how long with `{ends_by}`"
        yield Finding(trail=trail, message=told, at_key=True)
    elif end >= fault.every:
        told = f"each lasts {end}ms, so the next begins before it ends; lengthen `every`"
        yield Finding(trail=trail, message=told)
    if isinstance(begin, BeforeShape | AfterShape):
        told = "repetitions count from a time or an event; begin with one of these"
        yield Finding(trail=trail, message=told, at_key=True)


def _toxic(fault: LinkShape, here: Trail) -> Iterator[Finding]:
    trail: Trail = (*here, "attributes")
    match fault:
        case ResetPeerFault() if longest_ms(fault.attributes.timeout) > _LONGEST_RESET_MS:
            told = "above 1s, which lifting would have to wait for; write 1s or less"
            yield Finding(trail=(*trail, "timeout"), message=told)
        case SlicerFault() if fault.attributes.average_size < 1:
            told = "0B would crash the Go server; write at least 1B"
            yield Finding(trail=(*trail, "average_size"), message=told)
        case SlicerFault() if fault.attributes.size_variation >= fault.attributes.average_size:
            size = fault.attributes.average_size
            told = f"{fault.attributes.size_variation}B is not below average_size, which is {size}B"
            yield Finding(trail=(*trail, "size_variation"), message=told)
        case DownFault() if fault.bounce is not None:
            told = "`down` is itself a bounce; drop this"
            yield Finding(trail=(*here, "bounce"), message=told, at_key=True)
        case _:
            return


def _control(fault: ControlFault, here: Trail, checkouts: int) -> Iterator[Finding]:
    if fault.checkout is not None:
        yield from _checkout(fault.checkout, (*here, "checkout"), checkouts)
    control = wire.CONTROLS[fault.gateway]
    if fault.operation is not None and fault.operation not in control.operations:
        allowed = ", ".join(control.operations)
        told = f'"{fault.gateway}" strikes only {allowed}, not {fault.operation}'
        yield Finding(trail=(*here, "operation"), message=told)
    for written, parameter in WRITTEN_PARAMETERS.items():
        given = getattr(fault, written) is not None
        if given and parameter not in control.parameters:
            told = f'"{fault.gateway}" takes no {written}; drop it'
            yield Finding(trail=(*here, written), message=told, at_key=True)
        if not given and parameter == "ms" and parameter in control.parameters:
            told = f'"{fault.gateway}" needs to know how long; add `delay: 300ms`'
            yield Finding(trail=(*here, "gateway"), message=told)


def _settle(faults: Sequence[Fault], shape: Story) -> Iterator[Finding]:
    """Yield a bound too short for what the slowest link, shopper and reconciler may still do."""
    scale = shape.stack.time_scale
    slowest = max(
        (longest_ms(f.attributes.latency) for f in faults if isinstance(f, LatencyFault)), default=0
    )
    usual = round(wire.SHOPPER_PATIENCE_MS * scale)
    patience = max([usual, *(s.patience for s in shape.shoppers if s.patience is not None)])
    backoff = round(max(own.get("retry_high_ms", 0) for own in wire.SETTINGS.values()) * scale)
    least = slowest + patience + backoff
    if shape.settle.within < least:
        told = (
            f"{shape.settle.within}ms is below {least}ms: the longest latency ({slowest}ms), "
            f"a shopper's patience ({patience}ms) and a back-off ({backoff}ms)"
        )
        yield Finding(trail=("settle", "within"), message=told)
