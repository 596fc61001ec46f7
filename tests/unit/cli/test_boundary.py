import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from checkout_sim.cli.boundary import guarded
from checkout_sim.model.errors import Problem, ScenarioInvalid, StackDidNotStart, StrategyUnknown


def raising(error: BaseException) -> Callable[[Sequence[str]], None]:
    def command(_arguments: Sequence[str]) -> None:
        raise error

    return command


@pytest.fixture(autouse=True)
def _traceback_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def test_a_foreseen_error_is_told_in_its_own_words(capsys: pytest.CaptureFixture[str]) -> None:
    code = guarded([], raising(StackDidNotStart("port 3000 is taken; free it")))

    out, err = capsys.readouterr()
    assert (code, out, err) == (4, "", "checkout-sim: port 3000 is taken; free it\n")


def test_problems_begin_with_file_line_and_column(capsys: pytest.CaptureFixture[str]) -> None:
    problems = tuple(
        Problem(path="my.yaml", line=line, column=5, message="unknown key") for line in (9, 11)
    )
    code = guarded([], raising(ScenarioInvalid(problems)))

    told = "my.yaml:9:5: unknown key\nmy.yaml:11:5: unknown key\n"
    assert (code, capsys.readouterr().err) == (2, told)


def test_a_bug_is_one_line_and_its_traceback_a_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code = guarded([], raising(KeyError("order_id")))

    told = capsys.readouterr().err
    kept = next(tmp_path.glob("checkout-sim-*.traceback"))
    assert (code, told.count("\n")) == (70, 1)
    assert "internal error: KeyError: 'order_id'" in told
    assert str(kept) in told
    assert "Traceback (most recent call last)" in kept.read_text()


def test_a_traceback_that_cannot_be_kept_is_shown(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    code = guarded([], raising(KeyError("order_id")))

    assert code == 70
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_several_errors_at_once_are_all_told_and_the_worst_decides(
    capsys: pytest.CaptureFixture[str],
) -> None:
    both = ExceptionGroup("at once", [StrategyUnknown("no saga"), StackDidNotStart("no port")])
    code = guarded([], raising(both))

    assert (code, capsys.readouterr().err) == (4, "checkout-sim: no saga\ncheckout-sim: no port\n")


def test_an_interruption_anywhere_exits_130() -> None:
    assert guarded([], raising(KeyboardInterrupt())) == 130


def test_a_command_that_ends_by_itself_exits_0() -> None:
    assert guarded([], lambda _arguments: None) == 0


CTRL_C_DURING_IMPORTS = """
import sys

class Finger:
    def find_spec(self, name, *_):
        if name == sys.argv[1]:
            exec("raise KeyboardInterrupt")  # as within a dataclass being made

sys.meta_path.insert(0, Finger())
from checkout_sim.__main__ import main
main()
"""


@pytest.mark.parametrize("module", ["checkout_sim.cli.boundary", "checkout_sim.cli.app"])
def test_ctrl_c_exits_130_also_where_cpython_would_end_by_signal(
    module: str, tmp_path: Path
) -> None:
    # Only `python -m` is prone to it, so the story is run as a module.
    (tmp_path / "story.py").write_text(CTRL_C_DURING_IMPORTS)
    paths = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[3])])
    ended = subprocess.run(
        [sys.executable, "-m", "story", module],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": paths},
    )

    assert (ended.returncode, ended.stderr) == (130, "")
