import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def linted(folder: Path) -> "subprocess.CompletedProcess[str]":
    linter = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [linter, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={"PYTHONPATH": str(folder), "PATH": ""},
    )


def test_imports_keep_every_contract() -> None:
    told = linted(ROOT)

    assert told.returncode == 0, told.stdout[-3000:] + told.stderr[-1000:]
    assert " 0 broken." in told.stdout


def test_every_package_stands_on_a_floor() -> None:
    # `exhaustive` in the contracts is what makes a new package an error; keep it there.
    contracts = (ROOT / "pyproject.toml").read_text(encoding="utf-8")

    assert contracts.count("exhaustive = true") == 2


PLANTED = [
    ("checkout_sim/model/fault.py", "import checkout_sim.cli.exits"),
    ("checkout_sim/checks/judge.py", "import time"),
    ("checkout_sim/runner/execute.py", "import checkout_sim.archive.runs"),
    ("checkout_sim/reports/phrases.py", "import services.order"),
    ("services/order/app.py", "import services.payment"),
    ("services/payment/app.py", "import random"),
    ("checkout_sim/cli/run.py", "import toxiproxy"),
]


@pytest.mark.parametrize(
    ("module", "line"), PLANTED, ids=lambda value: str(value).rpartition("/")[2]
)
def test_a_planted_breach_is_found(module: str, line: str, tmp_path: Path) -> None:
    for package in ("checkout_sim", "services"):
        for source in (ROOT / package).rglob("*.py"):
            copy = tmp_path / source.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(source.read_bytes())
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    breach = tmp_path / module
    breach.write_text(breach.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")

    told = linted(tmp_path)
    assert told.returncode == 1, told.stdout[-2000:] + told.stderr[-1000:]
    assert " 1 broken." in told.stdout or " 2 broken." in told.stdout
