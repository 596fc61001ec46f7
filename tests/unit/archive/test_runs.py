import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from checkout_sim.archive.index import list_runs
from checkout_sim.archive.recorder import HISTORY_NAME
from checkout_sim.archive.runs import (
    find_run,
    new_run_folder,
    read_verdict,
    write_verdict,
)
from checkout_sim.model.errors import CheckoutSimError, RunNotFound

DAWN = datetime(2026, 11, 23, 5, 16, 33, tzinfo=UTC)


def made(root: Path, scenario: str = "calm", *, later_s: int = 0, finished: bool = True) -> Path:
    now = DAWN + timedelta(seconds=later_s)
    folder = new_run_folder(root, scenario=scenario, strategy="naive", seed=1, now=now)
    (folder / HISTORY_NAME).write_bytes(b"{}\n")
    if finished:
        write_verdict(folder, {"verdict": "invalid", "as_expected": True})
    return folder


def test_an_id_says_when_what_and_with_which_seed(tmp_path: Path) -> None:
    folder = made(tmp_path, "lost-response-silent")

    assert re.fullmatch(r"20261123-051633-lost-response-silent-naive-1-[0-9a-f]{4}", folder.name)
    assert folder.parent == tmp_path / "runs"


def test_many_runs_of_one_second_never_share_a_folder(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: made(tmp_path), range(64)))

    assert len({folder.name for folder in folders}) == 64
    assert (tmp_path / "latest").resolve() in {folder.resolve() for folder in folders}
    assert [left for left in tmp_path.iterdir() if left.name.startswith(".latest")] == []


def test_latest_leads_to_the_run_begun_last(tmp_path: Path) -> None:
    made(tmp_path)
    second = made(tmp_path, later_s=1)

    assert (tmp_path / "latest").resolve() == second.resolve()
    assert find_run(tmp_path, "latest") == second


def test_latest_is_found_where_links_cannot_be_made(tmp_path: Path) -> None:
    made(tmp_path)
    second = made(tmp_path, later_s=1)
    (tmp_path / "latest").unlink()

    assert find_run(tmp_path, "latest") == second


def test_runs_are_listed_newest_first_with_their_verdicts(tmp_path: Path) -> None:
    made(tmp_path, "calm")
    made(tmp_path, "refused", later_s=5, finished=False)

    listed = [(run.scenario, run.verdict, run.as_expected) for run in list_runs(tmp_path)]
    assert listed == [("refused", None, None), ("calm", "invalid", True)]
    assert list_runs(tmp_path)[0].began == DAWN + timedelta(seconds=5)


def test_a_folder_that_tells_nothing_is_still_listed(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / "runs" / "by-hand").mkdir()
    (tmp_path / "runs" / "by-hand" / "verdict.json").write_text("not json")

    assert [run.id for run in list_runs(tmp_path)][-1] == "by-hand"


def test_an_archive_that_does_not_exist_holds_no_runs(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "nowhere") == []


def test_a_run_is_found_by_id_beginning_or_path(tmp_path: Path) -> None:
    folder = made(tmp_path)
    made(tmp_path, later_s=60)

    names = (folder.name, folder.name[:15], str(folder))
    assert [folder] * 3 == [find_run(tmp_path, name) for name in names]


def test_a_beginning_of_several_is_refused_naming_some(tmp_path: Path) -> None:
    first = made(tmp_path)
    made(tmp_path, later_s=1)

    with pytest.raises(RunNotFound, match=r"begins 2 runs .*write more") as caught:
        find_run(tmp_path, "2026")
    assert first.name in str(caught.value)


def test_a_run_that_is_not_there_is_refused_naming_the_nearest(tmp_path: Path) -> None:
    folder = made(tmp_path)

    with pytest.raises(RunNotFound, match=re.escape(f'did you mean "{folder.name}"')):
        find_run(tmp_path, folder.name.replace("calm", "clam"))


@pytest.mark.parametrize("name", ["latest", "anything", ""])
def test_an_empty_archive_says_how_to_fill_it(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunNotFound, match="holds none yet; run one"):
        find_run(tmp_path, name)


def test_a_verdict_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    folder = made(tmp_path)
    write_verdict(folder, {"verdict": "valid", "violations": []})

    assert read_verdict(folder) == {"verdict": "valid", "violations": []}
    assert [left for left in folder.iterdir() if left.name.startswith(".")] == []


def test_a_run_without_verdict_did_not_finish(tmp_path: Path) -> None:
    assert read_verdict(made(tmp_path, finished=False)) is None


def test_git_ignores_an_archive_that_the_tool_made(tmp_path: Path) -> None:
    made(tmp_path / "new")

    assert (tmp_path / "new" / ".gitignore").read_text() == "*\n"


def test_a_folder_that_was_there_before_is_not_hidden_from_git(tmp_path: Path) -> None:
    made(tmp_path)

    assert not (tmp_path / ".gitignore").exists()


def test_an_archive_that_cannot_be_written_is_told_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(CheckoutSimError, match=r"file: cannot keep a run here.*--runs-dir"):
        made(tmp_path / "file")


def test_what_a_run_is_of_is_written_before_it_begins(tmp_path: Path) -> None:
    folder = made(tmp_path, finished=False)

    assert json.loads((folder / "run.json").read_text()) == {
        "id": folder.name,
        "scenario": "calm",
        "strategy": "naive",
        "seed": 1,
        "began": "2026-11-23T05:16:33+00:00",
    }
