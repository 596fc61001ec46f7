"""The archive's folders: make one for a new run, fill it, find one by name.

A run lives in `<root>/runs/<id>/`:

    run.json         scenario, strategy, seed, when it began: written first
    scenario.lock    what it was told to do: the plan, every chance drawn
    history.ndjson   what was seen (recorder.py)
    verdict.json     the run as the JSON report has it; missing where a run did not finish

beside the services' logs, and their databases, which are their ledgers. `index.py` lists runs.
`<root>/latest` is a symbolic link to the run begun last (Jepsen's `store/latest`). An id such as
`20261123-051633-lost-response-silent-naive-1-4f2a` says when (UTC), what, with which seed.
"""

import difflib
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from checkout_sim.archive.in_use import beginning
from checkout_sim.archive.index import run_folders
from checkout_sim.archive.recorder import HISTORY_NAME
from checkout_sim.archive.summaries import read_object
from checkout_sim.model.errors import HistoryUnreadable, RunNotFound, RunNotKept, StackDidNotStart

LOCK_NAME = "scenario.lock"

_TRIES = 100


def new_run_folder(
    root: Path, *, scenario: str, strategy: str, seed: int, now: datetime | None = None
) -> Path:
    """Make and return a folder no other run has, and point `latest` at it.

    The time in its name is a label for people, never evidence: without `now` it is the wall clock.
    """
    began = now or datetime.fromtimestamp(time.time(), UTC)
    stem = f"{began:%Y%m%d-%H%M%S}-{scenario}-{strategy}-{seed}"
    facts = {"scenario": scenario, "strategy": strategy, "seed": seed, "began": began.isoformat()}
    try:
        _make_root(root)
        folder = _make_unique(root / "runs", stem)
        _write_whole(folder / "run.json", {"id": folder.name, **facts})
    except OSError as error:
        raise _no_room(root, error) from error
    _point_latest(root, folder)
    return folder


@contextmanager
def begin_run(root: Path, *, scenario: str, strategy: str, seed: int) -> Iterator[Path]:
    """Make a folder as `new_run_folder` does, in use from its very first moment to the end."""
    try:
        _make_root(root)
    except OSError as error:
        raise _no_room(root, error) from error
    with beginning(
        root, lambda: new_run_folder(root, scenario=scenario, strategy=strategy, seed=seed)
    ) as folder:
        yield folder


def find_run(root: Path, name: str) -> Path:
    """Return the folder of the run called `name`; raise RunNotFound naming the nearest id.

    A name is a path, `latest`, an id, or the beginning of exactly one id.
    """
    by_path = Path(name)
    if (by_path / HISTORY_NAME).is_file():
        return by_path.resolve() if by_path.is_symlink() else by_path
    folders = {folder.name: folder for folder in run_folders(root)}
    if name == "latest" and folders:
        link = root / "latest"
        return root / "runs" / link.resolve().name if link.is_dir() else _youngest(folders)
    if name in folders:
        return folders[name]
    fitting = sorted(one for one in folders if name and one.startswith(name))
    if len(fitting) == 1:
        return folders[fitting[0]]
    raise RunNotFound(_not_found(root, name, sorted(folders), fitting))


def write_lock(folder: Path, text: str) -> None:
    """Write `scenario.lock` whole or not at all."""
    try:
        _write_text(folder / LOCK_NAME, text)
    except OSError as error:
        raise StackDidNotStart(
            f"{folder / LOCK_NAME}: cannot be written: {error.strerror}; make room or choose "
            "another folder with --runs-dir"
        ) from error


def read_lock(folder: Path) -> str:
    """Return what `write_lock` wrote; raises HistoryUnreadable where there is none."""
    path = folder / LOCK_NAME
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise HistoryUnreadable(
            f"{path}: cannot be read: {why}; without its lock a run cannot be replayed. Run its "
            "scenario again with `checkout-sim run NAME --seed N`"
        ) from error


def write_verdict(folder: Path, run_json: Mapping[str, Any]) -> None:
    """Write `verdict.json` whole or not at all."""
    try:
        _write_whole(folder / "verdict.json", run_json)
    except OSError as error:
        raise RunNotKept(
            f"{folder}: cannot write verdict.json: {error.strerror}; the history is kept, judge it "
            f"again with `checkout-sim judge {folder}`"
        ) from error


def read_verdict(folder: Path) -> dict[str, Any] | None:
    """Return what `write_verdict` wrote; None where the run did not finish or it is damaged."""
    return read_object(folder / "verdict.json")


def _no_room(root: Path, error: OSError) -> StackDidNotStart:
    where = f" ({error.filename})" if error.filename else ""
    return StackDidNotStart(
        f"{root}: cannot keep a run here: {error.strerror}{where}; "
        "make room or choose another folder with --runs-dir"
    )


def _make_root(root: Path) -> None:
    """Make the archive, and have git ignore one that we made ourselves, as pytest's cache does."""
    if not root.exists():
        root.mkdir(parents=True, exist_ok=True)
        (root / ".gitignore").write_text("*\n", encoding="utf-8")
    (root / "runs").mkdir(exist_ok=True)


def _make_unique(runs: Path, stem: str) -> Path:
    """Make a folder by an exclusive mkdir: two runs of one second never share."""
    for _ in range(_TRIES):
        folder = runs / f"{stem}-{secrets.token_hex(2)}"
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(17, f"no free name in {_TRIES} tries", str(runs / stem))


def _point_latest(root: Path, folder: Path) -> None:
    """Swing `latest` in one rename; a file system without links goes without."""
    fresh = root / f".latest-{folder.name}"
    try:
        fresh.symlink_to(Path("runs") / folder.name)
        fresh.replace(root / "latest")
    except OSError:
        # find_run falls back on the newest run, so the link is a comfort only.
        fresh.unlink(missing_ok=True)


def _write_whole(path: Path, value: Mapping[str, Any]) -> None:
    _write_text(path, json.dumps(value, indent=2) + "\n")


def _write_text(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _youngest(folders: Mapping[str, Path]) -> Path:
    """Return the run begun last, going by the file that is written first."""

    def age(folder: Path) -> tuple[int, str]:
        try:
            return ((folder / "run.json").stat().st_mtime_ns, folder.name)
        except OSError:
            return (0, folder.name)

    return max(folders.values(), key=age)


def _not_found(root: Path, name: str, ids: list[str], fitting: list[str]) -> str:
    if name and Path(name).is_dir():  # an empty name is no folder, though Path makes it "."
        return f"{name}: no {HISTORY_NAME} in this folder, so it is no run that can be read"
    if fitting:
        some = ", ".join(fitting[:3])
        return f'"{name}" begins {len(fitting)} runs ({some}); write more of the id'
    if not ids:
        return f'no run "{name}": {root}/runs holds none yet; run one with `checkout-sim run`'
    near = difflib.get_close_matches(name, ids, n=1, cutoff=0.3)
    nearest = f'; did you mean "{near[0]}"?' if near else ""
    return (
        f'no run "{name}" among {len(ids)} in {root}/runs{nearest} (`checkout-sim runs` lists them)'
    )
