import re
from pathlib import Path

from tests.integration.pytest_plugin.session import LOST, pytest_in

PAGE = Path(__file__).parents[3] / "docs" / "pytest.md"
EXAMPLE = re.compile(r"^`(\S+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)

MISUSED = '''
import asyncio
from pathlib import Path

import pytest


def test_which_strategy(checkout_run):
    checkout_run("lost-response-silent")


def test_no_such_name(checkout_run):
    checkout_run("lost-respones-silent", strategy="naive")


def test_within_a_loop(checkout_run):
    async def within():
        checkout_run("calm", strategy="naive")

    asyncio.run(within())


@pytest.mark.checkout(stratgy="naive")
def test_marker(checkout_run):
    pass


def test_text(checkout_run):
    checkout_run("""version: 1
name: told
why: x
expect: {hardend: valid}
""")
'''

FAILING = """
def test_sound(checkout_run):
    run = checkout_run("lost.scenario.yaml", strategy="naive", seed=3)
    assert run.seed == 3
    assert run.as_expected is True
"""


def test_the_documented_example_runs_as_it_stands_on_two_workers_apart(tmp_path: Path) -> None:
    examples = dict(EXAMPLE.findall(PAGE.read_text(encoding="utf-8")))
    assert set(examples) == {"lost-answer.scenario.yaml", "test_checkout.py"}
    for name, text in examples.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    ended = pytest_in(tmp_path, "-n", "2", installed=True)

    assert ended.outcomes == {
        ("lost-answer.scenario.yaml::naive", "PASSED"),
        ("lost-answer.scenario.yaml::hardened", "PASSED"),
        ("test_checkout.py::test_a_lost_answer_costs_nobody_money", "PASSED"),
        ("test_checkout.py::test_naive_charges_for_an_order_that_failed", "PASSED"),
        ("test_checkout.py::test_a_calm_day_is_written_down_in_the_test", "PASSED"),
    }, ended.out
    archives = {path.parents[2].name for path in tmp_path.glob("kept/*/checkout-sim0/runs/*")}
    assert archives == {"popen-gw0", "popen-gw1"}


def test_a_failing_test_shows_its_run(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(FAILING, encoding="utf-8")
    (tmp_path / "lost.scenario.yaml").write_text(LOST, encoding="utf-8")
    ended = pytest_in(tmp_path, "test_it.py", "--checkout-runs-dir=mine")

    assert ended.outcomes == {("test_it.py::test_sound", "FAILED")}
    assert "invalid (expected valid)  seed 3" in ended.out
    command = "Reproduce with: checkout-sim run lost.scenario.yaml --strategy naive --seed 3"
    assert command in ended.out
    kept = [folder.name for folder in (tmp_path / "mine" / "runs").iterdir()]
    assert kept
    assert all("-lost-naive-3-" in name for name in kept), kept  # more, if the machine stood still


def test_what_is_asked_wrongly_is_answered_with_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(MISUSED, encoding="utf-8")
    ended = pytest_in(tmp_path, "--checkout-runs-dir=mine")

    assert {outcome for _, outcome in ended.outcomes} == {"FAILED", "ERROR"}
    for said in (
        "lost-response-silent expects something of naive, hardened, orchestrated, choreographed;",
        'did you mean "lost-response-silent"?',
        "call it from a plain `def` test or fixture, not `async def`",
        "takes strategy=… and engine=… by name, found ['stratgy']",
        "told.yaml:4:10: ",
    ):
        assert said in ended.out, ended.out
    assert not (tmp_path / "mine").exists()
