import asyncio
import json
import os
import re
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from checkout_sim.cli.files import Files
from checkout_sim.cli.progress import Seen
from checkout_sim.cli.reporting import run_and_report
from checkout_sim.model.errors import StackDidNotStart
from checkout_sim.model.run import Engine, Run
from tests.unit.reports.stories import TOXIPROXY, caught, regressed, run, undecided

Watch = Callable[[Seen], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    kind: str
    run_id: str = "r1"
    scenario: str = "calm"
    strategy: str = "naive"
    phase: str = ""
    done: int = 0
    total: int = 5
    engine: Engine | None = None
    note: str = ""


@dataclass(slots=True)
class Simulation:
    """Yields its runs, then ends as it is told; remembers that it was closed."""

    runs: Sequence[Run]
    then: Callable[[], Any] | None = None
    closed: list[bool] = field(default_factory=list)

    async def __call__(self, watch: Watch) -> AsyncIterator[Run]:
        try:
            watch(Said(kind="engine", engine=TOXIPROXY))
            for one in self.runs:
                yield one
            if self.then is not None:
                self.then()
                await asyncio.sleep(30)  # cut short by the signal, or the test has failed
        finally:
            self.closed.append(True)


def report(
    simulation: Simulation, tmp_path: Path, *, json_file: Path | None = None, strict: bool = False
) -> int:
    return run_and_report(
        simulation,
        asked=[("calm", "naive"), ("calm", "hardened")],
        runs_dir=tmp_path / "archive",
        files=Files(json=json_file),
        strict=strict,
    )


def test_results_go_to_stdout_and_progress_to_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = report(Simulation([caught(), run()]), tmp_path)

    out, err = capsys.readouterr()
    assert code == 0
    assert "✔ invalid" in out
    assert out.splitlines()[-1].startswith("Reproduce with: checkout-sim run ")
    assert err.splitlines() == [
        "proxy server: toxiproxy 2.12.0",
        "[1/2] ✔ lost-response-silent × naive: invalid (as expected)",  # noqa: RUF001
        "[2/2] ✔ calm × naive: valid (as expected)",  # noqa: RUF001
    ]


def test_a_pipe_gets_no_colours_and_no_trailing_blanks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report(Simulation([caught()]), tmp_path)

    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert not re.search(r"[ \t]+$", out, re.MULTILINE)


def test_the_worst_run_decides(tmp_path: Path) -> None:
    assert report(Simulation([caught(), undecided()]), tmp_path) == 3
    assert report(Simulation([undecided(), regressed()]), tmp_path) == 1
    assert report(Simulation([caught()]), tmp_path, strict=True) == 1


def test_the_report_is_written_as_json_as_well(tmp_path: Path) -> None:
    report(Simulation([caught(), run()]), tmp_path, json_file=tmp_path / "report.json")

    written = json.loads((tmp_path / "report.json").read_text())
    assert (written["version"], written["complete"]) == (1, True)
    assert [one["verdict"] for one in written["runs"]] == ["valid", "invalid"]
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_json_on_stdout_stands_there_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report(Simulation([caught()]), tmp_path, json_file=Path("-"))

    out, err = capsys.readouterr()
    assert json.loads(out)["runs"][0]["as_expected"] is True
    assert "✔ invalid" in err


def test_a_report_that_cannot_be_written_hides_no_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = report(Simulation([caught()]), tmp_path, json_file=tmp_path / "gone" / "report.json")

    out, err = capsys.readouterr()
    assert code == 70
    assert "✔ invalid" in out
    assert "the report cannot be written" in err


def test_a_simulation_that_stopped_at_a_surprise_is_not_complete(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = report(Simulation([regressed()]), tmp_path, json_file=tmp_path / "report.json")

    assert (code, json.loads((tmp_path / "report.json").read_text())["complete"]) == (1, False)
    assert "stopped after 1 of 2 runs" in capsys.readouterr().err


def no_stack() -> None:
    raise StackDidNotStart("port 3000 is taken by nginx; stop it")


def test_what_finished_before_an_error_is_still_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    simulation = Simulation([caught()], then=no_stack)
    code = report(simulation, tmp_path, json_file=tmp_path / "report.json")

    out, err = capsys.readouterr()
    written = json.loads((tmp_path / "report.json").read_text())
    assert (code, simulation.closed) == (4, [True])
    assert "✔ invalid" in out
    assert "checkout-sim: port 3000 is taken by nginx; stop it" in err
    assert (written["complete"], len(written["runs"])) == (False, 1)


def test_a_bug_outweighs_every_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    assert report(Simulation([regressed()], then=lambda: 1 // 0), tmp_path) == 70


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_closes_the_simulation_and_keeps_what_finished(
    number: signal.Signals, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    simulation = Simulation([caught()], then=lambda: os.kill(os.getpid(), number))
    code = report(simulation, tmp_path, json_file=tmp_path / "report.json")

    out, err = capsys.readouterr()
    assert (code, simulation.closed) == (130, [True])
    assert "✔ invalid" in out
    kept = tmp_path / "archive" / "runs"
    assert f"interrupted after 1 of 2 runs; history kept in {kept}" in err
    assert json.loads((tmp_path / "report.json").read_text())["complete"] is False


def test_no_run_at_all_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(Simulation([]), tmp_path) == 2
    assert "nothing was run" in capsys.readouterr().err
