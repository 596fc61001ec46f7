"""One run: a scenario, a strategy and a seed become a history, and the history a verdict."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

from checkout_sim.archive.recorder import Recorder
from checkout_sim.archive.runs import new_run_folder
from checkout_sim.checks.evidence import Evidence
from checkout_sim.model.errors import StackDidNotStart
from checkout_sim.model.history import HISTORY_VERSION, Observation
from checkout_sim.model.plan import Checkout, Plan
from checkout_sim.model.run import Run
from checkout_sim.model.scenario import Scenario
from checkout_sim.model.seen import ProcessNote
from checkout_sim.model.wire import LINKS_OF
from checkout_sim.planning.expand import expand
from checkout_sim.planning.lock import lock_text
from checkout_sim.runner.clock import MonotonicClock
from checkout_sim.runner.execute import execute, fill_carts, planned
from checkout_sim.runner.recording import Recording
from checkout_sim.simulation.judging import judged, keep
from checkout_sim.simulation.keeping import Keeping
from checkout_sim.simulation.options import Options, Progress
from checkout_sim.simulation.world import Listeners, LiveWorld, live_world
from checkout_sim.stack.fork_client import Spawner

Watch = Callable[[Progress], None]

_IN_MEMORY_CHECKOUTS = 20_000  # above, the evidence index goes to a file in the run's folder


async def simulate(
    scenario: Scenario,
    *,
    strategy: str,
    seed: int | None,
    options: Options,
    spawner: Spawner,
    watch: Watch,
) -> Run:
    """Run the scenario once and judge it; everything is archived in the run's own folder.

    Raises StackDidNotStart, or RunNotKept where the disk refuses the history; whatever else goes
    wrong is in the history, and makes the verdict unknown. However it ends, every fault is
    lifted and no process is left.
    """
    plan = expand(scenario, seed=scenario.seed if seed is None else seed)
    folder = new_run_folder(
        options.runs_folder, scenario=scenario.name, strategy=strategy, seed=plan.seed
    )
    _write_lock(folder, plan, scenario, strategy)
    large = plan.checkouts > _IN_MEMORY_CHECKOUTS
    evidence = Evidence.at(folder / "evidence.db") if large else Evidence.in_memory()
    with ExitStack() as closing:
        keeping = Keeping(closing.enter_context(Recorder(folder)))
        recording = Recording(
            MonotonicClock(),
            [
                keeping.append,
                evidence.add,
                _Reporter(watch, folder.name, plan, strategy).observe,
            ],
        )
        recording("runner", "phase.entered", data={"phase": "start"})
        await keeping.during(
            _live(plan, scenario, strategy, folder, options, spawner, recording, watch)
        )
    history = evidence.finish()
    try:
        run = judged(history, folder=folder)
    finally:
        history.close()
    keep(run)
    _tell(watch, "finished", run.id, scenario.name, strategy, note=run.verdict.status)
    return run


async def _live(
    plan: Plan,
    scenario: Scenario,
    strategy: str,
    folder: Path,
    options: Options,
    spawner: Spawner,
    recording: Recording,
    watch: Watch,
) -> None:
    listeners = Listeners(
        on_event=recording.overheard,
        on_process=lambda note: _note_process(recording, note),
    )
    async with live_world(
        strategy=strategy,
        spec=plan.stack,
        folder=folder,
        options=options,
        spawner=spawner,
        listeners=listeners,
    ) as live:
        progress = Progress(
            kind="engine",
            run_id=folder.name,
            scenario=scenario.name,
            strategy=strategy,
            engine=live.engine,
            note=live.note,
        )
        watch(progress)
        _open(recording, plan, scenario, strategy, live)
        _tell(watch, "opened", folder.name, scenario.name, strategy, total=plan.checkouts)
        shoppers = [s.action.shopper for s in plan.steps if isinstance(s.action, Checkout)]
        await fill_carts(live.world, [*shoppers, *plan.proof])
        watching = asyncio.create_task(_watch_proxy_server(recording, live))
        try:
            await execute(
                planned(plan.steps),
                live.world,
                recording,
                concurrency=plan.concurrency,
                settle_as=plan.settle,
                proof=plan.proof,
            )
        finally:
            watching.cancel()
            for gap in live.supervisor.gaps:
                recording("supervisor", "evidence.gap", data={"message": gap})


def _open(
    recording: Recording, plan: Plan, scenario: Scenario, strategy: str, live: LiveWorld
) -> None:
    expected = scenario.expect.get(strategy)
    data: dict[str, Any] = {
        "scenario": plan.scenario,
        "path": plan.scenario_path,
        "digest": plan.scenario_digest,
        "strategy": strategy,
        "seed": plan.seed,
        "checkouts": plan.checkouts,
        "proof_checkouts": len(plan.proof),
        "faults": [asdict(fault) for fault in plan.faults],
        "links": list(LINKS_OF[strategy]),
        "invariants": list(plan.invariants),
        "expect": None if expected is None else asdict(expected),
        "time_scale": plan.stack.time_scale,
        "settings": {name: dict(own) for name, own in plan.stack.settings.items()},
        "engine": asdict(live.engine),
        **_versions(),
        "history_version": HISTORY_VERSION,
    }
    recording("runner", "run.opened", data=data)


def _write_lock(folder: Path, plan: Plan, scenario: Scenario, strategy: str) -> None:
    text = lock_text(plan, scenario, strategy=strategy, versions=_versions())
    path = folder / "scenario.lock"
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StackDidNotStart(
            f"{path}: cannot be written: {error.strerror}; make room or choose another folder "
            "with --runs-dir"
        ) from error


def _versions() -> Mapping[str, str]:
    return {"tool": version("checkout-sim"), "python": python_version()}


def _note_process(recording: Recording, note: ProcessNote) -> None:
    recording("supervisor", note.kind, data=note.data)


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


def _tell(
    watch: Watch,
    kind: Any,
    run_id: str,
    scenario: str,
    strategy: str,
    *,
    total: int = 0,
    note: str = "",
) -> None:
    watch(
        Progress(
            kind=kind, run_id=run_id, scenario=scenario, strategy=strategy, total=total, note=note
        )
    )


class _Reporter:
    """Turns observations into progress: phases as they begin, checkouts as they end."""

    def __init__(self, watch: Watch, run_id: str, plan: Plan, strategy: str) -> None:
        self._watch = watch
        self._run_id = run_id
        self._scenario = plan.scenario
        self._strategy = strategy
        self._total = plan.checkouts
        self._ended: set[int] = set()
        self._phase = ""

    def observe(self, seen: Observation) -> None:
        """Follow one observation."""
        if seen.kind == "phase.entered":
            self._phase = str(seen.data["phase"])
            self._say("phase")
        elif seen.kind == "client.ended" and seen.checkout not in self._ended:
            self._ended.add(seen.checkout or 0)
            self._say("checkout")

    def _say(self, kind: Any) -> None:
        self._watch(
            Progress(
                kind=kind,
                run_id=self._run_id,
                scenario=self._scenario,
                strategy=self._strategy,
                phase=self._phase,
                done=len(self._ended),
                total=self._total,
            )
        )
