"""A run made again from its lock: the same plan, not the same interleaving.

Takes an archived run's folder, gives what it was and a stream of runs of the same plan. Nothing is
drawn again, so scenario file and drawing code may have changed meanwhile.
"""

import hashlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path

from checkout_sim.archive.runs import LOCK_NAME, read_lock
from checkout_sim.model.errors import HistoryUnreadable, NotReplayable
from checkout_sim.model.run import Run
from checkout_sim.model.wire import require_strategies
from checkout_sim.planning.unlock import Locked, unlock
from checkout_sim.simulation.judging import judge_run
from checkout_sim.simulation.options import Options, Progress
from checkout_sim.simulation.series import simulate_each
from checkout_sim.simulation.single import Planned, versions
from checkout_sim.stack.launch import Launched


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """An archived run to be replayed; `run` is None where it cannot be judged, `why` says why."""

    locked: Locked
    run: Run | None
    why: str
    notes: tuple[str, ...]


def read_original(folder: Path) -> Original:
    """Return what was run, judged by today's judge so that both sides are judged alike.

    Raises HistoryUnreadable for a lock that is missing, damaged or of another version, and
    NotReplayable for a live session's.
    """
    locked = unlock(read_lock(folder), named=str(folder / LOCK_NAME))
    _require_plan(locked, folder)
    require_strategies([locked.strategy])
    run, why = None, ""
    try:
        run = judge_run(folder)
    except HistoryUnreadable as error:
        why = str(error)
    return Original(locked=locked, run=run, why=why, notes=tuple(_notes(locked)))


def replay(
    locked: Locked,
    *,
    times: int,
    options: Options,
    watch: Callable[[Progress], None],
    launched: Launched | None = None,
) -> AsyncGenerator[Run, None]:
    """Yield the runs of the lock's plan, as many as asked for; raises as `simulate_each` does."""
    planned = Planned(plan=locked.plan, scenario=locked.scenario, strategy=locked.strategy)
    return simulate_each([planned] * times, options=options, watch=watch, launched=launched)


def _require_plan(locked: Locked, folder: Path) -> None:
    """Raise NotReplayable where the lock has no step: replaying nothing would prove nothing."""
    if not locked.plan.steps:
        raise NotReplayable(
            f"{folder.name} was a live session: an operator's keys made it, and its lock has no "
            f"plan to run again. Save it as a scenario first (`checkout-sim tui --replay "
            f"{folder.name}`, once it is judged 6, then w, and w again to write), then "
            "`checkout-sim run` the file that was written"
        )


def _notes(locked: Locked) -> list[str]:
    """Return what has changed since: it is the lock that is replayed, whatever files say now."""
    path = Path(locked.plan.scenario_path)
    notes = []
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest != locked.plan.scenario_digest:
            notes.append(f"{path} has changed since; the plan replayed is that of the run's lock")
    except OSError:
        notes.append(f"{path} is not there any more; the run's lock has all that is needed")
    now = versions()
    for name, then in locked.versions.items():
        if name in now and now[name] != then:
            notes.append(f"{name} was {then} then and is {now[name]} now")
    return notes
