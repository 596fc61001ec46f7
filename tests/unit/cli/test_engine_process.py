"""The dashboard's engine as a child: what it says at its start and end, and where that goes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from checkout_sim.cli.engine_process import started_engine
from checkout_sim.model.errors import EngineGone

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _own_runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))


def test_an_engine_that_does_not_start_is_told_once_with_status_and_last_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with (
        pytest.raises(
            EngineGone, match=r'exit status 4; it said last:\n.*"hopeful" does not exist'
        ),
        started_engine(["--strategy", "hopeful"]) as engine,
    ):
        engine.socket()

    assert capsys.readouterr().err == ""


def test_an_engine_that_is_killed_as_it_starts_is_told_to_be() -> None:
    with started_engine(["--strategy", "naive"]) as engine:
        engine.process.kill()
        with pytest.raises(EngineGone, match="killed by SIGKILL; it said nothing"):
            engine.socket()


def test_an_engine_that_is_killed_later_says_how_it_ended(tmp_path: Path) -> None:
    with started_engine(["--strategy", "naive", "--runs-dir", str(tmp_path)]) as engine:
        engine.socket()
        engine.process.kill()

        assert engine.why_ended() == "killed by SIGKILL; it said nothing"


def tui(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "checkout_sim", "tui", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_without_a_terminal_one_is_told_what_to_use_instead(tmp_path: Path) -> None:
    ended = tui(cwd=tmp_path)

    assert ended.returncode == 2
    assert "--watch" in ended.stderr
    assert not (tmp_path / ".checkout-sim").exists(), "nothing was started"


def test_a_recording_that_is_damaged_is_told_before_a_screen_is_drawn(tmp_path: Path) -> None:
    (tmp_path / "history.ndjson").write_text("{\n", encoding="utf-8")

    ended = tui("--replay", str(tmp_path), cwd=tmp_path)

    assert ended.returncode == 3
    assert f"{tmp_path / 'history.ndjson'}:1: " in ended.stderr


def test_a_folder_without_a_history_is_told_to_be_no_run(tmp_path: Path) -> None:
    ended = tui("--replay", str(tmp_path), cwd=tmp_path)

    assert ended.returncode == 2
    assert f"{tmp_path}: no history.ndjson in this folder" in ended.stderr
