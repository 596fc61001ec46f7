"""`scenario.lock`: everything a run was told to do, as YAML a person can read and `replay` can run.

Takes plan, scenario, strategy and versions, all model values; gives text. Deterministic: equal
arguments give equal bytes, whatever the interpreter's hash seed. The writer is our own forty
lines, since this floor may import no YAML library: block style, strings quoted as JSON, which YAML
1.2 contains.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from checkout_sim.model.fault import LinkFault
from checkout_sim.model.plan import Checkout, Inject, Plan
from checkout_sim.model.scenario import Scenario
from checkout_sim.model.wire import LINKS_OF, SETTINGS, UNSCALED

LOCK_VERSION = 1
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_RESERVED = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def lock_text(plan: Plan, scenario: Scenario, *, strategy: str, versions: Mapping[str, str]) -> str:
    """Return the lock of one run (SCENARIOS: scenario resolved, digest, seed, every draw).

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
    lines += _mapping(told, 0)
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
    carrying = LINKS_OF.get(strategy, ())
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


def _mapping(value: Mapping[str, Any], depth: int) -> Iterator[str]:
    for key, inner in value.items():
        yield from _entry(f"{'  ' * depth}{_scalar(key)}:", inner, depth + 1)


def _sequence(value: Sequence[Any], depth: int) -> Iterator[str]:
    for inner in value:
        plain = _plainly(inner)
        if isinstance(plain, Mapping) and plain:
            first, *rest = _mapping(plain, depth + 1)
            yield f"{'  ' * depth}- {first.lstrip()}"
            yield from rest
        else:
            yield from _entry(f"{'  ' * depth}-", plain, depth + 1)


def _entry(head: str, value: Any, depth: int) -> Iterator[str]:
    plain = _plainly(value)
    if isinstance(plain, Mapping):
        yield head if plain else f"{head} {{}}"
        yield from _mapping(plain, depth)
    elif isinstance(plain, list):
        if all(not isinstance(_plainly(inner), Mapping | list) for inner in plain):
            yield f"{head} [{', '.join(_scalar(inner) for inner in plain)}]"
        else:
            yield head
            yield from _sequence(plain, depth)
    else:
        yield f"{head} {_scalar(plain)}"


def _plainly(value: Any) -> Any:
    """Return a mapping, a list or a scalar; a dataclass says under `is` which one it was."""
    if is_dataclass(value) and not isinstance(value, type):
        named = {field.name: getattr(value, field.name) for field in fields(value)}
        return {"is": type(value).__name__, **named}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, list | tuple | frozenset):
        return sorted(value) if isinstance(value, frozenset) else list(value)
    return value


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.lower() not in _RESERVED
        return value if plain else json.dumps(value, ensure_ascii=False)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value)
