"""The shipped scenarios: sound, described alike, and enough to catch what naive does wrong."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from checkout_sim.model.claims import CORE
from checkout_sim.model.scenario import Scenario
from checkout_sim.planning.expand import expand
from checkout_sim.scenario_files.load import (
    find_scenarios,
    json_schema,
    link_names,
    load_scenario,
    load_scenarios,
)
from checkout_sim.scenario_files.parse import read_document

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "scenarios"
PATHS = find_scenarios([str(FOLDER)], roots=[])
LINKS = link_names(ROOT / "toxiproxy.json")
SCHEMA = jsonschema.Draft202012Validator(json_schema())
SCENARIOS = load_scenarios(PATHS, links=LINKS)[0]

# Naive writes the order first and charges once per order: mutants must break these two.
BEYOND_NAIVE = {"charged_at_most_once", "no_charge_without_an_order"}


def test_every_scenario_is_sound_and_the_only_doubt_is_a_story() -> None:
    scenarios, problems = load_scenarios(PATHS, links=LINKS)
    assert len(PATHS) == len(scenarios)
    assert {Path(problem.path).name for problem in problems} == {"16-timeout-inversion.yaml"}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_scenario_is_numbered_and_names_its_schema(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=scenario.schema.json"
    assert re.fullmatch(r"\d\d-[a-z0-9-]+", path.stem)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_scenario_fits_the_schema_that_editors_read(path: Path) -> None:
    assert [error.message for error in SCHEMA.iter_errors(read_document(path).data)] == []


def test_the_schema_is_one_and_refuses_what_validation_refuses() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    story = {"version": 1, "name": "a", "why": "b", "expect": {"naive": "valid"}}
    fault = {"name": "a", "link": "order_to_payment", "down": True}
    assert SCHEMA.is_valid({**story, "faults": [fault]})
    assert not SCHEMA.is_valid({**story, "faults": [{**fault, "toxicity": 1}]})
    assert not SCHEMA.is_valid({**story, "faults": [{**fault, "for": 3}]})
    assert not SCHEMA.is_valid({**story, "seeed": 1})


def test_the_schema_beside_the_scenarios_is_the_one_the_tool_prints() -> None:
    beside = (FOLDER / "scenario.schema.json").read_text(encoding="utf-8")
    assert json.dumps(json_schema(), indent=2) + "\n" == beside


@pytest.mark.parametrize("strategy", ["naive", "hardened", "orchestrated"])
def test_the_core_set_is_twelve_and_needs_no_more_than_the_base_stack(strategy: str) -> None:
    core = [scenario for scenario in SCENARIOS if "core" in scenario.tags]
    assert len(core) == 12
    assert [scenario.name for scenario in core if strategy not in scenario.expect] == []


def test_naive_is_caught_in_every_claim_it_can_break() -> None:
    tripped = {
        claim
        for scenario in SCENARIOS
        if "naive" in scenario.expect
        for claim in scenario.expect["naive"].trips
    }
    assert set(CORE) - BEYOND_NAIVE == tripped


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_all_but_naive_must_be_valid_and_refusing_everybody_is_no_success(
    scenario: Scenario,
) -> None:
    sound = {name: told for name, told in scenario.expect.items() if name != "naive"}
    assert sound
    for expected in sound.values():
        assert expected.verdict == "valid"
        assert expected.confirmed is not None
        assert expected.confirmed[0] > 0


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_every_fault_has_a_window_under_the_scenario_s_own_seed(scenario: Scenario) -> None:
    plan = expand(scenario, seed=scenario.seed)
    assert [rule.name for rule in scenario.faults] == [fault.name for fault in plan.faults]
    assert [fault.name for fault in plan.faults if not fault.windows] == []


def test_the_example_of_the_readme_is_a_scenario(tmp_path: Path) -> None:
    (example,) = re.findall(
        r"```yaml\n(.*?)```", (FOLDER / "README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    path = tmp_path / "40-my-story.yaml"
    path.write_text(example, encoding="utf-8")
    assert load_scenario(path, links=LINKS).name == "my-story"


# Over the whole course each of these must happen to each strategy that keeps its promises
# (INVARIANTS, `sometimes`): a run fails whose promised sight was not seen, so promising is enough.
SOMETIMES = {
    "a compensation ran": {"gateway.refunded"},
    "a duplicate was suppressed": {
        *("order.deduplicated", "payment.deduplicated", "message.deduplicated")
    },
    "a late success was resolved": {"gateway.replayed", "gateway.conflicted"},
    "a charge was forbidden": {"payment.fenced", "payment.canceled"},
}


@pytest.mark.parametrize("happens", SOMETIMES)
@pytest.mark.parametrize("strategy", ["hardened", "orchestrated", "choreographed"])
def test_what_a_strategy_is_built_for_is_seen_to_happen_somewhere(
    strategy: str, happens: str
) -> None:
    promised = {
        kind
        for scenario in SCENARIOS
        if strategy in scenario.expect
        for kind in scenario.expect[strategy].sees
    }

    assert promised & SOMETIMES[happens]
