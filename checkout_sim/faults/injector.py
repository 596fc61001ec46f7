"""Injects and lifts what a plan names, on whichever link or process carries this strategy.

Implements the runner's `Faults`. It remembers every window in force, so that one `calm` undoes
all: links healed and read back, processes resumed and restarted, gateway controls withdrawn.
"""

from collections.abc import Awaitable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol, assert_never

import httpx

from checkout_sim.faults.toxics import Applied, Toxiproxy
from checkout_sim.model.errors import FaultNotApplied
from checkout_sim.model.fault import (
    BOUNCED_BY_DEFAULT,
    BrokerFault,
    FaultKind,
    GatewayFault,
    LinkFault,
    PlacedToxic,
    ProcessFault,
)
from checkout_sim.model.plan import Inject, Lift
from checkout_sim.model.seen import Done

_CONTROLS = "/_control/faults"


class Processes(Protocol):
    """What is needed of a supervisor."""

    async def kill(self, name: str, instance: int = 1) -> None:
        """SIGKILL; returns when the kernel has reaped it."""
        ...

    async def pause(self, name: str, instance: int = 1) -> None:
        """SIGSTOP; returns when the kernel shows it stopped."""
        ...

    async def resume(self, name: str, instance: int = 1) -> None:
        """SIGCONT; a process that is not paused is left alone."""
        ...

    async def start_again(self, name: str, instance: int = 1) -> None:
        """Start a dead process on its port; one that lives is left alone."""
        ...

    async def restart(self, name: str, instance: int = 1) -> None:
        """SIGTERM, then start again."""
        ...


