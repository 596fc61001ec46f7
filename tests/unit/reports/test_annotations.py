"""Annotations: GitHub shows what surprised at the line that expected otherwise."""

import pytest

from checkout_sim.reports.annotations import annotations, line_of
from checkout_sim.reports.evidence import NotRun
from tests.unit.reports.stories import caught, regressed, run, undecided, violation

TEXT = """\
version: 1
name: refused
# expect: nothing here
faults:
  - {name: naive, link: x}
expect:
  naive: {verdict: invalid}

  "hardened": valid
"""


def test_a_surprise_stands_at_the_line_that_expects_otherwise() -> None:
    (line,) = annotations([regressed(), caught()], texts={regressed().scenario_path: TEXT})

    assert line.startswith(
        "::error file=scenarios/07-refused.yaml,line=9,"
        "title=refused × hardened%3A invalid (expected valid)::expected valid, found invalid%0A"  # noqa: RUF001
    )
    assert "Reproduce with: checkout-sim run" in line


@pytest.mark.parametrize(("strategy", "line"), [("naive", 7), ("hardened", 9), ("orchestrated", 6)])
def test_the_line_of_a_strategy_is_found_below_expect_alone(strategy: str, line: int) -> None:
    assert line_of(TEXT, strategy) == line


def test_a_file_without_expectations_is_pointed_at_as_a_whole() -> None:
    assert line_of("name: x\n", "naive") == 1


def test_what_github_would_read_as_its_own_is_escaped() -> None:
    found = run(found="unknown", unknowns={"came_to_rest": "100% of\r\na::b"})
    (line,) = annotations([found], texts={})

    assert line.count("::") == 3  # two of the command, one of the message
    assert "100%25 of%0D%0Aa::b" in line
    assert line.startswith("::error title=")


def test_ten_are_shown_and_the_rest_counted() -> None:
    lines = list(annotations([regressed(f"s{n}") for n in range(13)], texts={}))

    assert len(lines) == 11
    assert "and 3 runs more" in lines[-1]


def test_what_never_ran_and_what_nobody_expected_is_annotated() -> None:
    missing = [NotRun(scenario="crash", strategy="naive", why="port 3000 is taken")]
    unasked = run(found="invalid", expected=None, violations=[violation()])
    lines = list(annotations([undecided(), unasked, caught()], missing=missing, texts={}))

    assert ["crash" in lines[0], "calm" in lines[1], "crumbs" in lines[2]] == [True] * 3
    assert len(lines) == 3
