"""One run: a scenario, a strategy and a seed become a history, and the history a verdict."""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

from checkout_sim.archive.recorder import Recorder
from checkout_sim.archive.runs import begin_run, write_lock
from checkout_sim.checks.evidence import Evidence
from checkout_sim.model.history import HISTORY_VERSION
from checkout_sim.model.plan import Checkout, Plan
from checkout_sim.model.run import Run
from checkout_sim.model.scenario import Scenario
from checkout_sim.model.seen import Hiccup, ProcessNote
from checkout_sim.model.wire import links_of
from checkout_sim.planning.expand import expand
from checkout_sim.planning.lock import lock_text
from checkout_sim.runner.clock import MonotonicClock
from checkout_sim.runner.execute import execute, fill_carts
from checkout_sim.runner.recording import Recording
from checkout_sim.simulation.attending import Attendant, Bystander
from checkout_sim.simulation.judging import judged, keep
from checkout_sim.simulation.keeping import Keeping
from checkout_sim.simulation.means import Means
from checkout_sim.simulation.telling import Reporter, Watch
from checkout_sim.simulation.world import Listeners, LiveWorld, live_world

_IN_MEMORY_CHECKOUTS = 20_000  # above, the evidence index goes to a file in the run's folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One run to be made: a plan, the scenario it was drawn from, and whom it is put to."""

    plan: Plan
    scenario: Scenario
    strategy: str


def planned_run(scenario: Scenario, *, strategy: str, seed: int | None) -> Planned:
    """Return the run a scenario asks for; without a seed, with the scenario's own."""
    plan = expand(scenario, seed=scenario.seed if seed is None else seed)
    return Planned(plan=plan, scenario=scenario, strategy=strategy)


async def simulate_planned(
    planned: Planned, *, means: Means, watch: Watch, attendant: Attendant | None = None
) -> Run:
    """Run a plan once and judge it; everything is archived in the run's own folder.

    An `attendant` follows the run from inside, and what happens in the storm is its choice.

    Raises StackDidNotStart, or RunNotKept where the disk refuses the history; whatever else goes
    wrong is in the history, and makes the verdict unknown. However it ends, every fault is
    lifted and no process is left.
    """
    with begin_run(
        means.options.runs_folder,
        scenario=planned.plan.scenario,
        strategy=planned.strategy,
        seed=planned.plan.seed,
    ) as folder:
        return await _in_folder(folder, planned, means, watch, attendant or Bystander())


async def _in_folder(
    folder: Path, planned: Planned, means: Means, watch: Watch, attendant: Attendant
) -> Run:
    plan = planned.plan
    reporter = Reporter(watch, folder.name, plan, planned.strategy)
    write_lock(
        folder,
        lock_text(plan, planned.scenario, strategy=planned.strategy, versions=versions()),
    )
    large = plan.checkouts > _IN_MEMORY_CHECKOUTS
    evidence = Evidence.at(folder / "evidence.db") if large else Evidence.in_memory()
    with ExitStack() as closing:
        keeping = Keeping(closing.enter_context(Recorder(folder)))
        attendant.begun(folder, keeping.flush)
        recording = Recording(
            MonotonicClock(),
            [
                keeping.append,
                evidence.add,
                reporter.observe,
                attendant.observe,
            ],
        )
        recording("runner", "phase.entered", data={"phase": "start"})
        await keeping.during(_live(planned, folder, means, recording, reporter, attendant))
    history = evidence.finish()
    try:
        run = judged(history, folder=folder)
    finally:
        history.close()
    keep(run)
    reporter.say("finished", note=run.verdict.status)
    return run


async def _live(
    planned: Planned,
    folder: Path,
    means: Means,
    recording: Recording,
    reporter: Reporter,
    attendant: Attendant,
) -> None:
    plan = planned.plan
    listeners = Listeners(
        on_event=recording.overheard,
        on_process=lambda note: _note_process(recording, note),
    )
    async with live_world(
        strategy=planned.strategy,
        spec=plan.stack,
        folder=folder,
        means=means,
        listeners=listeners,
        struck=_struck(plan),
    ) as live:
        reporter.say("engine", engine=live.engine, note=live.note)
        _open(recording, planned, live)
        reporter.say("opened")
        shoppers = [s.action.shopper for s in plan.steps if isinstance(s.action, Checkout)]
        await fill_carts(live.world, [*shoppers, *plan.proof])
        watching = asyncio.create_task(_watch_proxy_server(recording, live))
        try:
            with means.hiccups.heard_by(lambda hiccup: _note_hiccup(recording, hiccup)):
                await execute(
                    attendant.steps(plan, live, recording),
                    live.world,
                    recording,
                    concurrency=plan.concurrency,
                    settle_as=plan.settle,
                    proof=plan.proof,
                    checkout_ended=attendant.checkout_ended,
                    pace=attendant.pace,
                )
        finally:
            watching.cancel()
            for gap in live.supervisor.gaps:
                recording("supervisor", "evidence.gap", data={"message": gap})


def _struck(plan: Plan) -> frozenset[str]:
    return frozenset(name for fault in plan.faults for name in fault.processes)


def _open(recording: Recording, planned: Planned, live: LiveWorld) -> None:
    plan = planned.plan
    expected = planned.scenario.expect.get(planned.strategy)
    data: dict[str, Any] = {
        "scenario": plan.scenario,
        "path": plan.scenario_path,
        "digest": plan.scenario_digest,
        "strategy": planned.strategy,
        "seed": plan.seed,
        "checkouts": plan.checkouts,
        "proof_checkouts": len(plan.proof),
        "faults": [asdict(fault) for fault in plan.faults],
        "database": plan.stack.database,
        "links": list(links_of(planned.strategy, plan.stack.database)),
        "invariants": list(plan.invariants),
        "expect": None if expected is None else asdict(expected),
        "time_scale": plan.stack.time_scale,
        "settings": {name: dict(own) for name, own in plan.stack.settings.items()},
        "engine": asdict(live.engine),
        **versions(),
        "history_version": HISTORY_VERSION,
    }
    recording("runner", "run.opened", data=data)


def versions() -> Mapping[str, str]:
    """Return what runs: lock and history name it."""
    return {"tool": version("checkout-sim"), "python": python_version()}


def _note_process(recording: Recording, note: ProcessNote) -> None:
    recording("supervisor", note.kind, data=note.data)


def _note_hiccup(recording: Recording, hiccup: Hiccup) -> None:
    recording("machine", "machine.hiccup", data={"cpu": hiccup.cpu, "ms": hiccup.ms})


async def _watch_proxy_server(recording: Recording, live: LiveWorld) -> None:
    """Record the proxy server's death, which nobody asked for: what follows proves nothing."""
    exit_status = await live.proxy_server.wait_died()
    data = {
        "process": "the proxy server",
        "pid": live.proxy_server.pid,
        "exit_status": exit_status,
        "asked": False,
        "last_lines": list(live.proxy_server.last_lines()),
    }
    recording("supervisor", "process.exited", data=data)
