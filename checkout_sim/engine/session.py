"""A live session: one run whose steps are an operator's commands.

Takes commands; gives steps to the run that `simulation` drives through storm, calm, settle, read
and judge, as it drives a plan. So a session leaves the same archive as a scenario, is judged by the
same judge, and cannot end with a fault in force.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from checkout_sim.engine.asking import Asking
from checkout_sim.engine.broadcast import Broadcast
from checkout_sim.engine.buying import Buying, Till
from checkout_sim.engine.faults_in_force import FaultsInForce
from checkout_sim.engine.foreign import ForeignToxics
from checkout_sim.engine.live_judging import LiveJudging
from checkout_sim.engine.operating import Operating, Operation
from checkout_sim.engine.quiet_checkouts import quiet_ms
from checkout_sim.engine.refusing import Reach, Refusal, refuse_load
from checkout_sim.model.answer import Judged, Stretch
from checkout_sim.model.claims import CORE
from checkout_sim.model.command import Buy, Command, Note, Record, StopBuying
from checkout_sim.model.fault import PlacedToxic
from checkout_sim.model.history import Observation
from checkout_sim.model.plan import Checkout, Inject, Lift, Plan, Shopper, Step
from checkout_sim.model.scenario import AtTime, Scenario, Settle, StackSpec
from checkout_sim.model.wire import links_of
from checkout_sim.planning.expand import STALLED_FOR_MS
from checkout_sim.runner.pace import Pace
from checkout_sim.runner.recording import Recording
from checkout_sim.simulation.single import Planned
from checkout_sim.simulation.world import LiveWorld
from checkout_sim.stack.servers import needed
from checkout_sim.stack.topology import instances
from checkout_sim.stream.lines import plain_of

NAME = "session"
_AT_ONCE = AtTime(ms=0)
Asked = Operation | Buy | StopBuying | Note | Record


class Desk(Protocol):
    """Who tells people about a session."""

    def changed(self) -> None:
        """Tell where the engine is, if that is news."""
        ...

    def trouble(self, message: str) -> None:
        """Show everybody what went wrong."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Up:
    """What a session has while its stack is up."""

    live: LiveWorld
    recording: Recording
    operating: Operating
    foreign: ForeignToxics


