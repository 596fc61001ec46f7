"""Files for other programs are whole, GitHub is told where it listens, and nothing is hidden."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from checkout_sim.cli.files import Files, Reported, write_files
from checkout_sim.reports.evidence import NotRun
from tests.unit.reports.stories import caught, regressed

RUNS = Reported(runs=[caught(), regressed()])


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_every_file_asked_for_is_written_and_no_other(tmp_path: Path) -> None:
    files = Files(json=Path("r.json"), junit=Path("r.xml"), markdown=Path("r.md"))

    assert write_files(files, RUNS, environment={}) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.json", "r.md", "r.xml"]
    assert len(json.loads(Path("r.json").read_text())["runs"]) == 2
    assert ET.parse("r.xml").getroot().get("name") == "checkout-sim"
    assert Path("r.md").read_text().startswith("### ✘ checkout-sim")


def test_a_dash_is_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert Files(junit=Path("-")).takes_stdout
    assert write_files(Files(junit=Path("-")), RUNS, environment={}) == 0

    assert ET.fromstring(capsys.readouterr().out).tag == "testsuites"


def test_one_file_that_cannot_be_written_hides_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = Files(json=tmp_path / "gone" / "r.json", junit=Path("r.xml"))

    assert write_files(files, RUNS, environment={}) == 70
    assert Path("r.xml").exists()
    assert "the report cannot be written" in capsys.readouterr().err


def test_the_step_summary_is_added_to_unless_markdown_goes_elsewhere(tmp_path: Path) -> None:
    summary = tmp_path / "summary"
    summary.write_text("what an earlier step said\n")
    github = {"GITHUB_STEP_SUMMARY": str(summary)}

    write_files(Files(markdown=Path("r.md")), RUNS, environment=github)
    assert summary.read_text() == "what an earlier step said\n"
    write_files(Files(), RUNS, environment=github)
    assert summary.read_text().startswith("what an earlier step said\n### ✘ checkout-sim")


def test_annotations_go_to_standard_output_under_github_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_files(Files(), RUNS, environment={})
    assert capsys.readouterr().out == ""

    write_files(Files(), RUNS, environment={"GITHUB_ACTIONS": "true"})
    assert capsys.readouterr().out.startswith("::error title=refused")


def test_annotations_leave_standard_output_to_a_report(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_files(Files(json=Path("-")), RUNS, environment={"GITHUB_ACTIONS": "true"})

    out, err = capsys.readouterr()
    assert json.loads(out)["version"] == 1
    assert "::error" in err


def test_an_annotation_names_the_line_of_a_scenario_that_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / regressed().scenario_path
    path.parent.mkdir()
    path.write_text("name: refused\nexpect:\n  hardened: valid\n")
    write_files(Files(), RUNS, environment={"GITHUB_ACTIONS": "true"})

    assert capsys.readouterr().out.startswith("::error file=scenarios/07-refused.yaml,line=3,")


def test_what_never_ran_is_in_every_file() -> None:
    missing = [NotRun(scenario="crash", strategy="naive", why="port 3000 is taken")]
    files = Files(junit=Path("r.xml"), markdown=Path("r.md"))
    write_files(files, Reported(runs=[], missing=missing), environment={})

    assert "port 3000 is taken" in Path("r.xml").read_text()
    assert "port 3000 is taken" in Path("r.md").read_text()
