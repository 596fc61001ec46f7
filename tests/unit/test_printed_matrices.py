"""The matrices in README and in the book of strategies are those the command prints."""

import re
from pathlib import Path

import pytest

from checkout_sim.cli.targets import CORE_TAG, loaded
from checkout_sim.model.scenario import Scenario

ROOT = Path(__file__).parents[2]
HEADING = re.compile(r"^ scenario +naive +hardened +orchestrated +choreographed$", re.MULTILINE)
ROW = re.compile(r"^ ([a-z0-9-]+) +(.+)$")
CELL = re.compile(r"✔ (?:in)?valid|not run")


def printed(page: Path) -> dict[str, list[str]]:
    """Return the cells of each row below the page's only heading of a matrix."""
    (heading,) = HEADING.finditer(page.read_text(encoding="utf-8"))
    rows: dict[str, list[str]] = {}
    for line in heading.string[heading.end() :].splitlines()[2:]:
        found = ROW.match(line)
        if found is None:
            return rows
        rows[found[1]] = CELL.findall(found[2])
    return rows


def expected(scenario: Scenario) -> list[str]:
    names = ("naive", "hardened", "orchestrated", "choreographed")
    stated = (scenario.expect.get(name) for name in names)
    return ["not run" if one is None else f"✔ {one.verdict}" for one in stated]


@pytest.mark.parametrize(
    ("page", "tag"), [("README.md", CORE_TAG), ("docs/strategies/README.md", None)]
)
def test_a_printed_matrix_is_what_the_scenarios_state(page: str, tag: str | None) -> None:
    scenarios, _ = loaded([])
    course = [one for one in scenarios if tag is None or tag in one.tags]

    assert printed(ROOT / page) == {one.name: expected(one) for one in course}