class Session:
    """One live session; attends its own run. `end` lets it come to its verdict."""

    pace: Pace | None = None  # an operator's commands are carried out as they come

    def __init__(
        self,
        *,
        strategy: str,
        spec: StackSpec,
        all_links: Sequence[str],
        broadcast: Broadcast,
        desk: Desk,
    ) -> None:
        self.phase = "starting"
        self.recording = False
        self.touched = False
        self.folder = Path()
        self._strategy = strategy
        self._spec = spec
        self._reach = Reach(
            strategy=strategy,
            links=links_of(strategy, spec.database),
            all_links=all_links,
            processes=(
                *instances(strategy, spec),
                *((name, 1) for name in needed(strategy, spec)),
            ),
        )
        self._broadcast = broadcast
        self._desk = desk
        self._steps: asyncio.Queue[Checkout | Inject | Lift | None] = asyncio.Queue()
        self._faults = FaultsInForce(self, time_scale=spec.time_scale)
        self._buying = Buying(
            Till(fill_cart=self._fill_cart, send=self._send, failed=self._no_cart)
        )
        self._judging: LiveJudging | None = None
        self._up: _Up | None = None
        self._ended_ever = 0

    # -- what the desk asks

    @property
    def planned(self) -> Planned:
        """Return the run to be made: no steps of its own, nothing expected."""
        return planned_session(self._strategy, self._spec)

    @property
    def faults(self) -> tuple[str, ...]:
        """Return the names of the faults wanted now."""
        return self._faults.names

    @property
    def ever(self) -> int:
        """Return how many checkouts stood violated at some time."""
        return self._ended_ever

    def undo_titles(self) -> tuple[str, str]:
        """Return what Undo would revert and Redo do again."""
        if self._up is None:
            return "", ""
        operating = self._up.operating
        undo = operating.undo_list.next_undo(operating.possible)
        return undo, operating.undo_list.next_redo(operating.possible)

    def do(self, asking: Asking, asked: Asked) -> None:
        """Carry out a command. Raises Refusal with nothing changed."""
        up = self._up
        if up is None or self.phase != "storm":
            raise Refusal(
                "wrong_phase",
                f"the session is in the phase {self.phase}; commands are taken in the storm",
                "wait for the next session",
            )
        self.touched = True
        match asked:
            case Buy():
                refuse_load(
                    count=asked.count,
                    rate_per_s=asked.rate_per_s,
                    card=asked.card,
                    patience_ms=asked.patience_ms,
                )
                if not asked.lines and not asked.drawn_cart:
                    raise Refusal("invalid", "the cart is empty", "add a line")
                first_id = self.say(asked, asking.by)
                self._buying.begin(asked, asking)
                asking.taken(first_id=first_id)
            case StopBuying():
                first_id = self.say(asked, asking.by)
                self._buying.stop()
                asking.taken(first_id=first_id)
            case Note(text=text):
                noted = up.recording("runner", "operator.noted", data=_note(text, "", asking.by))
                asking.taken(first_id=noted.id)
            case Record(mark=mark):
                noted = up.recording("runner", "operator.noted", data=_note("", mark, asking.by))
                self.recording = mark == "begin"
                asking.taken(first_id=noted.id)
            case _:
                up.operating.operate(asking, asked)
        self._desk.changed()

    async def end(self) -> None:
        """Take no more commands: what is under way finishes, then calm, and the verdict."""
        await self._buying.stopped()
        self._steps.put_nowait(None)

    # -- what the run asks

    def begun(self, folder: Path, flush: Callable[[], None]) -> None:
        """Go on the air."""
        self.folder = folder
        stretch = Stretch(
            run_id=folder.name,
            folder=str(folder),
            scenario="",
            strategy=self._strategy,
            live=True,
        )
        self._broadcast.begin(stretch, folder=folder, flush=flush)

    def observe(self, seen: Observation) -> None:
        """Tell and follow one observation."""
        self._broadcast.observe(seen)
        if seen.kind == "phase.entered" and seen.data["phase"] != "start":
            self.phase = str(seen.data["phase"])
            self._desk.changed()
        self._faults.observe(seen)
        if self._up is not None:
            self._up.operating.processes.observe(seen)
        if self._judging is not None:
            self._judging.observe(seen)

    def checkout_ended(self, checkout: int) -> None:
        """Hear that a purchase has ended."""
        self._buying.ended(checkout)

    async def steps(
        self,
        plan: Plan,
        live: LiveWorld,
        recording: Recording,
    ) -> AsyncIterator[Step]:
        """Yield what operators ask for, until `end`."""
        async with AsyncExitStack() as closing:
            await self._open(live, recording, closing, time_scale=plan.stack.time_scale)
            number = 0
            while (action := await self._steps.get()) is not None:
                number += 1
                yield Step(number=number, when=_AT_ONCE, action=action)

    async def _open(
        self,
        live: LiveWorld,
        recording: Recording,
        closing: AsyncExitStack,
        *,
        time_scale: float,
    ) -> None:
        foreign = ForeignToxics(
            live.proxy_server.server.url,
            self._reach.links,
            ours=lambda: self._faults.toxics_ever,
            wanted=lambda: self._faults.toxics_now,
            found=self._found_foreign,
        )
        closing.push_async_callback(foreign.close)
        operating = Operating(world=self, reach=self._reach, faults=self._faults, stuck=self.stuck)
        closing.push_async_callback(operating.close)
        self._up = _Up(live=live, recording=recording, operating=operating, foreign=foreign)
        began_ms = live.world.clock.now_ms() - recording.now_ms()
        self._judging = LiveJudging(
            run_id=self.folder.name,
            quiet_ms=quiet_ms(self._strategy, time_scale=time_scale),
            now_ms=lambda: live.world.clock.now_ms() - began_ms,
            tell=self._judged_so_far,
        )
        tasks = [
            asyncio.create_task(foreign.go_on()),
            asyncio.create_task(self._judging.go_on(live.world.ledgers)),
        ]
        closing.push_async_callback(_ended, tasks)

    # -- what the parts ask

    def submit(self, action: Checkout | Inject | Lift) -> None:
        """Have the run carry this out now."""
        self._steps.put_nowait(action)

    def stuck(self, message: str, asking: Asking | None) -> None:
        """Tell who asked, and everybody, that the proxy server or a process does not obey."""
        if asking is not None:
            hint = (
                "heal everything; if it stays, ask for the verdict: the next stack is a fresh one"
            )
            asking.failed("engine_stuck", message, hint)
        self._desk.trouble(message)

    def changed(self) -> None:
        """Tell everybody which faults are wanted now."""
        self._desk.changed()

    def say(self, command: Command, by: str) -> int:
        """Record that this was asked; return the observation's id."""
        assert self._up is not None, "commands are taken only while the stack is up"
        data = {"command": plain_of(command), "by": by}
        return self._up.recording("runner", "operator.asked", data=data).id

    async def start_process(self, process: str, instance: int) -> None:
        """Start what ended by itself."""
        if self._up is not None:
            await self._up.live.supervisor.start_again(process, instance)

    async def heal(self, *, foreign: bool) -> None:
        """Undo whatever is left to undo, and record that it is done."""
        if self._up is None:
            return
        await self._up.live.world.faults.calm()
        if foreign:
            await self._up.foreign.remove()
        self._up.recording("runner", "operator.healed", data={"foreign": foreign})

    async def _fill_cart(self, shopper: Shopper) -> None:
        assert self._up is not None, "shoppers come while the stack is up"
        await self._up.live.world.shop.fill_cart(shopper)

    def _send(self, shopper: Shopper) -> None:
        assert self._up is not None, "shoppers come while the stack is up"
        data = {
            "cart": [plain_of(line) for line in shopper.cart],
            "card": shopper.card,
            "patience_ms": shopper.patience_ms,
            "behaviour": plain_of(shopper.behaviour),
        }
        self._up.recording("runner", "operator.shopper", checkout=shopper.checkout, data=data)
        self.submit(Checkout(shopper=shopper))

    def _no_cart(self, asking: Asking, message: str) -> None:
        asking.failed(
            "engine_stuck",
            message,
            "the cart is filled at the order service itself: start or resume it, heal its database",
        )
        self._desk.trouble(message)

    def _found_foreign(self, link: str, toxic: PlacedToxic) -> None:
        if self._up is not None and self.phase == "storm":
            data = {"link": link, "toxic": plain_of(toxic)}
            self._up.recording("runner", "fault.foreign", data=data)

    def _judged_so_far(self, judged: Judged) -> None:
        self._ended_ever = judged.ever
        self._broadcast.judged(judged)


def planned_session(strategy: str, spec: StackSpec) -> Planned:
    """Return a run without steps or expectations: what a session is before anybody acts."""
    plan = Plan(
        scenario=NAME,
        scenario_path="",
        scenario_digest="",
        seed=1,
        concurrency=None,
        checkouts=0,
        steps=(),
        faults=(),
        proof=(),
        stack=spec,
        settle=Settle(stalled_for_ms=round(STALLED_FOR_MS * spec.time_scale)),
        invariants=CORE,
    )
    scenario = Scenario(
        name=NAME, why="A live session.", path="", digest="", invariants=CORE, expect={}
    )
    return Planned(plan=plan, scenario=scenario, strategy=strategy)


def _note(text: str, mark: str, by: str) -> dict[str, str]:
    return {"text": text, "mark": mark or "none", "by": by}


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
