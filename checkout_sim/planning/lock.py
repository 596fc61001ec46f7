"""`scenario.lock`: everything a run was told to do, as YAML a person can read and `replay` can run.

Takes plan, scenario, strategy and versions, all model values; gives text. Deterministic: equal
arguments give equal bytes, whatever the interpreter's hash seed. `unlock.py` reads it back.
"""

from collections.abc import Mapping
from typing import Any

from checkout_sim.model.fault import LinkFault
from checkout_sim.model.plan import Checkout, Inject, Plan
from checkout_sim.model.scenario import Scenario
from checkout_sim.model.wire import LINKS_OF, SETTINGS, UNSCALED, links_of
from checkout_sim.planning.lock_syntax import write

LOCK_VERSION = 1


def lock_text(plan: Plan, scenario: Scenario, *, strategy: str, versions: Mapping[str, str]) -> str:
    """Return the lock of one run (scenario resolved, digest, seed, every draw).

    `versions` say what ran: tool, python, services, git commit, proxy server. A strategy the tool
    does not know simply carries no links.
    """
    lines = ["# What one run was told to do. `checkout-sim replay` runs the same plan again."]
    told: dict[str, Any] = {
        "lock_version": LOCK_VERSION,
        "scenario": scenario.name,
        "path": scenario.path,
        "digest": f"sha256:{plan.scenario_digest}",
        "seed": plan.seed,
        "strategy": strategy,
        "versions": dict(sorted(versions.items())),
        "budgets": _budgets(plan),
        "chosen": _chosen(plan, strategy),
        "draws": dict(plan.draws),
        "asked": scenario,
        "plan": _plan(plan),
    }
    lines += write(told)
    return "\n".join(lines) + "\n"


def _budgets(plan: Plan) -> dict[str, dict[str, float]]:
    """Return every budget as it runs: override first, then the time scale."""
    return {
        service: {
            name: _scaled(plan, name, float(plan.stack.settings.get(service, {}).get(name, usual)))
            for name, usual in settings.items()
        }
        for service, settings in SETTINGS.items()
        if settings
    }


def _scaled(plan: Plan, name: str, figure: float) -> float:
    return figure if name in UNSCALED else figure * plan.stack.time_scale


def _chosen(plan: Plan, strategy: str) -> dict[str, str | None]:
    """Return which of a fault's alternative links carries this strategy's checkouts."""
    carrying = links_of(strategy, plan.stack.database) if strategy in LINKS_OF else ()
    chosen: dict[str, str | None] = {}
    for step in plan.steps:
        if isinstance(step.action, Inject) and isinstance(step.action.kind, LinkFault):
            links = step.action.kind.links
            chosen[step.action.fault] = next((link for link in links if link in carrying), None)
    return chosen


def _plan(plan: Plan) -> dict[str, Any]:
    """Return the plan without what the lock already says; checkouts last, they are many."""
    due = [step for step in plan.steps if not isinstance(step.action, Checkout)]
    checkouts = [step for step in plan.steps if isinstance(step.action, Checkout)]
    return {
        "concurrency": plan.concurrency,
        "stack": plan.stack,
        "settle": plan.settle,
        "invariants": plan.invariants,
        "faults": plan.faults,
        "steps": due,
        "checkouts": checkouts,
        "proof": plan.proof,
    }
