"""A lock read back: the very plan that was run, and the scenario it was drawn from.

Takes the text of `scenario.lock`, gives model values. Nothing is drawn again, so a newer version
that draws otherwise still replays what ran. `lock_text` of what is read gives the same bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from checkout_sim.model import fault, plan, scenario
from checkout_sim.model.errors import HistoryUnreadable
from checkout_sim.model.plan import Plan, Step
from checkout_sim.model.scenario import Scenario
from checkout_sim.planning.lock import LOCK_VERSION
from checkout_sim.planning.lock_syntax import NotALock, read

_KINDS: Mapping[str, type[Any]] = {
    name: kind
    for module in (fault, scenario, plan)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and is_dataclass(kind)
}
_PLAN_PARTS = ("faults", "proof", "stack", "settle", "invariants")


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """What a lock holds: enough to run again, and to say what ran then."""

    plan: Plan
    scenario: Scenario
    strategy: str
    versions: Mapping[str, str]


def unlock(text: str, *, named: str) -> Locked:
    """Return what a lock says; `named` stands in errors.

    Raises HistoryUnreadable for a lock of another version, and for one that is damaged.
    """
    try:
        told = read(text)
        _refuse_other_versions(told, named)
        return Locked(
            plan=_plan_of(told),
            scenario=_made(told["asked"], Scenario),
            strategy=told["strategy"],
            versions=told["versions"],
        )
    except (NotALock, KeyError, TypeError, AttributeError) as error:
        why = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise HistoryUnreadable(
            f"{named}: not a lock as checkout-sim writes it ({why}); it cannot be replayed. Run "
            "the scenario again with its seed: `checkout-sim run NAME --seed N`"
        ) from error


def _refuse_other_versions(told: Mapping[str, Any], named: str) -> None:
    found = told.get("lock_version")
    if found != LOCK_VERSION:
        tool = (told.get("versions") or {}).get("tool", "not recorded")
        raise HistoryUnreadable(
            f"{named}: lock_version is {found!r}, this tool reads {LOCK_VERSION}; replay it with "
            f"the version that wrote it ({tool}), or run the scenario again"
        )


def _plan_of(told: Mapping[str, Any]) -> Plan:
    """Return the plan; steps are numbered, so their order survives being told apart."""
    parts = told["plan"]
    steps = [_made(step, Step) for step in (*parts["steps"], *parts["checkouts"])]
    return Plan(
        scenario=told["scenario"],
        scenario_path=told["path"],
        scenario_digest=told["digest"].removeprefix("sha256:"),
        seed=told["seed"],
        concurrency=parts["concurrency"],
        checkouts=len(parts["checkouts"]),
        steps=tuple(sorted(steps, key=lambda step: step.number)),
        draws=told["draws"],
        **{name: _made(parts[name], _hints("Plan")[name]) for name in _PLAN_PARTS},
    )


@cache
def _hints(kind: str) -> dict[str, Any]:
    return get_type_hints(_KINDS[kind])


def _made(value: Any, hint: Any) -> Any:
    """Return the model value a plain one stands for; `is` names the class, the hint the rest."""
    if isinstance(value, dict) and "is" in value:
        kind = _KINDS[value["is"]]
        hints = _hints(value["is"])
        return kind(**{name: _made(value[name], hints[name]) for name in value if name != "is"})
    if isinstance(value, dict):
        inner = _argument(hint, 1)
        return {key: _made(one, inner) for key, one in value.items()}
    if isinstance(value, list):
        inner = _argument(hint, 0)
        return tuple(_made(one, inner) for one in value)
    if type(value) is int and float in _alternatives(hint) and int not in _alternatives(hint):
        return float(value)
    return value


def _argument(hint: Any, place: int) -> Any:
    """Return what a container holds, looking through `X | None`; Any where nothing is said."""
    for one in _alternatives(hint):
        arguments = get_args(one)
        if get_origin(one) is not Literal and len(arguments) > place:
            return arguments[place]
    return Any


def _alternatives(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
