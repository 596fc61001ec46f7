from pathlib import Path

import pytest

from tests.architecture.test_laziness import HEAVY
from tests.integration.pytest_plugin.session import LOST, pytest_in

TELL_MODULES = """
import sys

def pytest_unconfigure(config):
    print("\\nloaded:", *sorted(sys.modules))
"""


def modules_after(folder: Path, *arguments: str) -> set[str]:
    """Return what a session with this plugin and no other has imported."""
    (folder / "conftest.py").write_text(TELL_MODULES, encoding="utf-8")
    ended = pytest_in(folder, *arguments)
    assert ended.code == pytest.ExitCode.OK, ended.out
    (line,) = [one for one in ended.out.splitlines() if one.startswith("loaded: ")]
    return set(line.split()[1:])


def test_a_session_without_checkouts_imports_nothing_of_ours_but_the_plugin(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_sums():\n    assert 1 + 1 == 2\n")
    modules = modules_after(tmp_path)

    ours = {name for name in modules if name.startswith(("checkout_sim", "services"))}
    assert ours == {"checkout_sim", "checkout_sim.pytest_plugin"}
    assert {name.partition(".")[0] for name in modules} & HEAVY == set()


def test_collecting_scenarios_loads_what_reads_them_and_no_stack(tmp_path: Path) -> None:
    (tmp_path / "lost.scenario.yaml").write_text(LOST, encoding="utf-8")
    modules = modules_after(tmp_path, "--collect-only")

    assert "checkout_sim.scenario_files.load" in modules
    assert {"checkout_sim.stack", "checkout_sim.simulation", "rich"} & modules == set()
