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


def test_an_engine_that_does_not_start_is_told_with_its_last_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with (
        pytest.raises(EngineGone, match="does not exist"),
        started_engine(["--strategy", "hopeful"]) as engine,
    ):
        engine.socket()

    assert "hopeful" in capsys.readouterr().err


def test_without_a_terminal_one_is_told_what_to_use_instead(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "checkout_sim", "tui"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ended.returncode == 2
    assert "--watch" in ended.stderr
    assert not (tmp_path / ".checkout-sim").exists(), "nothing was started"
