"""Runs that read as stories, for tests of reports, exit codes and the command line."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from checkout_sim.model.belief import Believed
from checkout_sim.model.run import Engine, Run, Surprise, Timings
from checkout_sim.model.scenario import Expectation
from checkout_sim.model.verdict import (
    Broken,
    FaultOutcome,
    Finding,
    Holds,
    OrderCounts,
    Status,
    Unknown,
    Verdict,
    Violation,
)

TOXIPROXY = Engine(name="toxiproxy", version="2.12.0")
ORDER = "ord_8f3ac2"


def violation(
    invariant: str = "unconfirmed_means_not_paid",
    *,
    order: str | None = ORDER,
    checkout: int | None = 3,
    detail: str = "the order is failed, yet 42.00 usd was captured and kept",
    events: tuple[int, ...] = (41, 66),
) -> Violation:
    return Violation(
        invariant=invariant, order_id=order, checkout=checkout, detail=detail, events=events
    )


def run(  # noqa: PLR0913 - one argument per part of a story
    scenario: str = "calm",
    strategy: str = "naive",
    *,
    found: Status = "valid",
    expected: Status | None = "valid",
    violations: Sequence[Violation] = (),
    surprises: Sequence[str] = (),
    unknowns: Mapping[str, str] | None = None,
    believed: Believed | None = None,
    fired: bool = True,
    unlisted: int = 0,
) -> Run:
    findings: dict[str, Finding] = {"every_order_ends": Holds(judged=5)}
    for name in dict.fromkeys(one.invariant for one in violations):
        own = tuple(one for one in violations if one.invariant == name)
        findings[name] = Broken(violations=own, total=len(own) + unlisted)
    checks = {name: Unknown(reason=reason) for name, reason in (unknowns or {}).items()}
    fault = FaultOutcome(
        name="swallow", type="timeout", fired=fired, optional=False, reason="no call timed out"
    )
    return Run(
        id=f"20261123-051633-{scenario}-{strategy}-1-4f2a",
        scenario=scenario,
        scenario_path=f"scenarios/07-{scenario}.yaml",
        strategy=strategy,
        seed=1,
        engine=TOXIPROXY,
        folder=Path(f".checkout-sim/runs/{scenario}-{strategy}"),
        verdict=Verdict(
            status=found,
            findings=findings,
            checks=checks,
            faults=(fault,),
            orders=OrderCounts(total=5, confirmed=4, rolled_back=1, unsettled=0),
        ),
        expected=Expectation(verdict=expected) if expected else None,
        surprises=tuple(Surprise(detail=detail) for detail in surprises),
        timings=Timings(
            start_ms=900.5,
            storm_ms=3100.0,
            settle_ms=500.0,
            judge_ms=12.25,
            checkout_p50_ms=41.0,
            checkout_p99_ms=None,
        ),
        beliefs={ORDER: believed} if believed else {},
    )


BELIEVED = Believed(
    told="failed (HTTP 500)",
    order="failed",
    payment="failed, 42.00 usd",
    gateway="captured 42.00 usd, nothing refunded",
    faults=("hold", "swallow"),
)


def caught(scenario: str = "lost-response-silent") -> Run:
    """Naive breaking two claims about one order, as its scenario says it must."""
    broken = (violation(), violation("replies_are_true", detail="told failed, yet charged"))
    return run(scenario, found="invalid", expected="invalid", violations=broken, believed=BELIEVED)


def regressed(scenario: str = "refused") -> Run:
    """Hardened breaking a claim where it must hold."""
    return run(
        scenario,
        "hardened",
        found="invalid",
        expected="valid",
        violations=(violation(), violation(order="ord_second", checkout=4)),
        surprises=("expected valid, found invalid",),
        believed=BELIEVED,
    )


def undecided(scenario: str = "crumbs") -> Run:
    """A run whose fault never fired, so that nothing can be said."""
    return run(
        scenario,
        found="unknown",
        unknowns={"faults_fired": "swallow left no trace"},
        surprises=("expected valid, found unknown",),
        fired=False,
    )


def disturbed(scenario: str = "cancel-races-charge") -> Run:
    """A run under which the machine stood still, so that fewer were confirmed than expected."""
    made = run(scenario, "hardened")
    told = "the machine stood still for 616 ms while this ran, which may be why: 2 of 5 confirmed"
    return replace(
        made,
        surprises=(Surprise(kind="disturbed", detail=told),),
        timings=replace(made.timings, longest_hiccup_ms=616.0),
    )
