"""What an operator does to the world: faults, processes, undo, heal.

Takes commands that were not refused; gives steps, through the faults in force, and one
`operator.asked` for everything done. What Undo does is said as the command it comes to.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, assert_never

from checkout_sim.engine.asking import Asking
from checkout_sim.engine.faults_in_force import FaultsInForce
from checkout_sim.engine.refusing import Reach, Refusal, refuse_fault, refuse_links, refuse_process
from checkout_sim.engine.undoing import Deed, Done, UndoList
from checkout_sim.model.command import (
    Adjust,
    Command,
    Inject,
    Kill,
    LiftAll,
    LiftFault,
    Pause,
    Redo,
    Restart,
    Resume,
    Start,
    Undo,
)
from checkout_sim.model.errors import CheckoutSimError
from checkout_sim.model.fault import GatewayFault, LinkFault, ProcessFault
from checkout_sim.model.history import Observation

Operation = (
    Inject | Adjust | LiftFault | LiftAll | Undo | Redo | Kill | Pause | Resume | Start | Restart
)
_HEAL_LIMIT_S = 8.0


class World(Protocol):
    """What is needed of a session."""

    def say(self, command: Command, by: str) -> int:
        """Record that this was asked; return the observation's id."""
        ...

    async def start_process(self, process: str, instance: int) -> None:
        """Start what ended by itself. Raises CheckoutSimError."""
        ...

    async def heal(self, *, foreign: bool) -> None:
        """Undo whatever is left to undo, and record that. Raises CheckoutSimError."""
        ...


@dataclass(slots=True, kw_only=True)
class Processes:
    """Which processes are down or paused, by what was observed of them."""

    down: set[tuple[str, int]]
    paused: set[tuple[str, int]]

    def observe(self, seen: Observation) -> None:
        """Follow one observation."""
        if not seen.kind.startswith("process."):
            return
        who = (str(seen.data.get("process")), int(seen.data.get("instance", 1)))
        match seen.kind:
            case "process.killed" | "process.exited":
                self.down.add(who)
                self.paused.discard(who)
            case "process.started":
                self.down.discard(who)
            case "process.paused":
                self.paused.add(who)
            case "process.resumed":
                self.paused.discard(who)
            case _:
                pass


