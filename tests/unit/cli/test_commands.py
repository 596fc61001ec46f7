import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from checkout_sim.archive.runs import new_run_folder, write_verdict
from checkout_sim.cli.boundary import guarded

COMMANDS = [
    *("run", "list", "validate", "schema", "judge", "replay", "diff", "runs", "up", "doctor"),
    *("explain", "report"),
]
BELOW = ["runs show", "runs prune", "runs reindex", "toxiproxy install"]

CALM = """\
version: 1
name: mine
why: Nothing breaks.
load: {checkouts: 2}
expect:
  naive: valid
  hardened: valid
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)


@pytest.mark.parametrize(
    "command", [*COMMANDS, "runs show", "runs prune", "runs reindex", "toxiproxy install"]
)
def test_every_command_explains_itself_with_examples(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guarded([*command.split(), "--help"]) == 0

    out, err = capsys.readouterr()
    assert err == ""
    assert f"Usage: checkout-sim {command}" in out
    assert f"  checkout-sim {command}" in out.split("Examples:")[1]
    assert max(map(len, out.splitlines())) <= 100


def test_the_first_help_lists_every_command_and_exit_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert guarded(["--help"]) == 0

    out = capsys.readouterr().out
    listed = [line.split()[0] for line in out.split("Commands:")[1].splitlines() if line.strip()]
    assert {*COMMANDS, "toxiproxy"} <= set(listed)
    for code in ("0 ", "1 ", "2 ", "3 ", "4 ", "70 ", "130 "):
        assert code in out.split("Exit codes:")[1]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "missing.yaml"], "missing.yaml: no such file"),
        (["run", "lost-respons-silent"], 'did you mean "lost-response-silent"?'),
        (["run", "--strategy", "hardend"], 'did you mean "hardened"?'),
        (["up", "--strategy", "choreografed"], 'did you mean "choreographed"?'),
        (["run", "--json", "gone/report.json"], "no folder"),
        (["run", "--jobs", "0"], "greater than or equal to 1"),
        (["run", "--engine", "wireless"], "wireless"),
        (["judge", "latest"], "holds none yet; run one with `checkout-sim run`"),
        (["frobnicate"], "No such command 'frobnicate'"),
        (["judge"], "Missing argument 'RUN'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_exits_2_and_says_what_would_be_right(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guarded(arguments) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert told in err
    assert "Traceback" not in err


def test_list_names_each_scenario_with_the_verdicts_and_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.yaml").write_text(CALM)
    assert guarded(["list", "mine.yaml"]) == 0

    heading, row, reason, *_ = capsys.readouterr().out.splitlines()
    assert heading.split() == ["scenario", "naive", "hardened"]
    assert row.split() == ["mine", "valid", "valid"]
    assert reason == "    Nothing breaks."
    assert row.index("valid") == heading.index("naive")


def test_list_fits_a_terminal_of_80_columns_with_four_strategies(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert guarded(["list"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert "choreographed" in lines[0]
    assert max(len(line) for line in lines) <= 80


def test_list_shows_only_the_tag_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(["list", "--tag", "core"]) == 0

    out = capsys.readouterr().out
    assert "lost-response-silent" in out
    assert "retry-storm" not in out


def test_validate_reports_every_problem_of_every_file_and_exits_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.yaml").write_text(CALM)
    (tmp_path / "bad.yaml").write_text(CALM.replace("mine", "bad") + "colour: red\nsize: 3\n")
    assert guarded(["validate", "."]) == 2

    out, err = capsys.readouterr()
    assert out == "1 scenario is valid\n"
    assert [line.split(" ")[0] for line in err.splitlines()] == ["bad.yaml:8:1:", "bad.yaml:9:1:"]


def test_shipped_scenarios_are_valid(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(["validate"]) == 0
    assert "scenarios are valid" in capsys.readouterr().out


@pytest.mark.parametrize("of", ["scenario", "report"])
def test_schemas_are_json(of: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(["schema", of]) == 0
    assert json.loads(capsys.readouterr().out)["$schema"].endswith("2020-12/schema")


def test_runs_of_an_empty_archive_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(["runs"]) == 0

    out, err = capsys.readouterr()
    assert (out, "`checkout-sim run` makes some" in err) == ("", True)


def test_runs_are_listed_one_to_a_line_with_ids_to_copy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    began = datetime(2026, 11, 23, 5, 16, 33, tzinfo=UTC)
    name = "a-scenario-with-quite-a-long-name"
    folders = [
        new_run_folder(
            tmp_path / "archive",
            scenario=name,
            strategy="hardened",
            seed=seed,
            now=began + timedelta(seconds=seed),
        )
        for seed in (1, 2, 3)
    ]
    write_verdict(folders[2], {"verdict": "invalid", "as_expected": False})
    assert guarded(["runs", "--runs-dir", "archive", "--limit", "2"]) == 0

    rows = [line.split() for line in capsys.readouterr().out.splitlines() if name in line]
    assert rows == [
        [folders[2].name, "2026-11-23", "05:16:36", name, "hardened", "invalid", "no"],
        [folders[1].name, "2026-11-23", "05:16:35", name, "hardened", "unfinished", "–"],  # noqa: RUF001
    ]


def started(*arguments: str, **more: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "checkout_sim", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **more},
    )


def test_a_reader_that_stops_reading_ends_the_command_quietly() -> None:
    command = started("list")
    assert command.stdout is not None
    assert command.stderr is not None
    command.stdout.close()

    told = command.stderr.read()
    command.stderr.close()
    assert (command.wait(60), told) == (0, "")


def test_no_color_is_obeyed_and_colour_can_be_forced() -> None:
    plain, _ = started("list", NO_COLOR="1", FORCE_COLOR="1").communicate(timeout=60)
    bold, _ = started("list", FORCE_COLOR="1").communicate(timeout=60)

    assert "\x1b[3" not in plain
    assert "\x1b[1m" in bold


def test_a_terminal_without_tick_marks_is_no_reason_to_fail() -> None:
    command = started("list", PYTHONIOENCODING="ascii")
    out, err = command.communicate(timeout=60)

    assert (command.returncode, err) == (0, "")
    assert "lost-response-silent" in out
