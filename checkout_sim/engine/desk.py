"""The desk: takes every command, has it carried out, and tells everybody where the engine is.

Takes the stream's server and what runs are made with; gives one activity after another: a live
session on a fresh stack, or scenarios that were asked for, or a recorded run.
"""

import asyncio
import shutil
from collections import deque
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path

from checkout_sim.archive.runs import find_run
from checkout_sim.engine import saving
from checkout_sim.engine.asking import Asking
from checkout_sim.engine.broadcast import Broadcast, verdict_of
from checkout_sim.engine.plans import PlanOnAir, runs_of
from checkout_sim.engine.playback import play
from checkout_sim.engine.refusing import Refusal
from checkout_sim.engine.session import Session
from checkout_sim.model.answer import EngineState
from checkout_sim.model.command import (
    Asked,
    Close,
    DraftScenario,
    HoldPlan,
    Judge,
    ReleasePlan,
    RunScenario,
    SaveScenario,
    StepPlan,
    StopPlan,
    Subscribe,
)
from checkout_sim.model.errors import CheckoutSimError, ScenarioInvalid
from checkout_sim.model.scenario import Scenario, StackSpec
from checkout_sim.model.wire import require_strategies
from checkout_sim.scenario_files.load import load_scenario
from checkout_sim.simulation.means import Means
from checkout_sim.simulation.options import DatabaseChoice
from checkout_sim.simulation.series import on_database
from checkout_sim.simulation.single import simulate_planned
from checkout_sim.stream.serve import Server
from checkout_sim.stream.subscriber import Subscriber


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What an engine was started for."""

    strategy: str
    spec: StackSpec
    links: tuple[str, ...]  # every link of toxiproxy.json
    runs_folder: Path
    scenarios_folder: Path  # where recorded scenarios are saved
    database: DatabaseChoice | None = None  # of scenarios too; None: what each of them says
    replay: Path | None = None
    speed: float = 1.0


class Desk:
    """One engine's affairs. `closing` is set when it is to end."""

    def __init__(self, setting: Setting) -> None:
        self.closing = asyncio.Event()
        self.judge_first = False
        self.last_verdict: tuple[str, Path] | None = None
        self.server = Server(self.handle, on_left=lambda _: None)
        self._setting = setting
        self._strategy = setting.strategy
        self._phase = "starting"
        self._trouble = ""
        self._plan_title = ""
        self._session: Session | None = None
        self._on_air: PlanOnAir | None = None
        self._wanted: deque[tuple[Scenario, RunScenario]] = deque()
        self._again = asyncio.Event()
        self._ending: set[asyncio.Task[None]] = set()
        self._newest: Path | None = None
        self.changed()

    # -- what goes on

    async def work(self, means: Means) -> None:
        """Run one activity after another until the engine is to end."""
        while not self.closing.is_set():
            try:
                if self._wanted:
                    await self._run_scenarios(*self._wanted.popleft(), means)
                else:
                    await self._live(means)
            except CheckoutSimError as error:
                self._again.clear()
                self._enter("starting")
                self.trouble(str(error))
                await self._again.wait()
            self._trouble = ""

    async def play_back(self, folder: Path) -> None:
        """Tell a recorded run, then keep answering."""
        try:
            await play(
                folder,
                speed=self._setting.speed,
                broadcast=Broadcast(self.server),
                opens=self._opens,
                entered=self._enter,
            )
        except CheckoutSimError as error:
            self.trouble(str(error))
        await self.closing.wait()

    async def _live(self, means: Means) -> None:
        broadcast = Broadcast(self.server)
        self._strategy = self._setting.strategy
        session = self._session = Session(
            strategy=self._strategy,
            spec=self._setting.spec,
            all_links=self._setting.links,
            broadcast=broadcast,
            desk=self,
        )
        self._enter("starting")
        try:
            run = await simulate_planned(
                session.planned, means=means, watch=lambda _: None, attendant=session
            )
            if session.touched:
                self.last_verdict = (run.verdict.status, run.folder)
                broadcast.judged(verdict_of(run, ever=session.ever))
        finally:
            self._session = None
            broadcast.end()
            if session.touched:
                self._newest = session.folder
            elif session.folder.name:
                shutil.rmtree(session.folder, ignore_errors=True)  # nothing happened in it
        self._enter("judged")

    async def _run_scenarios(self, scenario: Scenario, asked: RunScenario, means: Means) -> None:
        runs = list(runs_of(scenario, asked))
        for number, planned in enumerate(runs, start=1):
            broadcast = Broadcast(self.server)
            self._plan_title = f"{scenario.name} {number}/{len(runs)}"
            self._strategy = planned.strategy
            on_air = self._on_air = PlanOnAir(planned, broadcast=broadcast, changed=self.changed)
            self._enter("starting")
            try:
                run = await simulate_planned(
                    planned, means=means, watch=lambda _: None, attendant=on_air
                )
                self.last_verdict = (run.verdict.status, run.folder)
                broadcast.judged(verdict_of(run))
            finally:
                self._on_air, self._plan_title = None, ""
                broadcast.end()
            self._enter("judged")
            if on_air.stopped or self.closing.is_set():
                return

    # -- commands

    async def handle(self, asked: Asked, subscriber: Subscriber) -> None:
        """Take one command and answer it."""
        asking = Asking(
            command_id=asked.command_id,
            by=asked.by,
            command=asked.command,
            tell=subscriber.tell,
        )
        try:
            await self._take(asking)
        except Refusal as refusal:
            asking.refused(refusal)

    async def _take(self, asking: Asking) -> None:
        if self._setting.replay is not None:
            self._refuse_changes(asking)
        match asking.command:
            case Subscribe():
                pass  # the server's own
            case Judge():
                self._judge(asking)
            case RunScenario() as wanted:
                self._want(asking, wanted)
            case HoldPlan() | StepPlan() | ReleasePlan() | StopPlan() as wanted:
                self._steer_plan(asking, wanted)
            case DraftScenario() as wanted:
                self._off_the_loop(asking, self._draft(asking, wanted))
            case SaveScenario() as wanted:
                self._off_the_loop(asking, self._save(asking, wanted))
            case Close(judge=judge):
                self.judge_first = judge
                asking.taken()
                self.closing.set()
            case operation:
                self._in_session().do(asking, operation)

    def _in_session(self) -> Session:
        if self._session is None:
            what = "a scenario is under way" if self._on_air else "no session is open"
            raise Refusal("wrong_phase", what, "wait for the next session")
        return self._session

    def _steer_plan(
        self, asking: Asking, wanted: HoldPlan | StepPlan | ReleasePlan | StopPlan
    ) -> None:
        if self._on_air is None:
            raise Refusal("wrong_phase", "no scenario is under way")
        self._on_air.do(asking, wanted)
        if isinstance(wanted, StopPlan):
            self._wanted.clear()

    def _judge(self, asking: Asking) -> None:
        session = self._session
        if session is None and self._trouble:
            asking.taken(message="trying again")
            self._again.set()
            return
        if session is None or session.phase != "storm":
            phase = self._phase if session is None else session.phase
            raise Refusal("wrong_phase", f"there is nothing to judge in the phase {phase}")
        asking.taken()
        self._end(session)

    def _want(self, asking: Asking, wanted: RunScenario) -> None:
        try:
            scenario = load_scenario(Path(wanted.path), links=self._setting.links)
            require_strategies(wanted.strategies)
            if self._setting.database is not None:
                scenario = on_database(scenario, self._setting.database)
        except ScenarioInvalid as error:
            raise Refusal(
                "invalid", str(error), "`checkout-sim validate` tells the same"
            ) from error
        except CheckoutSimError as error:
            raise Refusal("unknown_target", str(error)) from error
        self._wanted.append((scenario, wanted))
        asking.taken(message=f"{scenario.name} is next")
        self._again.set()
        if self._session is not None:
            self._end(self._session)

    def _end(self, session: Session) -> None:
        ending = asyncio.create_task(session.end())
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    async def _draft(self, asking: Asking, wanted: DraftScenario) -> None:
        named = find_run(self._setting.runs_folder, wanted.run) if wanted.run else None
        folder = named or self._newest
        if folder is None:
            raise Refusal("wrong_phase", "no session has been judged yet", "ask for the verdict")
        draft = await asyncio.to_thread(
            saving.draft_of,
            folder,
            wanted,
            command_id=asking.command_id,
            links=self._setting.links,
        )
        asking.taken()
        asking.tell(draft)

    async def _save(self, asking: Asking, wanted: SaveScenario) -> None:
        path = await asyncio.to_thread(
            saving.save, wanted, folder=self._setting.scenarios_folder, links=self._setting.links
        )
        asking.taken()
        asking.tell(saving.saved(asking.command_id, path))

    def _off_the_loop(self, asking: Asking, work: Awaitable[None]) -> None:
        async def guarded() -> None:
            try:
                await work
            except Refusal as refusal:
                asking.refused(refusal)
            except CheckoutSimError as error:
                asking.failed("invalid", str(error))

        task = asyncio.create_task(guarded())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _refuse_changes(self, asking: Asking) -> None:
        if not isinstance(asking.command, Subscribe | DraftScenario | SaveScenario | Close):
            raise Refusal(
                "read_only",
                "this is a recorded run: nothing can be changed in it",
                "start `checkout-sim tui` for a live session",
            )

    # -- the end

    async def finish(self) -> None:
        """Let the session at hand come to its verdict, if that was asked for."""
        if self.judge_first and self._session is not None and self._session.phase == "storm":
            await self._session.end()

    async def close(self) -> None:
        """Drop what is still being answered."""
        for task in list(self._ending):
            task.cancel()
        await asyncio.gather(*self._ending, return_exceptions=True)

    # -- telling

    def changed(self) -> None:
        """Tell everybody where the engine is, if that is news."""
        session = self._session
        if session is not None:
            self._phase = session.phase
        elif self._on_air is not None:
            self._phase = self._on_air.phase
        undo, redo = ("", "") if session is None else session.undo_titles()
        self.server.say(
            EngineState(
                phase="closing" if self.closing.is_set() else self._phase,
                strategy=self._strategy,
                recording=session is not None and session.recording,
                undo=undo,
                redo=redo,
                faults=() if session is None else session.faults,
                plan=self._plan_title,
                held=self._on_air is not None and self._on_air.pace.held,
                message=self._trouble,
            )
        )

    def trouble(self, message: str) -> None:
        """Show everybody what went wrong."""
        self._trouble = message
        self.changed()

    def _opens(self, strategy: str) -> None:
        self._strategy = strategy

    def _enter(self, phase: str) -> None:
        self._phase = phase
        self.changed()
