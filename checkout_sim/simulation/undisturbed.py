"""A run that the machine disturbed is made again: what it showed may be the machine's doing.

Takes a planned run, gives the run that counts. Nothing is hidden by it: a disturbed run is
archived and named by the one that stands in its place, a wrong order that no slowness can excuse
is never run away from (`checks/expectation.py`), and the last repetition counts whatever it is.
"""

from collections.abc import Callable
from dataclasses import replace

from checkout_sim.model.run import Run
from checkout_sim.model.scenario import Scenario
from checkout_sim.reports.phrases import duration
from checkout_sim.simulation.attending import Attendant
from checkout_sim.simulation.judging import keep
from checkout_sim.simulation.means import Means
from checkout_sim.simulation.options import Progress
from checkout_sim.simulation.single import Planned, planned_run, simulate_planned
from checkout_sim.simulation.telling import Watch

MOST_REPETITIONS = 3
_CALM_FOR_S = 1.0
_CALM_WITHIN_S = 30.0


async def simulate(
    scenario: Scenario, *, strategy: str, seed: int | None, means: Means, watch: Watch
) -> Run:
    """Draw the scenario's plan, run and judge it: see `simulate_undisturbed`."""
    planned = planned_run(scenario, strategy=strategy, seed=seed)
    return await simulate_undisturbed(planned, means=means, watch=watch)


async def simulate_undisturbed(
    planned: Planned,
    *,
    means: Means,
    watch: Watch,
    attend: Callable[[Planned], Attendant] | None = None,
) -> Run:
    """Run a plan and judge it, at most three times more while the machine disturbs it.

    Before each repetition it waits for a calm second, half a minute at most. Each run has an
    attendant of its own. Raises what `simulate_planned` raises.
    """
    disturbed: list[str] = []
    while True:
        attendant = None if attend is None else attend(planned)
        run = await simulate_planned(planned, means=means, watch=watch, attendant=attendant)
        if not run.disturbed or len(disturbed) == MOST_REPETITIONS:
            break
        disturbed.append(run.id)
        watch(_again(run))
        await means.hiccups.calm(for_s=_CALM_FOR_S, within_s=_CALM_WITHIN_S)
    if disturbed:
        run = replace(run, in_place_of=tuple(disturbed))
        keep(run)
    return run


def _again(run: Run) -> Progress:
    stood = duration(run.timings.longest_hiccup_ms)
    return Progress(
        kind="again",
        run_id=run.id,
        scenario=run.scenario,
        strategy=run.strategy,
        note=f"the machine stood still for {stood} meanwhile; run again",
    )
