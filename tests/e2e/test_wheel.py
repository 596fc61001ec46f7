"""The built wheel, installed where nothing else is, runs a shipped scenario by its name.

Only the wheel goes into the empty environment. What it depends on is lent by the environment that
runs the tests, through one line of a `.pth` file: to install forty packages again would test the
package index, not the wheel. Such a line lends plain folders only: the editable checkout_sim of a
developer stays behind, and the first test holds us to that.
"""

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
LIMIT_S = 120

pytestmark = pytest.mark.xdist_group("wheel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A wheel, the empty environment it went into, and the empty folder we stand in."""

    wheel: Path
    environment: Path
    folder: Path

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        program, *arguments = command
        return subprocess.run(
            [self.environment / "bin" / program, *arguments],
            cwd=self.folder,
            env=bare(os.environ),
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
        )


def bare(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what would lead back to the checkout."""
    ours = ("PYTHON", "VIRTUAL_ENV", "CHECKOUT_SIM", "PYTEST")
    return {name: said for name, said in environment.items() if not name.startswith(ours)}


def python(*arguments: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    made = tmp_path_factory.mktemp("wheel")
    quiet = ("--quiet", "--disable-pip-version-check", "--no-deps")
    python("pip", "wheel", *quiet, "--no-build-isolation", "--wheel-dir", str(made), str(ROOT))
    (wheel,) = made.glob("*.whl")
    environment = made / "environment"
    venv.create(environment, with_pip=False)
    python("pip", "--python", str(environment / "bin" / "python"), "install", *quiet, str(wheel))
    (site_packages,) = environment.glob("lib/python*/site-packages")
    (site_packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    folder = made / "empty"
    folder.mkdir()
    return Installed(wheel=wheel, environment=environment, folder=folder)


def test_it_is_the_installed_package_that_runs(installed: Installed) -> None:
    found = installed.run(
        "python", "-c", "import checkout_sim, services; print(checkout_sim.__path__[0])"
    )

    assert Path(found.stdout.strip()).is_relative_to(installed.environment), found.stderr


def test_scenarios_services_schema_links_and_styles_are_inside(installed: Installed) -> None:
    inside = set(ZipFile(installed.wheel).namelist())

    shipped = {f"checkout_sim/scenarios/{path.name}" for path in ROOT.glob("scenarios/*.yaml")}
    assert shipped <= inside
    for path in (ROOT / "checkout_sim").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert path.relative_to(ROOT).as_posix() in inside
    assert {
        "checkout_sim/toxiproxy.json",
        "services/order/__main__.py",
        "services/payment/__main__.py",
        "services/gateway/__main__.py",
    } <= inside
    assert not {name for name in inside if name.startswith("tests/") or ".checkout-sim" in name}


def test_a_shipped_scenario_runs_by_name_from_an_empty_folder(installed: Installed) -> None:
    ended = installed.run("checkout-sim", "run", "lost-response-silent", "--engine", "embedded")

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "0 not as expected, 0 unknown" in ended.stdout
    assert [path.name for path in installed.folder.iterdir()] == [".checkout-sim"]


def test_schema_and_catalogue_are_there_without_the_checkout(installed: Installed) -> None:
    assert installed.run("checkout-sim", "schema", "report").returncode == 0
    listed = installed.run("checkout-sim", "list")
    assert "lost-response-silent" in listed.stdout, listed.stderr
