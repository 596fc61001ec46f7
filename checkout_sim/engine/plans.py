"""Scenarios run in an engine: each on a stack of its own, told as a session is told.

Takes a RunScenario that was found to be sound; gives runs, one after another. Stopping lets what
has begun finish and drops the rest, so that a verdict is reached all the same.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from checkout_sim.engine.broadcast import Broadcast
from checkout_sim.model.command import RunScenario, Stretch
from checkout_sim.model.history import Observation
from checkout_sim.model.plan import Checkout, InTurn, Plan, Step
from checkout_sim.model.scenario import AtTime, Scenario
from checkout_sim.runner.recording import Recording
from checkout_sim.simulation.single import Planned, planned_run
from checkout_sim.simulation.world import LiveWorld

_AHEAD_MS = 100.0


def runs_of(scenario: Scenario, asked: RunScenario) -> Iterator[Planned]:
    """Yield the runs asked for: each strategy in turn, as often as asked."""
    for _ in range(max(1, asked.repeat)):
        for strategy in asked.strategies or tuple(scenario.expect):
            yield planned_run(scenario, strategy=strategy, seed=asked.seed)


class PlanOnAir:
    """Attends one run of a plan: tells it, and can end it early."""

    def __init__(
        self, planned: Planned, *, broadcast: Broadcast, changed: Callable[[], None]
    ) -> None:
        self.phase = "starting"
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

    def stop(self) -> None:
        """Send nobody more and inject nothing more; what has begun finishes."""
        self._stop.set()
        self._free.set()

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
        live: LiveWorld,
        recording: Recording,  # noqa: ARG002 - the seam's signature
    ) -> AsyncIterator[Step]:
        """Yield the plan's faults, then its checkouts as late as their turn or time allows.

        The runner would take them all at once and keep those to come; then none could be dropped.
        """
        for step in plan.steps:
            if not isinstance(step.action, Checkout):
                yield step
        began_ms = live.world.clock.now_ms()
        checkouts = deque(step for step in plan.steps if isinstance(step.action, Checkout))
        sent = 0
        while checkouts and not self._stop.is_set():
            step = checkouts.popleft()
            match step.when:
                case InTurn():
                    await self._turn(sent, plan.concurrency or 1)
                case AtTime(ms=ms):
                    await self._time(began_ms + ms - live.world.clock.now_ms() - _AHEAD_MS)
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
        if ms > 0:
            try:
                await asyncio.wait_for(self._stop.wait(), timeout=ms / 1000)
            except TimeoutError:
                return
