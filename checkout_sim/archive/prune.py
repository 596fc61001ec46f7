"""Room in the archive: the oldest runs go, and never one that is in use.

Takes the archive's root and how many to keep; gives what went. A folder is renamed out of sight
before it is deleted, so that no list ever shows half a run, and one that a killed pruner left is
taken by the next.
"""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from checkout_sim.archive.in_use import in_use, nothing_begins
from checkout_sim.archive.index import list_runs
from checkout_sim.archive.summaries import RunSummary
from checkout_sim.model.errors import CheckoutSimError

_GOING = ".going-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What went, what was spared because somebody uses it, and what that freed."""

    gone: tuple[RunSummary, ...]
    spared: tuple[RunSummary, ...]
    freed_bytes: int


def prune(root: Path, *, keep: int, dry_run: bool = False) -> Pruned:
    """Delete all but the newest `keep` runs; raises CheckoutSimError where one cannot be deleted.

    A run in use is spared and not counted. `dry_run` only says what would go.
    """
    if not (root / "runs").is_dir():
        return Pruned(gone=(), spared=(), freed_bytes=0)
    gone: list[RunSummary] = []
    spared: list[RunSummary] = []
    freed = 0
    with nothing_begins(root):
        for run in list_runs(root)[keep:]:
            if in_use(run.folder):
                spared.append(run)
                continue
            freed += _size_bytes(run.folder)
            if not dry_run:
                _remove(run.folder)
            gone.append(run)
        if not dry_run:
            _sweep(root)
    return Pruned(gone=tuple(gone), spared=tuple(spared), freed_bytes=freed)


def _remove(folder: Path) -> None:
    going = folder.with_name(f"{_GOING}{folder.name}")
    try:
        folder.rename(going)
        shutil.rmtree(going)
    except OSError as error:
        raise CheckoutSimError(
            f"{folder}: cannot be deleted: {error.strerror} ({error.filename}); see who owns it"
        ) from error


def _sweep(root: Path) -> None:
    """Finish what a killed pruner began, and take away a `latest` that leads nowhere."""
    for left in (root / "runs").glob(f"{_GOING}*"):
        shutil.rmtree(left, ignore_errors=True)
    latest = root / "latest"
    if latest.is_symlink() and not latest.exists():
        latest.unlink(missing_ok=True)


def _size_bytes(folder: Path) -> int:
    """Return what a folder holds; files that go meanwhile count nothing."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.lstat().st_size
    return total
