"""Which servers are begun before the runs that will share them."""

from typing import Literal

from checkout_sim.model.fault import LinkFault, ProcessFault
from checkout_sim.model.scenario import (
    AtCalm,
    AtTime,
    Expectation,
    FaultRule,
    Scenario,
    StackSpec,
)
from checkout_sim.simulation.series import shared_servers

BROKER_KILLED = ProcessFault(processes=("broker",), do="kill")
BROKER_CUT = LinkFault(links=("order_to_broker",), down=True)


def scenario(
    fault: LinkFault | ProcessFault, *, database: Literal["sqlite", "postgres"] = "sqlite"
) -> Scenario:
    return Scenario(
        name="story",
        why="For a test.",
        path="scenarios/99-story.yaml",
        digest="0" * 64,
        stack=StackSpec(database=database),
        faults=(FaultRule(name="strike", kind=fault, begin=AtTime(ms=0), end=AtCalm()),),
        invariants=("every_order_ends",),
        expect={"hardened": Expectation(verdict="valid")},
    )


def test_runs_that_need_no_server_begin_none() -> None:
    asked = [(scenario(BROKER_CUT), "naive"), (scenario(BROKER_KILLED), "orchestrated")]
    assert shared_servers(asked) == frozenset()


def test_one_run_that_needs_a_server_begins_it_for_all() -> None:
    asked = [
        (scenario(BROKER_CUT), "hardened"),
        (scenario(BROKER_CUT, database="postgres"), "choreographed"),
    ]
    assert shared_servers(asked) == {"broker", "database"}


def test_a_server_that_every_run_strikes_is_nobody_s_to_share() -> None:
    asked = [(scenario(BROKER_KILLED), "choreographed")]
    assert shared_servers(asked) == frozenset()
    assert shared_servers([*asked, (scenario(BROKER_CUT), "choreographed")]) == {"broker"}
