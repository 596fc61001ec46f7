"""Archived runs by hand, for tests of the archive and of what reads it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from checkout_sim.archive.recorder import HISTORY_NAME
from checkout_sim.archive.runs import new_run_folder, write_verdict

DAWN = datetime(2026, 11, 23, 5, 16, 33, tzinfo=UTC)


def archived(
    root: Path,
    scenario: str = "calm",
    strategy: str = "naive",
    *,
    later_s: int = 0,
    verdict: str | None = "invalid",
    **more: Any,
) -> Path:
    """Return the folder of a run begun so long after dawn; without a verdict it did not finish."""
    now = DAWN + timedelta(seconds=later_s)
    folder = new_run_folder(root, scenario=scenario, strategy=strategy, seed=1, now=now)
    (folder / HISTORY_NAME).write_bytes(b"{}\n")
    if verdict:
        write_verdict(folder, {"verdict": verdict, "as_expected": True, **more})
    return folder
