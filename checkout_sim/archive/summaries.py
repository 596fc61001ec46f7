"""One archived run as a list shows it, read from its folder alone.

Takes folders, gives summaries. A half-written run is one like any other: what it does not say yet
is None, and `stamp` tells when its verdict came.
"""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

UNFINISHED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One archived run; `verdict` is None where the run did not finish."""

    id: str
    folder: Path
    began: datetime | None
    scenario: str
    strategy: str
    seed: int | None
    verdict: str | None
    as_expected: bool | None
    engine: str | None = None
    checkouts: int | None = None
    broken: tuple[str, ...] = ()


def stamp(folder: Path) -> int:
    """Return when the verdict was written, in ns; UNFINISHED where there is none."""
    try:
        return os.stat(f"{folder}/verdict.json").st_mtime_ns  # noqa: PTH116 - a thousand at a time
    except OSError:
        return UNFINISHED


def summary(folder: Path) -> RunSummary:
    """Return what a folder tells; one that tells nothing is still a run."""
    facts = read_object(folder / "run.json") or {}
    verdict = read_object(folder / "verdict.json") or {}
    engine = verdict.get("engine") or {}
    seed = facts.get("seed")
    return RunSummary(
        id=folder.name,
        folder=folder,
        began=moment(facts.get("began")),
        scenario=str(facts.get("scenario", "?")),
        strategy=str(facts.get("strategy", "?")),
        seed=seed if isinstance(seed, int) else None,
        verdict=verdict.get("verdict"),
        as_expected=verdict.get("as_expected"),
        engine=engine.get("name"),
        checkouts=(verdict.get("orders") or {}).get("total"),
        broken=tuple(dict.fromkeys(one["invariant"] for one in verdict.get("violations") or ())),
    )


def read_object(path: Path) -> dict[str, Any] | None:
    """Return a JSON object from a file; None where it is missing or damaged."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def moment(text: object) -> datetime | None:
    """Return the UTC moment an ISO text names, None for anything else."""
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except ValueError:
        return None


def newest_first(runs: list[RunSummary]) -> list[RunSummary]:
    """Return runs in the order people look for them; those of unknown age come last."""
    dawn = datetime.fromtimestamp(0, UTC)
    return sorted(runs, key=lambda run: (run.began or dawn, run.id), reverse=True)