class Broker(Protocol):
    """What is needed of a broker."""

    async def meddle(self, step: Inject, kind: BrokerFault) -> Done:
        """Do something to its messages; returns when it is confirmed. Raises FaultNotApplied."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """A window in force: where it really took hold."""

    target: str
    kind: FaultKind
    toxics: tuple[PlacedToxic, ...] = ()


class Injector:
    """Faults of one run; `links` are the names that carry this strategy's checkouts."""

    def __init__(
        self,
        *,
        toxiproxy: Toxiproxy,
        processes: Processes,
        gateway: httpx.AsyncClient,
        links: tuple[str, ...],
        instances: tuple[tuple[str, int], ...],
        broker: Broker | None = None,
    ) -> None:
        self._toxiproxy = toxiproxy
        self._processes = processes
        self._gateway = gateway
        self._links = links
        self._instances = instances
        self._broker = broker
        self._in_force: dict[tuple[str, int], InForce] = {}

    async def inject(self, step: Inject, *, checkouts_open: bool) -> Done:
        """Inject one window and read it back. Raises FaultNotApplied."""
        match step.kind:
            case LinkFault() as kind:
                return await self._break_link(step, kind, checkouts_open=checkouts_open)
            case ProcessFault() as kind:
                return await self._break_process(step, kind)
            case GatewayFault() as kind:
                return await self._arm_control(step, kind)
            case BrokerFault() as kind:
                if self._broker is None:
                    raise FaultNotApplied(f"fault {step.fault}: this strategy has no broker")
                return await self._broker.meddle(step, kind)
            case _ as unreachable:
                assert_never(unreachable)

    async def lift(self, step: Lift) -> Done | None:
        """Undo one window; None when it never took hold or is undone already."""
        window = self._in_force.pop((step.fault, step.window), None)
        if window is None:
            return None
        match window.kind:
            case LinkFault(down=True):
                await self._toxiproxy.up(window.target)
                return Done(target=window.target, data={"how": "up"})
            case LinkFault(lift=how):
                await self._toxiproxy.remove(window.target, window.toxics, how=how)
                return Done(target=window.target, data={"how": how})
            case ProcessFault() as kind:
                return await self._mend_process(window.target, kind)
            case GatewayFault():
                await self._withdraw(step.fault)
                return Done(target=window.target, data={"how": "withdrawn"})
            case BrokerFault():
                return None  # a message, once it is there, is nobody's to take back
            case _ as unreachable:
                assert_never(unreachable)

    async def calm(self) -> None:
        """Undo everything, whatever was remembered; what fails keeps nothing else from it.

        Raises FaultNotApplied naming all that is left.
        """
        self._in_force.clear()
        left: list[str] = []
        for undoing in self._undoing():
            try:
                await undoing
            except FaultNotApplied as failed:
                left.append(str(failed))
        if left:
            raise FaultNotApplied("; ".join(left))

    def _undoing(self) -> Iterator[Awaitable[None]]:
        """Yield each thing to be undone, made only when the one before it has ended."""
        yield self._toxiproxy.heal()
        for name, instance in self._instances:
            yield self._processes.resume(name, instance)
            yield self._processes.start_again(name, instance)
        yield self._withdraw(None)

    async def _break_link(self, step: Inject, kind: LinkFault, *, checkouts_open: bool) -> Done:
        target = self._choose(step.fault, kind.links, self._links, "link")
        bounce = False
        applied: Applied
        if kind.down:
            applied = await self._toxiproxy.down(target)
        else:
            by_type = any(toxic.type in BOUNCED_BY_DEFAULT for toxic in kind.toxics)
            bounce = by_type and not checkouts_open if kind.bounce is None else kind.bounce
            applied = await self._toxiproxy.add(target, kind.toxics, bounce=bounce)
        self._in_force[step.fault, step.window] = InForce(
            target=target, kind=kind, toxics=kind.toxics
        )
        read_back = [_as_data(toxic) for toxic in applied.state.toxics]
        type_ = "down" if kind.down else kind.toxics[0].type
        data = {"type": type_, "toxics": read_back, "bounce": bounce}
        return Done(target=target, data={**data, "armed_ms": round(applied.armed_ms, 3)})

    async def _break_process(self, step: Inject, kind: ProcessFault) -> Done:
        present = tuple(name for name, _ in self._instances)
        target = self._choose(step.fault, kind.processes, present, "process")
        match kind.do:
            case "kill":
                await self._processes.kill(target, kind.instance)
            case "pause":
                await self._processes.pause(target, kind.instance)
            case "restart":
                await self._processes.restart(target, kind.instance)
            case _ as unreachable:
                assert_never(unreachable)
        self._in_force[step.fault, step.window] = InForce(target=target, kind=kind)
        return Done(target=target, data={"type": kind.do, "instance": kind.instance})

    async def _mend_process(self, target: str, kind: ProcessFault) -> Done:
        match kind.do:
            case "kill":
                await self._processes.start_again(target, kind.instance)
                return Done(target=target, data={"how": "started"})
            case "pause":
                await self._processes.resume(target, kind.instance)
                return Done(target=target, data={"how": "resumed"})
            case "restart":
                return Done(target=target, data={"how": "restarted"})
            case _ as unreachable:
                assert_never(unreachable)

    async def _arm_control(self, step: Inject, kind: GatewayFault) -> Done:
        body: dict[str, Any] = {
            "name": kind.control,
            "label": step.fault,
            "nth": kind.nth,
            "times": kind.times,
            "parameters": dict(kind.parameters),
        }
        if kind.operation is not None:
            body["operation"] = kind.operation
        if kind.checkout is not None:
            body["user"] = f"shopper-{kind.checkout}"
        try:
            answer = await self._gateway.post(_CONTROLS, json=body)
        except httpx.HTTPError as failure:
            message = f"fault {step.fault}: the gateway's {_CONTROLS} did not answer: {failure!r}"
            raise FaultNotApplied(message) from failure
        if answer.status_code != httpx.codes.CREATED:
            message = (
                f"fault {step.fault}: the gateway answered {answer.status_code} to {body}, "
                f"expected 201: {answer.text[:200]}"
            )
            raise FaultNotApplied(message)
        self._in_force[step.fault, step.window] = InForce(target=kind.control, kind=kind)
        return Done(target=kind.control, data={"type": kind.control, "bounce": False})

    async def _withdraw(self, label: str | None) -> None:
        path = _CONTROLS if label is None else f"{_CONTROLS}/{label}"
        try:
            await self._gateway.delete(path)
        except httpx.HTTPError as failure:
            message = f"the gateway's {path} did not answer DELETE: {failure!r}"
            raise FaultNotApplied(message) from failure

    def _choose(
        self, fault: str, alternatives: tuple[str, ...], present: tuple[str, ...], what: str
    ) -> str:
        for name in present:
            if name in alternatives:
                return name
        message = (
            f"fault {fault}: none of {', '.join(alternatives)} is a {what} of this strategy; "
            f"it has {', '.join(present)}"
        )
        raise FaultNotApplied(message)


def _as_data(toxic: PlacedToxic) -> Mapping[str, Any]:
    return {**asdict(toxic), "attributes": dict(toxic.attributes)}
