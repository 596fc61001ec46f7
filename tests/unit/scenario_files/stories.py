"""Scenario files as short as a story allows, and what loading them says."""

from pathlib import Path
from textwrap import dedent

from checkout_sim.model.errors import ScenarioInvalid
from checkout_sim.model.scenario import Scenario
from checkout_sim.scenario_files.load import load_scenario, load_scenarios

LINKS = ("shopper_to_order", "order_to_payment", "payment_to_gateway")

HEAD = """\
version: 1
name: story
why: One sentence.
expect: {naive: valid}
"""


def written(folder: Path, text: str, *, name: str = "07-story.yaml") -> Path:
    """Return the path of a file holding this text."""
    path = folder / name
    path.write_text(dedent(text), encoding="utf-8")
    return path


def loaded(folder: Path, body: str) -> Scenario:
    """Return the scenario of HEAD and a body."""
    return load_scenario(written(folder, HEAD + dedent(body)), links=LINKS)


def told(path: Path) -> list[str]:
    """Return all problems of a file as `line:column: message`, warnings included."""
    _, problems = load_scenarios([path], links=LINKS)
    return [str(problem).removeprefix(f"{path}:") for problem in problems]


def complaints(folder: Path, body: str, *, strategy: str = "naive") -> list[str]:
    """Return all problems of HEAD, expecting of a strategy, and a body that begins on line 5."""
    return told(written(folder, HEAD.replace("naive", strategy) + dedent(body)))


def refusal(path: Path) -> str:
    """Return what load_scenario says, its path removed."""
    try:
        load_scenario(path, links=LINKS)
    except ScenarioInvalid as error:
        return str(error).replace(f"{path}:", "")
    return "no error"
