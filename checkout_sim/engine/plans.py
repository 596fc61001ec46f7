"""Scenarios run in an engine: each on a stack of its own, told as a session is told.

Takes a RunScenario that was found to be sound; gives runs, one after another. Stopping lets what
has begun finish and drops the rest, so that a verdict is reached all the same.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from checkout_sim.engine.asking import Asking
from checkout_sim.engine.broadcast import Broadcast
from checkout_sim.engine.refusing import Refusal
from checkout_sim.model.answer import Stretch
from checkout_sim.model.command import HoldPlan, ReleasePlan, RunScenario, StepPlan, StopPlan
from checkout_sim.model.history import Observation
from checkout_sim.model.plan import Checkout, InTurn, Plan, Step
from checkout_sim.model.scenario import AtTime, Scenario
from checkout_sim.runner.clock import MonotonicClock
from checkout_sim.runner.pace import Pace
from checkout_sim.runner.recording import Recording
from checkout_sim.simulation.single import Planned, planned_run
from checkout_sim.simulation.world import LiveWorld
from checkout_sim.stream.lines import plain_of

_AHEAD_MS = 100.0
Asked = HoldPlan | StepPlan | ReleasePlan | StopPlan


def runs_of(scenario: Scenario, asked: RunScenario) -> Iterator[Planned]:
    """Yield the runs asked for: each strategy in turn, as often as asked."""
    for _ in range(max(1, asked.repeat)):
        for strategy in asked.strategies or tuple(scenario.expect):
            yield planned_run(scenario, strategy=strategy, seed=asked.seed)


class PlanOnAir:
    """Attends one run of a plan: tells it, and can hold it or end it early."""

    def __init__(
        self, planned: Planned, *, broadcast: Broadcast, changed: Callable[[], None]
    ) -> None:
        self.phase = "starting"
        self.pace: Pace = Pace(MonotonicClock(), stepped=changed)
        self._recording: Recording | None = None
        self._planned = planned
        self._broadcast = broadcast
        self._changed = changed
        self._stop = asyncio.Event()
        self._ended = 0
        self._free = asyncio.Event()

    @property
    def stopped(self) -> bool:
        """Return whether it was ended early."""
        return self._stop.is_set()

    def do(self, asking: Asking, asked: Asked) -> None:
        """Hold the plan, let it go on, or end it. Raises Refusal with nothing changed."""
        recording = self._recording
        if recording is None or self.phase != "storm":
            raise Refusal(
                "wrong_phase",
                f"the scenario is in the phase {self.phase}; it is held or stopped in the storm",
            )
        data = {"command": plain_of(asked), "by": asking.by}
        asking.taken(first_id=recording("runner", "operator.asked", data=data).id)
        match asked:
            case HoldPlan():
                self.pace.hold()
            case StepPlan():
                self.pace.step()
            case ReleasePlan():
                self.pace.release()
            case StopPlan():
                self.stop()
        self._changed()

    def stop(self) -> None:
        """Send nobody more and inject nothing more; what has begun finishes."""
        self._stop.set()
        self._free.set()
        self.pace.release()

    def begun(self, folder: Path, flush: Callable[[], None]) -> None:
        """Go on the air."""
        stretch = Stretch(
            run_id=folder.name,
            folder=str(folder),
            scenario=self._planned.plan.scenario,
            strategy=self._planned.strategy,
            live=True,
        )
        self._broadcast.begin(stretch, folder=folder, flush=flush)

    def observe(self, seen: Observation) -> None:
        """Tell one observation."""
        self._broadcast.observe(seen)
        if seen.kind == "phase.entered" and seen.data["phase"] != "start":
            self.phase = str(seen.data["phase"])
            self._changed()

    def checkout_ended(self, checkout: int) -> None:  # noqa: ARG002 - the seam's signature
        """Hear that a purchase has ended."""
        self._ended += 1
        self._free.set()

    async def steps(
        self,
        plan: Plan,
        live: LiveWorld,  # noqa: ARG002 - the seam's signature
        recording: Recording,
    ) -> AsyncIterator[Step]:
        """Yield the plan's faults, then its checkouts as late as their turn or time allows.

        The runner would take them all at once and keep those to come; then none could be dropped.
        """
        self._recording = recording
        for step in plan.steps:
            if not isinstance(step.action, Checkout):
                yield step
        began_ms = self.pace.now_ms()
        checkouts = deque(step for step in plan.steps if isinstance(step.action, Checkout))
        sent = 0
        while checkouts and not self._stop.is_set():
            step = checkouts.popleft()
            match step.when:
                case InTurn():
                    await self._turn(sent, plan.concurrency or 1)
                case AtTime(ms=ms):
                    await self._time(began_ms + ms - self.pace.now_ms() - _AHEAD_MS)
                case _:
                    pass
            if not self._stop.is_set():
                sent += 1
                yield step

    async def _turn(self, sent: int, concurrency: int) -> None:
        """Wait until the checkout after the next may begin; the runner keeps the order."""
        while sent - self._ended > concurrency and not self._stop.is_set():
            self._free.clear()
            await self._free.wait()

    async def _time(self, ms: float) -> None:
        """Wait so much of the plan's time, or until it is stopped."""
        if ms <= 0:
            return
        waits = [
            asyncio.create_task(self.pace.sleep_ms(ms)),
            asyncio.create_task(self._stop.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
