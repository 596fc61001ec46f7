"""The seam for who follows a run from inside, and may decide what happens in it.

Takes what becomes of the run, as it becomes; gives the steps that are carried out. A scenario's run
has its plan for that; an engine puts an operator there.
"""

from collections.abc import AsyncIterable, Callable
from pathlib import Path
from typing import Protocol

from checkout_sim.model.history import Observation
from checkout_sim.model.plan import Plan, Step
from checkout_sim.runner.execute import planned
from checkout_sim.runner.pace import Pace
from checkout_sim.runner.recording import Recording
from checkout_sim.simulation.world import LiveWorld


class Attendant(Protocol):
    """Whoever attends a run. Everything is called on the loop, and must be quick."""

    def begun(self, folder: Path, flush: Callable[[], None]) -> None:
        """Hear where the run is archived; `flush` makes its history readable up to now."""
        ...

    def observe(self, seen: Observation) -> None:
        """Follow one observation."""
        ...

    def steps(self, plan: Plan, live: LiveWorld, recording: Recording) -> AsyncIterable[Step]:
        """Return what is to happen in the storm, now that the world is up."""
        ...

    @property
    def pace(self) -> Pace | None:
        """Return the steps' own time, where it may be held; None: the world's."""
        ...

    def checkout_ended(self, checkout: int) -> None:
        """Hear that a purchase of the storm has ended, all its attempts included."""
        ...


class Bystander:
    """Lets the plan happen."""

    pace: Pace | None = None

    def begun(self, folder: Path, flush: Callable[[], None]) -> None:
        """Do nothing."""

    def observe(self, seen: Observation) -> None:
        """Do nothing."""

    def steps(self, plan: Plan, live: LiveWorld, recording: Recording) -> AsyncIterable[Step]:  # noqa: ARG002 - the seam's signature
        """Return the plan's steps."""
        return planned(plan.steps)

    def checkout_ended(self, checkout: int) -> None:
        """Do nothing."""
