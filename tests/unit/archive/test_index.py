"""The index remembers what folders said, and is never believed against them."""

import os
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from checkout_sim.archive import index
from checkout_sim.archive.index import COLUMNS, INDEX_NAME, list_runs, reindex
from checkout_sim.archive.index_table import IndexedRun
from checkout_sim.archive.runs import write_verdict
from tests.unit.archive.stories import archived


def ids(root: Path) -> list[str]:
    return [run.id for run in list_runs(root)]


def remembered(root: Path) -> set[str]:
    with closing(sqlite3.connect(root / INDEX_NAME)) as db:
        return {row[0] for row in db.execute("SELECT id FROM run")}


def forge(root: Path, sql: str) -> None:
    with closing(sqlite3.connect(root / INDEX_NAME)) as db, db:
        db.execute(sql)


def test_the_quick_reader_knows_the_columns_of_the_table() -> None:
    assert tuple(IndexedRun.__table__.columns.keys()) == COLUMNS  # type: ignore[attr-defined]


def test_a_list_is_the_same_with_an_index_and_without(tmp_path: Path) -> None:
    violations = [{"invariant": "replies_are_true"}, {"invariant": "replies_are_true"}]
    orders, engine = {"total": 5}, {"name": "embedded"}
    archived(tmp_path, "calm", orders=orders, engine=engine, violations=violations)
    archived(tmp_path, "refused", later_s=5, verdict=None)
    (tmp_path / "runs" / "by-hand").mkdir()
    without = list_runs(tmp_path)

    assert not (tmp_path / INDEX_NAME).exists()
    assert reindex(tmp_path) == 3
    assert list_runs(tmp_path) == without
    assert (without[1].engine, without[1].checkouts) == ("embedded", 5)
    assert without[1].broken == ("replies_are_true",)


def test_what_is_indexed_is_not_read_again(tmp_path: Path) -> None:
    folder = archived(tmp_path)
    reindex(tmp_path)
    forge(tmp_path, "UPDATE run SET scenario = 'remembered'")

    assert [run.scenario for run in list_runs(tmp_path)] == ["remembered"]
    os.utime(folder / "verdict.json", ns=(1, 1))
    assert [run.scenario for run in list_runs(tmp_path)] == ["calm"]


def test_an_index_follows_runs_that_came_ended_and_went(tmp_path: Path) -> None:
    first = archived(tmp_path)
    second = archived(tmp_path, later_s=1, verdict=None)
    reindex(tmp_path)

    third = archived(tmp_path, later_s=2)
    write_verdict(second, {"verdict": "valid", "as_expected": True})
    shutil.rmtree(first)

    assert [(run.id, run.verdict) for run in list_runs(tmp_path)] == [
        (third.name, "invalid"),
        (second.name, "valid"),
    ]
    assert remembered(tmp_path) == {second.name, third.name}


def test_a_large_archive_gets_an_index_by_being_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "_FEW", 3)
    folders = [archived(tmp_path, later_s=n) for n in range(4)]

    assert ids(tmp_path) == [folder.name for folder in reversed(folders)]
    assert remembered(tmp_path) == set(ids(tmp_path))


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.write_bytes(b"no database at all" * 100),
        lambda path: path.write_bytes(path.read_bytes()[:5000]),
        lambda path: forge(path.parent, "PRAGMA user_version = 99"),
        lambda path: forge(path.parent, "DROP TABLE run"),
    ],
    ids=["garbage", "cut short", "of another version", "without its table"],
)
def test_a_damaged_index_costs_time_and_nothing_else(tmp_path: Path, harm: object) -> None:
    folder = archived(tmp_path)
    reindex(tmp_path)
    assert callable(harm)
    harm(tmp_path / INDEX_NAME)

    assert ids(tmp_path) == [folder.name]
    assert reindex(tmp_path) == 1
    assert remembered(tmp_path) == {folder.name}


def test_an_index_that_another_holds_is_read_around(tmp_path: Path) -> None:
    reindex(tmp_path)
    archived(tmp_path)
    reindex(tmp_path)
    second = archived(tmp_path, later_s=1)
    with closing(sqlite3.connect(tmp_path / INDEX_NAME)) as db:
        db.execute("BEGIN EXCLUSIVE")
        assert ids(tmp_path)[0] == second.name
        db.execute("ROLLBACK")

    assert ids(tmp_path)[0] == second.name
    assert second.name in remembered(tmp_path)


def test_many_may_list_and_index_at_once(tmp_path: Path) -> None:
    for n in range(20):
        archived(tmp_path, later_s=n)
    reindex(tmp_path)
    archived(tmp_path, later_s=20)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: ids(tmp_path), range(32)))

    assert all(one == found[0] for one in found)
    assert len(found[0]) == 21


def test_an_index_of_an_empty_archive_is_empty(tmp_path: Path) -> None:
    assert reindex(tmp_path / "new") == 0
    assert list_runs(tmp_path / "new") == []


def test_listing_an_indexed_archive_loads_no_sqlmodel(tmp_path: Path) -> None:
    archived(tmp_path)
    reindex(tmp_path)
    archived(tmp_path, later_s=1)
    program = (
        "import sys; from pathlib import Path; from checkout_sim.archive.index import list_runs\n"
        "found = list_runs(Path(sys.argv[1]))\n"
        "print(len(found), {'sqlmodel', 'sqlalchemy', 'rich'} & set(sys.modules))"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert told.stdout == "2 set()\n"
