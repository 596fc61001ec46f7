"""Pruning takes the oldest runs and never one that is in use, whoever else prunes or begins."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from checkout_sim.archive.in_use import in_use, using
from checkout_sim.archive.index import list_runs
from checkout_sim.archive.prune import prune
from checkout_sim.archive.runs import begin_run, find_run
from checkout_sim.model.errors import CheckoutSimError
from tests.unit.archive.stories import archived


def left(root: Path) -> list[str]:
    return sorted(folder.name for folder in (root / "runs").iterdir())


def test_the_newest_are_kept(tmp_path: Path) -> None:
    folders = [archived(tmp_path, later_s=n) for n in range(5)]
    pruned = prune(tmp_path, keep=2)

    assert left(tmp_path) == [folder.name for folder in folders[3:]]
    assert [run.id for run in pruned.gone] == [folder.name for folder in reversed(folders[:3])]
    assert pruned.freed_bytes > 0
    assert find_run(tmp_path, "latest") == folders[4]


def test_a_dry_run_says_what_would_go_and_takes_nothing(tmp_path: Path) -> None:
    folders = [archived(tmp_path, later_s=n) for n in range(3)]

    assert len(prune(tmp_path, keep=1, dry_run=True).gone) == 2
    assert left(tmp_path) == [folder.name for folder in folders]


def test_a_run_in_use_is_spared_and_goes_when_it_is_free(tmp_path: Path) -> None:
    old = archived(tmp_path)
    new = archived(tmp_path, later_s=1)
    with using(old), using(old):
        assert [run.id for run in prune(tmp_path, keep=1).spared] == [old.name]
        assert left(tmp_path) == [old.name, new.name]

    assert [run.id for run in prune(tmp_path, keep=1).gone] == [old.name]


def test_a_run_is_in_use_from_its_first_moment(tmp_path: Path) -> None:
    with begin_run(tmp_path, scenario="calm", strategy="naive", seed=1) as folder:
        assert in_use(folder)
        assert prune(tmp_path, keep=0).gone == ()

    assert not in_use(folder)


def test_a_run_whose_writer_was_killed_is_free(tmp_path: Path) -> None:
    folder = archived(tmp_path, verdict=None)
    program = (
        "import sys; from pathlib import Path; from checkout_sim.archive.in_use import using\n"
        "with using(Path(sys.argv[1])):\n    print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert in_use(folder)
        holder.kill()
        holder.wait(30)

    assert not in_use(folder)


def test_two_that_prune_at_once_take_each_run_once(tmp_path: Path) -> None:
    for n in range(30):
        archived(tmp_path, later_s=n)
    with ThreadPoolExecutor(4) as pool:
        each = list(pool.map(lambda _: prune(tmp_path, keep=10), range(4)))

    gone = [run.id for pruned in each for run in pruned.gone]
    assert len(gone) == len(set(gone)) == 20
    assert len(left(tmp_path)) == 10


def test_runs_that_begin_while_another_prunes_are_never_taken(tmp_path: Path) -> None:
    def begin(n: int) -> bool:
        with begin_run(tmp_path, scenario="s", strategy="naive", seed=n) as folder:
            return (folder / "run.json").exists()

    with ThreadPoolExecutor(8) as pool:
        pruning = [pool.submit(prune, tmp_path, keep=0) for _ in range(20)]
        begun = [pool.submit(begin, n) for n in range(40)]

        assert all(one.result() for one in begun)
        assert all(one.result().spared is not None for one in pruning)


def test_what_a_killed_pruner_left_is_never_listed_and_goes_next_time(tmp_path: Path) -> None:
    folder = archived(tmp_path)
    folder.rename(folder.with_name(f".going-{folder.name}"))

    assert list_runs(tmp_path) == []
    prune(tmp_path, keep=5)
    assert left(tmp_path) == []


def test_a_latest_that_leads_nowhere_goes_with_its_run(tmp_path: Path) -> None:
    archived(tmp_path)
    prune(tmp_path, keep=0)

    assert not (tmp_path / "latest").is_symlink()


def test_pruning_an_archive_that_is_not_there_does_nothing(tmp_path: Path) -> None:
    assert prune(tmp_path / "nowhere", keep=3).gone == ()
    assert not (tmp_path / "nowhere").exists()


def test_a_run_that_cannot_be_deleted_is_named(tmp_path: Path) -> None:
    folder = archived(tmp_path)
    folder.with_name(f".going-{folder.name}").mkdir()
    (folder.with_name(f".going-{folder.name}") / "in the way").write_text("")

    with pytest.raises(CheckoutSimError, match=f"{folder.name}: cannot be deleted"):
        prune(tmp_path, keep=0)
