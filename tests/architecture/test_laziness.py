import json
import subprocess
import sys
from pathlib import Path

import pytest

from checkout_sim.archive.runs import new_run_folder

# What the tool is made of, and --help must do without; each costs 20 to 400 ms (measured).
HEAVY = {
    *("aiohttp", "asyncio", "fastapi", "httpx", "psutil", "pydantic", "requests", "rich"),
    *("ruamel", "sqlalchemy", "sqlmodel", "starlette", "stripe", "textual", "toxiproxy"),
    *("uvicorn", "uvloop"),
}

LOADED_AFTER = """
import json, sys
sys.argv = ["checkout-sim", *sys.argv[1:]]
{what}
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""

COMMAND = """
from checkout_sim.__main__ import main
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
"""


def loaded_after(what: str, *arguments: str) -> set[str]:
    told = subprocess.run(
        [sys.executable, "-c", LOADED_AFTER.format(what=what), *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(json.loads(told.stderr.splitlines()[-1]))


def heavy(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules} & HEAVY


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["run", "--help"], ["up", "--help"], ["toxiproxy", "install", "--help"]],
    ids=" ".join,
)
def test_help_loads_nothing_that_only_runs_need(arguments: list[str]) -> None:
    modules = loaded_after(COMMAND, *arguments)

    assert heavy(modules) == set()
    assert "checkout_sim.model.scenario" not in modules


def test_the_version_costs_no_more_than_help() -> None:
    assert heavy(loaded_after(COMMAND, "--version")) == set()


def test_validating_starts_no_stack_and_loads_none() -> None:
    modules = loaded_after(COMMAND, "validate")

    assert heavy(modules) <= {"pydantic", "ruamel"} | {"asyncio"}
    assert not {name for name in modules if name.startswith("checkout_sim.stack")}


def test_the_package_itself_loads_nothing() -> None:
    modules = loaded_after("import checkout_sim, checkout_sim.__main__")

    assert not {name for name in modules if name.startswith("checkout_sim.")} - {
        "checkout_sim.__main__"
    }


@pytest.mark.parametrize(
    "module",
    [
        "checkout_sim.checks.judge",
        "checkout_sim.planning.expand",
        "checkout_sim.ndjson",
        "checkout_sim.reports.summary",
    ],
)
def test_judging_and_planning_are_headless(module: str) -> None:
    modules = loaded_after(f"import {module}")

    assert heavy(modules) == set()


def test_launching_the_fork_server_loads_next_to_nothing() -> None:
    # It is started first so that it preloads while the tool imports; it must not import first.
    assert heavy(loaded_after("import checkout_sim.stack.launch")) == set()


def test_the_tool_never_loads_a_service() -> None:
    modules = loaded_after("import checkout_sim.simulation, checkout_sim.cli.reporting")

    loaded = {name.partition(".")[0] for name in modules}
    assert not {"services", "fastapi", "stripe", "sqlmodel", "uvicorn"} & loaded


def test_a_gateway_without_an_endpoint_loads_neither_the_sdk_nor_the_metrics_client() -> None:
    modules = loaded_after("import services.gateway.__main__")

    assert not {"stripe", "prometheus_client"} & {name.partition(".")[0] for name in modules}


@pytest.mark.parametrize(
    "arguments", [["runs", "--strategy", "naive"], ["runs", "--unexpected"]], ids=" ".join
)
def test_listing_runs_loads_next_to_nothing(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_run_folder(tmp_path / "archive", scenario="calm", strategy="naive", seed=1)
    monkeypatch.setenv("CHECKOUT_SIM_RUNS_DIR", str(tmp_path / "archive"))
    modules = loaded_after(COMMAND, *arguments)

    assert heavy(modules) == set()
    assert not {name for name in modules if name.startswith("checkout_sim.stack")}