class Operating:
    """One session's controls."""

    def __init__(
        self,
        *,
        world: World,
        reach: Reach,
        faults: FaultsInForce,
        stuck: Callable[[str, Asking | None], None],
    ) -> None:
        self.undo_list = UndoList()
        self.processes = Processes(down=set(), paused=set())
        self._world = world
        self._reach = reach
        self._faults = faults
        self._stuck = stuck
        self._healing: asyncio.Task[None] | None = None
        self._starting: set[asyncio.Task[None]] = set()

    def operate(self, asking: Asking, operation: Operation) -> None:
        """Do what was asked, or raise Refusal with nothing changed."""
        if self._healing is not None and not isinstance(operation, LiftAll):
            raise Refusal("wrong_phase", "everything is being healed", "ask again in a moment")
        match operation:
            case LiftAll():
                self._lift_all(asking, operation)
            case Undo():
                self._step_back(asking)
            case Redo():
                self._step_forward(asking)
            case Restart(process=process, instance=instance):
                self._restart(asking, operation, process, instance)
            case _:
                done = self._done(operation)
                first_id = self._do(asking, operation)
                if done is not None:
                    self.undo_list.did(done)
                asking.taken(first_id=first_id, message=_said(operation))

    def possible(self, deed: Deed) -> bool:
        """Return whether this could be done now."""
        match deed:
            case Inject(name=name):
                return self._faults.get(name) is None
            case Adjust(name=name) | LiftFault(name=name):
                return self._faults.get(name) is not None
            case Kill() | Pause():
                who = (deed.process, deed.instance)
                return who not in self.processes.down and who not in self.processes.paused
            case Start():
                return (deed.process, deed.instance) in self.processes.down
            case Resume():
                return (deed.process, deed.instance) in self.processes.paused
            case _ as unreachable:
                assert_never(unreachable)

    async def close(self) -> None:
        """Stop what is still going on here."""
        tasks = [*self._starting, *([] if self._healing is None else [self._healing])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- one deed

    def _do(self, asking: Asking, deed: Deed) -> int:
        """Carry out one deed and return the id of its `operator.asked`. Raises Refusal."""
        match deed:
            case Inject(name=name, kind=kind, window=window, title=title):
                refuse_fault(deed, self._reach, in_force=self._faults.names)
                first_id = self._world.say(deed, asking.by)
                self._faults.inject(name, kind, until=window, title=title, asking=asking)
            case Adjust(name=name, kind=kind):
                self._known(name)
                if isinstance(kind, LinkFault):
                    refuse_links(kind.links, self._reach)
                first_id = self._world.say(deed, asking.by)
                self._faults.lift(name, asking=asking, then=kind)
            case LiftFault(name=name):
                self._known(name)
                first_id = self._world.say(deed, asking.by)
                self._faults.lift(name, asking=asking)
            case Kill() | Pause():
                first_id = self._break(asking, deed)
            case Start() | Resume():
                first_id = self._mend(asking, deed)
            case _ as unreachable:
                assert_never(unreachable)
        return first_id

    def _break(self, asking: Asking, deed: Kill | Pause) -> int:
        refuse_process(deed.process, deed.instance, self._reach)
        if not self.possible(deed):
            raise Refusal(
                "invalid",
                f"{deed.process} {deed.instance} does not run now",
                "start or resume it first",
            )
        first_id = self._world.say(deed, asking.by)
        kind = ProcessFault(
            processes=(deed.process,),  # type: ignore[arg-type]  # `refuse_process` has checked it
            do="kill" if isinstance(deed, Kill) else "pause",
            instance=deed.instance,
        )
        name = _name_of(kind.do, deed.process, deed.instance)
        self._faults.inject(name, kind, title=_said(deed), asking=asking)
        return first_id

    def _mend(self, asking: Asking, deed: Start | Resume) -> int:
        refuse_process(deed.process, deed.instance, self._reach)
        if not self.possible(deed):
            word = "down" if isinstance(deed, Start) else "paused"
            raise Refusal("invalid", f"{deed.process} {deed.instance} is not {word}")
        first_id = self._world.say(deed, asking.by)
        do = "kill" if isinstance(deed, Start) else "pause"
        name = _name_of(do, deed.process, deed.instance)
        if self._faults.get(name) is not None:
            self._faults.lift(name, asking=asking)
        else:  # nobody here killed it
            starting = asyncio.create_task(self._start(asking, deed.process, deed.instance))
            self._starting.add(starting)
            starting.add_done_callback(self._starting.discard)
        return first_id

    async def _start(self, asking: Asking, process: str, instance: int) -> None:
        try:
            await self._world.start_process(process, instance)
        except CheckoutSimError as failed:
            self._stuck(str(failed), asking)

    def _restart(self, asking: Asking, restart: Restart, process: str, instance: int) -> None:
        refuse_process(process, instance, self._reach)
        if (process, instance) in self.processes.down:
            raise Refusal("invalid", f"{process} {instance} does not run now", "start it")
        name = _name_of("restart", process, instance)
        if self._faults.get(name) is not None:
            raise Refusal("invalid", f"{process} {instance} is being restarted already")
        first_id = self._world.say(restart, asking.by)
        kind = ProcessFault(
            processes=(process,),  # type: ignore[arg-type]  # `refuse_process` has checked it
            do="restart",
            instance=instance,
        )
        self._faults.inject(name, kind, title=f"restart {process}", asking=asking)
        asking.taken(first_id=first_id, message=f"restart {process}")

    def _known(self, name: str) -> None:
        if self._faults.get(name) is None:
            wanted = ", ".join(self._faults.names) or "none"
            raise Refusal("unknown_target", f"no fault {name} is in force", f"in force: {wanted}")

    # -- undo

    def _done(self, deed: Deed) -> Done | None:
        """Return what would revert a deed, if anything would; asked before it is done."""
        back: Deed | None = None
        match deed:
            case Inject(name=name):
                back = LiftFault(name=name)
            case Adjust(name=name):
                before = self._as_inject(name)
                back = None if before is None else Adjust(name=name, kind=before.kind)
            case LiftFault(name=name):
                back = self._as_inject(name)
            case Kill(process=process, instance=instance):
                back = Start(process=process, instance=instance)
            case Pause(process=process, instance=instance):
                back = Resume(process=process, instance=instance)
            case Resume(process=process, instance=instance):
                back = Pause(process=process, instance=instance)
            case Start():
                pass
            case _ as unreachable:
                assert_never(unreachable)
        return None if back is None else Done(title=_said(deed), undo=(back,), redo=(deed,))

    def _as_inject(self, name: str) -> Inject | None:
        wanted = self._faults.get(name)
        if wanted is None or not isinstance(wanted.kind, LinkFault | GatewayFault):
            return None
        return Inject(name=name, kind=wanted.kind, title=wanted.title)

    def _step_back(self, asking: Asking) -> None:
        done = self.undo_list.undo(self.possible)
        if done is None:
            raise Refusal("invalid", "there is nothing to undo")
        self._do_all(asking, done.undo, f"undone: {done.title}")

    def _step_forward(self, asking: Asking) -> None:
        done = self.undo_list.redo(self.possible)
        if done is None:
            raise Refusal("invalid", "there is nothing to do again")
        self._do_all(asking, done.redo, f"done again: {done.title}")

    def _do_all(self, asking: Asking, deeds: tuple[Deed, ...], message: str) -> None:
        ids = [self._do(asking, deed) for deed in deeds if self.possible(deed)]
        asking.taken(first_id=ids[0] if ids else 0, message=message)

    # -- heal

    def _lift_all(self, asking: Asking, lift_all: LiftAll) -> None:
        first_id = self._world.say(lift_all, asking.by)
        undo: list[Deed] = []
        redo: list[Deed] = []
        for name in self._faults.names:
            wanted = self._faults.get(name)
            if wanted is None or name.endswith("_hold"):
                continue
            again = self._as_inject(name)
            if again is not None:
                undo.append(again)
                redo.append(LiftFault(name=name))
        for process, instance in sorted(self.processes.paused):
            undo.append(Pause(process=process, instance=instance))
            redo.append(Resume(process=process, instance=instance))
        if undo:
            done = Done(title="heal all", undo=tuple(undo), redo=tuple(redo))
            self.undo_list.did(done)
        for name in self._faults.names:
            if self._faults.get(name) is not None:
                self._faults.lift(name, asking=asking)
        asking.taken(first_id=first_id, message="heal all")
        if self._healing is None:
            self._healing = asyncio.create_task(self._heal(asking, foreign=lift_all.foreign))

    async def _heal(self, asking: Asking, *, foreign: bool) -> None:
        """Once each fault has been lifted by name, undo whatever else there may be."""
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._faults.none_left.wait(), timeout=_HEAL_LIMIT_S)
            await self._world.heal(foreign=foreign)
            self._faults.forget()
        except CheckoutSimError as failed:
            self._stuck(str(failed), asking)
        finally:
            self._healing = None


def _name_of(do: str, process: str, instance: int) -> str:
    return f"{do}_{process}" if instance == 1 else f"{do}_{process}_{instance}"


def _said(deed: Deed) -> str:
    """Return what people call a deed."""
    match deed:
        case Inject(name=name, title=title, kind=kind):
            where = f" on {kind.links[0]}" if isinstance(kind, LinkFault) else ""
            return f"{title or name}{where}"
        case Adjust(name=name):
            return f"adjust {name}"
        case LiftFault(name=name):
            return f"lift {name}"
        case Kill() | Pause() | Resume() | Start():
            return f"{type(deed).__name__.lower()} {deed.process}"
        case _ as unreachable:
            assert_never(unreachable)
