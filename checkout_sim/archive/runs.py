"""The archive's folders: make one for a new run, list them, find one by name.

A run lives in `<root>/runs/<id>/`:

    run.json         scenario, strategy, seed, when it began: written first
    history.ndjson   what was seen (recorder.py)
    verdict.json     the run as the JSON report has it; missing where a run did not finish

`<root>/latest` is a symbolic link to the run begun last (Jepsen's `store/latest`). An id such as
`20261123-051633-lost-response-silent-naive-1-4f2a` says when (UTC), what, with which seed.
"""

import difflib
import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from checkout_sim.archive.recorder import HISTORY_NAME
from checkout_sim.model.errors import CheckoutSimError, HistoryUnreadable, RunNotFound

_TRIES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One archived run as a list shows it; `verdict` is None where the run did not finish."""

    id: str
    folder: Path
    began: datetime | None
    scenario: str
    strategy: str
    seed: int | None
    verdict: str | None
    as_expected: bool | None


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
        raise CheckoutSimError(
            f"{root}: cannot keep a run here: {error.strerror} ({error.filename}); "
            "choose another folder with --runs-dir"
        ) from error
    _point_latest(root, folder)
    return folder


def list_runs(root: Path) -> list[RunSummary]:
    """Return every archived run, newest first; a folder that tells nothing is still listed."""
    try:
        folders = [entry for entry in (root / "runs").iterdir() if entry.is_dir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise HistoryUnreadable(f"{root}/runs: cannot be listed: {error.strerror}") from error
    return sorted(map(_summary, folders), key=_age, reverse=True)


def find_run(root: Path, name: str) -> Path:
    """Return the folder of the run called `name`; raise RunNotFound naming the nearest id.

    A name is a path, `latest`, an id, or the beginning of exactly one id.
    """
    by_path = Path(name)
    if (by_path / HISTORY_NAME).is_file():
        return by_path.resolve() if by_path.is_symlink() else by_path
    runs = list_runs(root)
    if name == "latest" and runs:
        link = root / "latest"
        return root / "runs" / link.resolve().name if link.is_dir() else runs[0].folder
    fitting = [run.folder for run in runs if run.id.startswith(name)] if name else []
    exact = [folder for folder in fitting if folder.name == name]
    if len(exact or fitting) == 1:
        return (exact or fitting)[0]
    raise RunNotFound(_not_found(root, name, [run.id for run in runs], fitting))


def write_verdict(folder: Path, run_json: Mapping[str, Any]) -> None:
    """Write `verdict.json` whole or not at all."""
    try:
        _write_whole(folder / "verdict.json", run_json)
    except OSError as error:
        raise CheckoutSimError(
            f"{folder}: cannot write verdict.json: {error.strerror}; the history is kept, judge it "
            f"again with `checkout-sim judge {folder}`"
        ) from error


def read_verdict(folder: Path) -> dict[str, Any] | None:
    """Return what `write_verdict` wrote; None where the run did not finish or it is damaged."""
    return _read_object(folder / "verdict.json")


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
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _read_object(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def _summary(folder: Path) -> RunSummary:
    facts = _read_object(folder / "run.json") or {}
    verdict = read_verdict(folder) or {}
    return RunSummary(
        id=folder.name,
        folder=folder,
        began=_moment(facts.get("began")),
        scenario=str(facts.get("scenario", "?")),
        strategy=str(facts.get("strategy", "?")),
        seed=facts.get("seed"),
        verdict=verdict.get("verdict"),
        as_expected=verdict.get("as_expected"),
    )


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except ValueError:
        return None


def _age(run: RunSummary) -> tuple[datetime, str]:
    return (run.began or datetime.fromtimestamp(0, UTC), run.id)


def _not_found(root: Path, name: str, ids: list[str], fitting: list[Path]) -> str:
    if fitting:
        some = ", ".join(folder.name for folder in fitting[:3])
        return f'"{name}" begins {len(fitting)} runs ({some}); write more of the id'
    if not ids:
        return f'no run "{name}": {root}/runs holds none yet; run one with `checkout-sim run`'
    near = difflib.get_close_matches(name, ids, n=1, cutoff=0.3)
    nearest = f'; did you mean "{near[0]}"?' if near else ""
    return (
        f'no run "{name}" among {len(ids)} in {root}/runs{nearest} (`checkout-sim runs` lists them)'
    )
