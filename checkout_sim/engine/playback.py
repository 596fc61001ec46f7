"""A recorded run told again, at its own pace or faster.

Takes a run's folder; gives the same stream a live run gives, then the verdict that today's judge
reaches. Nothing runs, so every command that would change something is refused.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from checkout_sim.archive.recorder import HISTORY_NAME
from checkout_sim.engine.broadcast import Broadcast, verdict_of
from checkout_sim.model.answer import Stretch
from checkout_sim.model.errors import HistoryUnreadable
from checkout_sim.ndjson import read_history
from checkout_sim.simulation.judging import judge_run

_LONGEST_GAP_S = 5.0  # of silence, so that nobody waits through somebody's lunch


async def play(
    folder: Path,
    *,
    speed: float,
    broadcast: Broadcast,
    opens: Callable[[str], None],
    entered: Callable[[str], None],
) -> None:
    """Tell a run; `speed` 2 is twice as fast as it was, 0 all at once. Raises HistoryUnreadable.

    `opens` hears of the strategy before anything is told, `entered` of the phases.
    """
    first = next(read_history(folder / HISTORY_NAME), None)
    opened = next(
        (seen for seen in read_history(folder / HISTORY_NAME) if seen.kind == "run.opened"), None
    )
    if first is None or opened is None:
        raise HistoryUnreadable(f"{folder / HISTORY_NAME}: no run.opened in it: nothing to play")
    scenario = str(opened.data["scenario"]) if opened.data.get("path") else ""
    stretch = Stretch(
        run_id=folder.name,
        folder=str(folder),
        scenario=scenario,
        strategy=str(opened.data["strategy"]),
        live=False,
        read_only=True,
    )
    opens(stretch.strategy)
    broadcast.begin(stretch, folder=folder, flush=lambda: None)
    judging = asyncio.create_task(asyncio.to_thread(judge_run, folder))
    try:
        await _tell(folder, speed, broadcast, entered)
        broadcast.judged(verdict_of(await judging))
    finally:
        judging.cancel()
        await asyncio.gather(judging, return_exceptions=True)
    broadcast.end()


async def _tell(
    folder: Path, speed: float, broadcast: Broadcast, entered: Callable[[str], None]
) -> None:
    loop = asyncio.get_running_loop()
    due_s = loop.time()
    last_ms = 0.0
    for seen in read_history(folder / HISTORY_NAME):
        if speed > 0:
            due_s += min(_LONGEST_GAP_S, (seen.t_ms - last_ms) / 1000 / speed)
            last_ms = seen.t_ms
            if due_s > loop.time():
                await asyncio.sleep(due_s - loop.time())
        elif seen.id % 500 == 0:
            await asyncio.sleep(0)
        if seen.kind == "phase.entered":
            entered(str(seen.data["phase"]))
        broadcast.observe(seen)
