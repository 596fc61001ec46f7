"""The faults an operator wants, followed from wanted over armed to lifted.

Takes commands and observations, gives steps for the run. Windows are kept here, not in the plan's
moments, so that lifting can end one that still waits for its event. Whoever does not hear of an
injection or a lifting within `STUCK_AFTER_S` is told that the engine is stuck.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from checkout_sim.engine.asking import Asking
from checkout_sim.engine.holding import hold_for
from checkout_sim.model.command import ForTime, OnNextEvent, UntilEvent, UntilLifted, Window
from checkout_sim.model.fault import FaultKind, LinkFault, ProcessFault
from checkout_sim.model.history import Observation
from checkout_sim.model.plan import Inject as InjectStep
from checkout_sim.model.plan import Lift

STUCK_AFTER_S = 6.0  # the proxy's API may take 2 s a call, and a change is read back

Standing = Literal["waiting", "arming", "in_force", "lifting"]


class Host(Protocol):
    """What happens with what is decided here."""

    def submit(self, action: InjectStep | Lift) -> None:
        """Carry this out now."""
        ...

    def stuck(self, message: str, asking: Asking | None) -> None:
        """Tell who asked that it cannot be done."""
        ...

    def changed(self) -> None:
        """Tell everybody that the faults in force are others now."""
        ...


@dataclass(slots=True, kw_only=True)
class Wanted:
    """One fault somebody wants; `window` counts its injections under this name."""

    name: str
    kind: FaultKind
    window: int
    until: Window
    title: str
    asking: Asking | None = None
    standing: Standing = "arming"
    held: bool = False
    then: FaultKind | None = None  # what takes its place once it is lifted
    timers: list[asyncio.TimerHandle] = field(default_factory=list)


class FaultsInForce:
    """All faults of one session, by name.

    `none_left` is set while nothing is wanted and nothing is still being lifted.
    """

    def __init__(self, host: Host, *, time_scale: float = 1.0) -> None:
        self._host = host
        self._time_scale = time_scale
        self._wanted: dict[str, Wanted] = {}
        self._windows: dict[str, int] = {}
        self._ever: set[str] = set()
        self.none_left = asyncio.Event()
        self.none_left.set()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names wanted now, the oldest first; holds stand behind what they hold for."""
        return tuple(name for name, one in self._wanted.items() if one.standing != "lifting")

    @property
    def toxics_ever(self) -> frozenset[str]:
        """Return the name of every toxic that was ever asked for: others are foreign."""
        return frozenset(self._ever)

    @property
    def toxics_now(self) -> frozenset[str]:
        """Return the name of every toxic that may be on a link now because somebody wants it."""
        return frozenset(
            toxic.name
            for wanted in self._wanted.values()
            if isinstance(wanted.kind, LinkFault)
            for toxic in wanted.kind.toxics
        )

    def get(self, name: str) -> Wanted | None:
        """Return the fault of that name, if it is wanted."""
        found = self._wanted.get(name)
        return None if found is None or found.standing == "lifting" else found

    def inject(
        self,
        name: str,
        kind: FaultKind,
        *,
        until: Window | None = None,
        title: str = "",
        asking: Asking | None = None,
    ) -> None:
        """Make a fault real, or wait for its event first. The name must be free."""
        wanted = Wanted(
            name=name,
            kind=_named(name, kind),
            window=self._next_window(name),
            until=until or UntilLifted(),
            title=title or name,
            asking=asking,
        )
        self._wanted[name] = wanted
        self.none_left.clear()
        if isinstance(until, OnNextEvent):
            wanted.standing = "waiting"
            if isinstance(wanted.kind, LinkFault):
                wanted.held = True
                hold = hold_name(name)
                held = hold_for(hold, wanted.kind, time_scale=self._time_scale)
                self.inject(hold, held, title=f"hold for {name}")
        else:
            self._arm(wanted)
        self._host.changed()

    def lift(
        self, name: str, *, asking: Asking | None = None, then: FaultKind | None = None
    ) -> None:
        """Undo a fault, whatever it has come to; `then` takes its place."""
        wanted = self._wanted[name]
        wanted.then = then
        self._cancel_timers(wanted)
        if wanted.standing == "waiting":
            self._gone(wanted)
        else:
            wanted.standing, wanted.asking = "lifting", asking or wanted.asking
            self._host.submit(Lift(fault=name, window=wanted.window))
            self._watch(wanted, "lifted")
        self._host.changed()

    def observe(self, seen: Observation) -> None:
        """Follow one observation: what was applied, and the events that windows wait for."""
        if seen.kind.startswith("fault."):
            self._applied(seen)
        elif seen.kind == "phase.entered" and seen.data.get("phase") in ("calm", "settle"):
            self.forget()
        else:
            for wanted in self._awaiting(seen.kind):
                if wanted.standing == "waiting":
                    self._arm(wanted)
                else:
                    self.lift(wanted.name)

    def forget(self) -> None:
        """Stop following: the run has lifted everything itself, or is ending."""
        for wanted in self._wanted.values():
            self._cancel_timers(wanted)
        self._wanted.clear()
        self.none_left.set()
        self._host.changed()

    def _applied(self, seen: Observation) -> None:
        wanted = self._wanted.get(seen.fault or "")
        if wanted is None or wanted.window != seen.data.get("window"):
            return
        if seen.kind == "fault.injected" and wanted.standing == "arming":
            self._in_force(wanted)
        elif seen.kind == "fault.lifted":
            self._gone(wanted)
        elif seen.kind == "fault.failed":
            message = str(seen.data.get("message"))
            failed_to_arm = wanted.standing == "arming"
            self._cancel_timers(wanted)
            wanted.standing = "in_force"  # what could not be lifted is still there
            if failed_to_arm:
                self._gone(wanted)
            self._host.stuck(message, wanted.asking)
        self._host.changed()

    def _in_force(self, wanted: Wanted) -> None:
        self._cancel_timers(wanted)
        wanted.standing = "in_force"
        if wanted.held:
            self._release(wanted)
        if isinstance(wanted.kind, ProcessFault) and wanted.kind.do == "restart":
            self._gone(wanted)  # it is started again already: nothing is left to be undone
        elif isinstance(wanted.until, ForTime):
            loop = asyncio.get_running_loop()
            wanted.timers.append(loop.call_later(wanted.until.ms / 1000, self._time_is_up, wanted))

    def _time_is_up(self, wanted: Wanted) -> None:
        if self._wanted.get(wanted.name) is wanted and wanted.standing == "in_force":
            self.lift(wanted.name)

    def _awaiting(self, event: str) -> Iterator[Wanted]:
        for wanted in list(self._wanted.values()):
            match wanted.until:
                case OnNextEvent(event=awaited) if awaited == event:
                    if wanted.standing == "waiting":
                        yield wanted
                case UntilEvent(event=awaited) if awaited == event:
                    if wanted.standing in ("arming", "in_force"):
                        yield wanted
                case _:
                    pass

    def _arm(self, wanted: Wanted) -> None:
        wanted.standing = "arming"
        if isinstance(wanted.kind, LinkFault):
            self._ever |= {toxic.name for toxic in wanted.kind.toxics}
        self._host.submit(InjectStep(fault=wanted.name, window=wanted.window, kind=wanted.kind))
        self._watch(wanted, "armed")

    def _release(self, wanted: Wanted) -> None:
        wanted.held = False
        hold = self.get(hold_name(wanted.name))
        if hold is not None:
            self.lift(hold.name)

    def _gone(self, wanted: Wanted) -> None:
        self._cancel_timers(wanted)
        if self._wanted.get(wanted.name) is wanted:
            del self._wanted[wanted.name]
            if not self._wanted:
                self.none_left.set()
        if wanted.held:
            self._release(wanted)
        if wanted.then is not None:
            self.inject(wanted.name, wanted.then, title=wanted.title, asking=wanted.asking)

    def _watch(self, wanted: Wanted, what: str) -> None:
        loop = asyncio.get_running_loop()
        wanted.timers.append(loop.call_later(STUCK_AFTER_S, self._late, wanted, what))

    def _late(self, wanted: Wanted, what: str) -> None:
        message = f"{wanted.name} was not {what} within {STUCK_AFTER_S:.0f} s"
        self._host.stuck(message, wanted.asking)

    def _cancel_timers(self, wanted: Wanted) -> None:
        for timer in wanted.timers:
            timer.cancel()
        wanted.timers.clear()

    def _next_window(self, name: str) -> int:
        self._windows[name] = self._windows.get(name, 0) + 1
        return self._windows[name]


def hold_name(name: str) -> str:
    """Return what the hold of a fault that waits for its event is called."""
    return f"{name}_hold"


def _named(name: str, kind: FaultKind) -> FaultKind:
    """Return the fault with toxics named after it: two faults on one link must not collide."""
    if not isinstance(kind, LinkFault):
        return kind
    one = len(kind.toxics) == 1
    toxics = tuple(
        replace(toxic, name=name if one else f"{name}_{toxic.stream}") for toxic in kind.toxics
    )
    return replace(kind, toxics=toxics)
