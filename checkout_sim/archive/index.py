"""Every archived run, quickly: `<root>/index.sqlite` remembers what the folders said.

Takes the archive's root, gives summaries. The folders are the truth and the index a memory of
them: each listing compares names and the times of verdicts, reads the folders that differ, and
remembers them. So runs write nothing here, two at once never meet, and an index that is missing,
damaged or of another version only costs time.
"""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from checkout_sim.archive.summaries import RunSummary, moment, newest_first, stamp, summary
from checkout_sim.model.errors import CheckoutSimError, HistoryUnreadable

INDEX_NAME = "index.sqlite"
INDEX_VERSION = 1
COLUMNS = (
    *("id", "stamp", "began", "scenario", "strategy", "seed"),
    *("verdict", "as_expected", "engine", "checkouts", "broken"),
)

_FEW = 200  # folders that are read sooner than SQLModel is imported
_PATIENCE_S = 1.0
_NAMES = ", ".join(COLUMNS)
_SELECT = f"SELECT {_NAMES} FROM run"  # noqa: S608 - our own names
_KEEP = f"REPLACE INTO run ({_NAMES}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 - ours

_Stamped = tuple[int, RunSummary]


def list_runs(root: Path) -> list[RunSummary]:
    """Return every archived run, newest first; a folder that tells nothing is still listed.

    Raises HistoryUnreadable where the folders themselves cannot be listed.
    """
    folders = run_folders(root)
    known = _remembered(root)
    stamps = {folder.name: stamp(folder) for folder in folders}
    fresh = [one for one in folders if known.get(one.name, (None,))[0] != stamps[one.name]]
    read = {one.name: (stamps[one.name], summary(one)) for one in fresh}
    gone = known.keys() - stamps.keys()
    found = {name: read.get(name) or known[name] for name in stamps}
    if len(read) > _FEW:
        with suppress(CheckoutSimError):  # an archive that may only be read is listed all the same
            _make(root, found)
    elif known and (read or gone):
        _follow_up(root, read, sorted(gone))
    return newest_first([run for _, run in found.values()])


def reindex(root: Path) -> int:
    """Make the index anew from the folders; return how many runs it holds.

    Raises CheckoutSimError where it cannot be written, HistoryUnreadable where nothing can be read.
    """
    folders = run_folders(root)
    found = {folder.name: (stamp(folder), summary(folder)) for folder in folders}
    _make(root, found)
    return len(found)


def run_folders(root: Path) -> list[Path]:
    """Return the folders of all runs, in no order. Raises HistoryUnreadable."""
    try:
        with os.scandir(root / "runs") as entries:  # which knows folders without asking for each
            return [Path(one.path) for one in entries if one.name[0] != "." and one.is_dir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise HistoryUnreadable(f"{root}/runs: cannot be listed: {error.strerror}") from error


def _remembered(root: Path) -> dict[str, _Stamped]:
    """Return what the index remembers; nothing where there is none or it cannot be used."""
    path = root / INDEX_NAME
    if not path.is_file():
        return {}
    try:
        with closing(_connected(path)) as db:
            if db.execute("PRAGMA user_version").fetchone() != (INDEX_VERSION,):
                return {}
            runs = root / "runs"
            return {row[0]: (row[1], _summary(runs, row)) for row in db.execute(_SELECT)}
    except sqlite3.Error:
        return {}


def _follow_up(root: Path, read: dict[str, _Stamped], gone: Sequence[str]) -> None:
    """Remember a few runs more and forget those that are gone; a busy index is left as it is."""
    with suppress(sqlite3.Error), closing(_connected(root / INDEX_NAME)) as db, db:
        db.executemany(_KEEP, [_row(*one) for one in read.values()])
        db.executemany("DELETE FROM run WHERE id = ?", [(name,) for name in gone])


def _make(root: Path, found: dict[str, _Stamped]) -> None:
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - 350 ms, once in a thousand runs

    from checkout_sim.archive.index_table import create  # noqa: PLC0415 - 600 ms, likewise

    rows = [dict(zip(COLUMNS, _row(*one), strict=True)) for one in found.values()]
    try:
        root.mkdir(parents=True, exist_ok=True)
        create(root / INDEX_NAME, rows, version=INDEX_VERSION)
    except (OSError, SQLAlchemyError) as error:
        raise CheckoutSimError(
            f"{root / INDEX_NAME}: the index cannot be written: {error}; runs are listed without "
            "it, only slower"
        ) from error


def _connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_PATIENCE_S)


def _row(stamped: int, run: RunSummary) -> tuple[object, ...]:
    began = run.began.isoformat() if run.began else None
    facts = (run.id, stamped, began, run.scenario, run.strategy, run.seed)
    return (
        *(*facts, run.verdict, run.as_expected),
        *(run.engine, run.checkouts, " ".join(run.broken)),
    )


def _summary(runs: Path, row: tuple[str, ...]) -> RunSummary:
    said = dict(zip(COLUMNS, row, strict=True))
    as_expected = said["as_expected"]
    return RunSummary(
        id=said["id"],
        folder=runs / said["id"],
        began=moment(said["began"]),
        scenario=said["scenario"],
        strategy=said["strategy"],
        seed=None if said["seed"] is None else int(said["seed"]),
        verdict=said["verdict"],
        as_expected=None if as_expected is None else bool(as_expected),
        engine=said["engine"],
        checkouts=None if said["checkouts"] is None else int(said["checkouts"]),
        broken=tuple(said["broken"].split()),
    )
