"""`runs` and its family on archives made by hand: filters, JSON, half-written runs, pruning."""

import json
from pathlib import Path
from typing import Any

import pytest

from checkout_sim.archive.in_use import using
from checkout_sim.archive.recorder import HISTORY_NAME
from checkout_sim.archive.runs import write_lock
from checkout_sim.cli.boundary import guarded
from checkout_sim.engine.session import planned_session
from checkout_sim.model.history import Observation
from checkout_sim.model.scenario import StackSpec
from checkout_sim.ndjson import encode
from checkout_sim.planning.expand import expand
from checkout_sim.planning.lock import lock_text
from tests.unit.archive.stories import archived
from tests.unit.planning.scenarios import scenario

ARCHIVE = Path(".checkout-sim")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def four() -> list[Path]:
    archived(ARCHIVE, "calm", "naive", verdict="valid")
    archived(ARCHIVE, "calm", "hardened", later_s=1, verdict="valid")
    folder = archived(ARCHIVE, "lost", "hardened", later_s=2, verdict=None)
    broken = archived(ARCHIVE, "lost", "naive", later_s=3)
    (broken / "verdict.json").write_text('{"verdict": "invalid", "as_expected": false}')
    return [folder, broken]


def entered(number: int, phase: str, *, t_ms: float) -> bytes:
    data = {"phase": phase}
    return encode(
        Observation(id=number, t_ms=t_ms, source="runner", kind="phase.entered", data=data)
    )


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    assert guarded(["runs", *arguments, "--json"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ((), ["lost naive", "lost hardened", "calm hardened", "calm naive"]),
        (("--limit", "1"), ["lost naive"]),
        (("--scenario", "calm"), ["calm hardened", "calm naive"]),
        (("--strategy", "naive"), ["lost naive", "calm naive"]),
        (("--verdict", "invalid"), ["lost naive"]),
        (("--verdict", "unfinished"), ["lost hardened"]),
        (("--unexpected",), ["lost naive"]),
        (("--unexpected", "--scenario", "calm"), []),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_runs_are_filtered(
    filters: tuple[str, ...], found: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    runs = listed(capsys, *filters)

    assert [f"{run['scenario']} {run['strategy']}" for run in runs] == found


@pytest.mark.usefixtures("four")
def test_a_filter_that_leaves_nothing_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(["runs", "--scenario", "absent"]) == 0

    assert capsys.readouterr().err == "none of 4 runs is of that kind\n"


def test_a_run_going_on_is_told_from_one_that_was_cut_short(
    four: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    with using(four[0]):
        assert listed(capsys, "--verdict", "unfinished")[0]["verdict"] == "running"
    assert listed(capsys, "--verdict", "unfinished")[0]["verdict"] == "unfinished"


def test_a_half_written_run_is_shown_as_far_as_it_came(
    four: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    begun = Observation(
        id=1, t_ms=0.5, source="runner", kind="phase.entered", data={"phase": "start"}
    )
    storm = Observation(
        id=2, t_ms=900, source="runner", kind="phase.entered", data={"phase": "storm"}
    )
    (four[0] / HISTORY_NAME).write_bytes(encode(begun) + encode(storm) + b'{"id":3,"t_')
    assert guarded(["runs", "show", four[0].name]) == 0

    out = capsys.readouterr().out
    assert "verdict   unfinished\n" in out
    assert "history   2 observations, last phase: storm, 0.9 s after it began" in out
    assert "run.json" in out


def test_a_run_without_a_history_is_shown_all_the_same(
    four: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (four[0] / HISTORY_NAME).unlink()
    assert guarded(["runs", "show", four[0].name]) == 0

    assert "history   cannot be read: No such file" in capsys.readouterr().out


def test_an_archive_may_be_named_before_or_behind_the_subcommand(
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = archived(Path("elsewhere"))
    for arguments in (
        ["runs", "--runs-dir", "elsewhere", "show", "latest"],
        ["runs", "show", "latest", "--runs-dir", "elsewhere"],
    ):
        assert guarded(arguments) == 0
        assert folder.name in capsys.readouterr().out


def test_pruning_says_what_went_and_what_is_in_use(
    four: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    with using(four[0]):
        assert guarded(["runs", "prune", "--keep", "1"]) == 0

    out, err = capsys.readouterr()
    assert out.startswith("2 runs deleted, 0.0 MB freed")
    assert err == f"{four[0].name} is in use and stays\n"
    assert len(listed(capsys)) == 2


def test_a_dry_run_of_pruning_takes_nothing(
    four: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert guarded(["runs", "prune", "--keep", "0", "--dry-run"]) == 0

    assert four[0].name in capsys.readouterr().out
    assert len(listed(capsys)) == 4


@pytest.mark.usefixtures("four")
def test_the_index_can_be_made_anew(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(["runs", "reindex"]) == 0

    assert capsys.readouterr().out == "4 runs in .checkout-sim/index.sqlite\n"


@pytest.mark.usefixtures("four")
def test_how_many_to_keep_must_be_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(["runs", "prune"]) == 2

    assert "--keep" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("harm", "code", "told"),
    [
        (lambda lock: lock.unlink(), 3, "without its lock a run cannot be replayed"),
        (lambda lock: lock.write_text("lock_version: 7\n"), 3, "lock_version is 7"),
        (lambda lock: lock.write_text("half a lo"), 3, "not a lock as checkout-sim writes it"),
        (lambda lock: lock.write_bytes(b"\xff\xfe"), 3, "not UTF-8"),
    ],
    ids=["missing", "of another version", "damaged", "binary"],
)
def test_a_run_that_cannot_be_replayed_says_why_and_starts_nothing(
    harm: Any, code: int, told: str, four: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    story = scenario()
    plan = expand(story, seed=1)
    write_lock(four[0], lock_text(plan, story, strategy="naive", versions={}))
    harm(four[0] / "scenario.lock")

    assert guarded(["replay", four[0].name]) == code
    assert told in capsys.readouterr().err
    assert len(listed(capsys)) == 4


def test_a_live_session_is_not_replayed_but_saved_as_a_scenario_first(
    four: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    session = planned_session("naive", StackSpec())
    text = lock_text(session.plan, session.scenario, strategy="naive", versions={})
    write_lock(four[0], text)

    assert guarded(["replay", four[0].name]) == 2
    told = capsys.readouterr().err
    assert f"{four[0].name} was a live session" in told
    assert f"checkout-sim tui --replay {four[0].name}" in told
    assert len(listed(capsys)) == 4


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["judge", "latest", "--also", "charged_at_most_twice"], 'did you mean "charged_at_most_'),
        (["judge", "latest", "--invariants", "all"], "all"),
        (["replay", "latest", "--times", "0"], "greater than or equal to 1"),
        (["replay", "absent"], 'no run "absent"'),
        (["diff", "latest", "absent"], 'no run "absent"'),
        (["run", "--shard", "6/5"], "write K/N"),
        (["run", "--baseline", "absent.json"], "absent.json: cannot be read"),
        (["run", "--baseline", "text.json"], "text.json: not JSON"),
        (["run", "--baseline", "list.json"], "list.json: not a report of checkout-sim"),
        (["run", "--junit", "gone/r.xml"], "no folder"),
        (["run", "--markdown", "."], "is a folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
@pytest.mark.usefixtures("four")
def test_wrong_usage_exits_2_and_says_what_would_be_right(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("text.json").write_text("no json")
    Path("list.json").write_text("[]")
    assert guarded(arguments) == 2

    assert told in capsys.readouterr().err


def test_a_shard_with_nothing_in_it_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(["run", "lost-response-silent", "--shard", "2/2"]) == 0

    assert "part 2/2 holds no scenario" in capsys.readouterr().err
