"""Runs that need a server this machine has not: skipped aloud, or failing when they were named."""

from pathlib import Path

import pytest
import typer

from checkout_sim.cli.options import DatabaseName, database_for
from checkout_sim.cli.servers import Asked, without_what_is_missing
from checkout_sim.model.errors import ScenarioInvalid
from checkout_sim.model.fault import LinkFault, ProcessFault
from checkout_sim.model.scenario import (
    AtCalm,
    AtTime,
    Expectation,
    FaultRule,
    Scenario,
    StackSpec,
)
from checkout_sim.simulation import on_database
from checkout_sim.stack.servers import ServerName

NOTHING = Asked(targets=[], strategies=[], database=None)


def scenario(database: DatabaseName = "sqlite", *faults: FaultRule) -> Scenario:
    return Scenario(
        name="story",
        why="For a test.",
        path="scenarios/99-story.yaml",
        digest="0" * 64,
        stack=StackSpec(database=database),
        faults=faults,
        invariants=("every_order_ends",),
        expect={"hardened": Expectation(verdict="valid")},
    )


def fault(kind: LinkFault | ProcessFault) -> FaultRule:
    return FaultRule(name="strike", kind=kind, begin=AtTime(ms=0), end=AtCalm())


DATABASE_KILLED = fault(ProcessFault(processes=("database",), do="kill"))
DATABASE_CUT = fault(LinkFault(links=("payment_to_database",), down=True))


def nothing_installed(name: ServerName) -> str | None:
    return f"{name} is not installed"


def everything_installed(_: ServerName) -> str | None:
    return None


def test_a_run_that_needs_no_server_is_made_whatever_is_missing() -> None:
    pairs = [(scenario(), "hardened")]
    kept, skipped = without_what_is_missing(
        pairs, asked=NOTHING, has_database=False, missing=nothing_installed
    )
    assert (kept, skipped) == (pairs, [])


@pytest.mark.parametrize(
    ("story", "strategy", "needs"),
    [
        (scenario("postgres"), "hardened", "postgresql"),
        (scenario(), "choreographed", "rabbitmq-server"),
    ],
)
def test_a_run_that_came_along_is_skipped_and_says_what_it_needs(
    story: Scenario, strategy: str, needs: str
) -> None:
    asked = Asked(targets=["scenarios"], strategies=[], database=None)
    kept, (skipped,) = without_what_is_missing(
        [(story, strategy)], asked=asked, has_database=False, missing=nothing_installed
    )
    assert kept == []
    assert skipped.skipped
    assert skipped.why.startswith(f"skipped: needs {needs} (")


@pytest.mark.parametrize(
    "asked",
    [
        Asked(targets=["story"], strategies=[], database=None),
        Asked(targets=["scenarios/99-story.yaml"], strategies=[], database=None),
        Asked(targets=[], strategies=[], database="postgres"),
    ],
)
def test_a_run_that_was_named_goes_ahead_to_fail_with_what_to_install(asked: Asked) -> None:
    pairs = [(scenario("postgres"), "hardened")]
    kept, skipped = without_what_is_missing(
        pairs, asked=asked, has_database=False, missing=nothing_installed
    )
    assert (kept, skipped) == (pairs, [])


def test_a_strategy_that_was_named_goes_ahead_without_its_broker() -> None:
    pairs = [(scenario(), "choreographed")]
    asked = Asked(targets=[], strategies=["choreographed"], database=None)
    kept, _ = without_what_is_missing(
        pairs, asked=asked, has_database=False, missing=nothing_installed
    )
    assert kept == pairs


def test_a_server_of_ones_own_serves_every_run_but_those_that_strike_it() -> None:
    harmless, harmful = scenario("postgres"), scenario("postgres", DATABASE_KILLED)
    kept, skipped = without_what_is_missing(
        [(harmless, "hardened"), (harmful, "hardened")],
        asked=NOTHING,
        has_database=True,
        missing=nothing_installed,
    )
    assert kept == [(harmless, "hardened")]
    assert len(skipped) == 1


def test_nothing_is_skipped_where_everything_is_installed() -> None:
    pairs = [(scenario("postgres", DATABASE_CUT), "choreographed")]
    kept, skipped = without_what_is_missing(
        pairs, asked=NOTHING, has_database=False, missing=everything_installed
    )
    assert (kept, skipped) == (pairs, [])


def test_an_address_of_a_server_means_postgres_and_contradicts_sqlite() -> None:
    url = "postgresql://me@127.0.0.1/me"
    assert database_for(None, url) == "postgres"
    assert database_for("sqlite", None) == "sqlite"
    assert database_for(None, None) is None
    with pytest.raises(typer.BadParameter, match="contradict"):
        database_for("sqlite", url)


def test_a_scenario_can_be_moved_to_another_database() -> None:
    assert on_database(scenario(), "postgres").stack.database == "postgres"


@pytest.mark.parametrize("struck", [DATABASE_KILLED, DATABASE_CUT])
def test_a_scenario_that_strikes_the_database_cannot_be_moved_to_a_file(struck: FaultRule) -> None:
    with pytest.raises(ScenarioInvalid, match=r'fault "strike" strikes .* SQLite is a file'):
        on_database(scenario("postgres", struck), "sqlite")


def test_a_folder_named_as_a_target_names_no_scenario(tmp_path: Path) -> None:
    asked = Asked(targets=[str(tmp_path)], strategies=[], database=None)
    kept, _ = without_what_is_missing(
        [(scenario("postgres"), "naive")],
        asked=asked,
        has_database=False,
        missing=nothing_installed,
    )
    assert kept == []
