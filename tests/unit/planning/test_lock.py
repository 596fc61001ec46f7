"""The lock: readable YAML, everything in it, the same bytes on every machine."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from checkout_sim.model.scenario import Drawn, Load, StackSpec
from checkout_sim.planning.expand import expand
from checkout_sim.planning.lock import lock_text
from tests.unit.planning.scenarios import scenario, weather

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys
from pathlib import Path
from checkout_sim.planning.expand import expand
from checkout_sim.planning.lock import lock_text
from checkout_sim.scenario_files.load import link_names, load_scenario

story = load_scenario(
    Path("scenarios/33-swarm.yaml"), links=link_names(Path("toxiproxy.json"))
)
versions = {name: "1" for name in {"tool", "python", "services", "commit"}}
sys.stdout.write(
    lock_text(expand(story, seed=7), story, strategy="hardened", versions=versions)
)
"""


def read_back(text: str) -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return found


def locked(*, strategy: str = "naive") -> dict[str, Any]:
    story = scenario(
        load=Load(checkouts=2),
        faults=[weather(every_ms=None, drawn={"latency": Drawn(low_ms=5, high_ms=9)})],
        stack=StackSpec(time_scale=0.5, settings={"order": {"payment_try_ms": "400"}}),
    )
    plan = expand(story, seed=7)
    return read_back(lock_text(plan, story, strategy=strategy, versions={"tool": "0.1.0"}))


def test_the_lock_is_the_same_bytes_whatever_the_hash_seed() -> None:
    made = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("0", "1", "424242")
    ]
    assert len(set(made)) == 1
    assert read_back(made[0].decode())["strategy"] == "hardened"


def test_the_lock_says_what_ran_and_every_draw() -> None:
    lock = locked()
    assert (
        lock["scenario"],
        lock["seed"],
        lock["strategy"],
        lock["versions"],
    ) == ("story", 7, "naive", {"tool": "0.1.0"})
    assert list(lock["draws"]) == ["weather#1.latency"]
    assert [step["action"]["shopper"]["user"] for step in lock["plan"]["checkouts"]] == [
        "shopper-1",
        "shopper-2",
    ]
    assert [step["action"]["is"] for step in lock["plan"]["steps"]] == ["Inject", "Lift"]


def test_budgets_are_told_as_they_run() -> None:
    budgets = locked()["budgets"]
    # 400 was given and the scale halves it; the default of 800 is halved; tries are not times.
    assert (
        budgets["order"]["payment_try_ms"],
        budgets["payment"]["gateway_try_ms"],
        budgets["payment"]["gateway_tries"],
    ) == (200, 400, 3)


@pytest.mark.parametrize(("strategy", "link"), [("naive", "order_to_payment"), ("new", None)])
def test_the_lock_names_the_link_each_fault_took(strategy: str, link: str | None) -> None:
    assert {"weather": link} == locked(strategy=strategy)["chosen"]


@pytest.mark.parametrize(
    "word", ["no", "null", "1", "1e3", "~", "a: b", "# x", "- x", "", " ", "é\n\t\"'", "@a", "0x1"]
)
def test_any_text_comes_back_as_it_was(word: str) -> None:
    story = scenario()
    text = lock_text(expand(story, seed=1), story, strategy="naive", versions={"word": word})
    assert {"word": word} == read_back(text)["versions"]
