"""Some checkouts of a run that still goes on, judged by the claims themselves.

Takes what was seen of them and what the ledgers say of their orders now; gives the violations that
stand. Only claims that speak of single checkouts can be asked; the meta checks are about whole runs
and are not. Provisional: what is undecided may still be decided, and only the verdict convicts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import merge
from typing import Any

from checkout_sim.checks.evidence import Evidence
from checkout_sim.checks.history import History
from checkout_sim.checks.invariants import CLAIMS
from checkout_sim.model.history import Observation
from checkout_sim.model.verdict import Broken, Holds, Violation

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What some checkouts stand for now: counts by claim of what was judged, and violations."""

    judged: Mapping[str, int]
    violations: tuple[Violation, ...]


def judge_partly(
    seen: Sequence[Sequence[Observation]], rows: Iterable[Rows], *, claims: Sequence[str]
) -> Standing:
    """Return what the claims find in these checkouts, each given by its observations in order.

    `rows` are the ledgers' rows of their orders. A claim that cannot be asked is left out.
    """
    recorded = list(merge(*seen, key=_id))
    last = recorded[-1].id if recorded else 0
    evidence = Evidence.in_memory().extend(recorded)
    for number, observation in enumerate(_readings(rows), start=last + 1):
        evidence.add(replace(observation, id=number))
    history = evidence.finish()
    try:
        return _ask(history, claims, last)
    finally:
        history.close()


def _id(seen: Observation) -> int:
    return seen.id


def _readings(rows: Iterable[Rows]) -> Iterable[Observation]:
    for of_order in rows:
        for name, found in of_order.items():
            for row in found:
                yield Observation(
                    id=0,
                    t_ms=0.0,
                    source="ledger",
                    kind="ledger.read",
                    order=row.get("order_id"),
                    data={"name": name, "row": row},
                )


def _ask(history: History, claims: Sequence[str], last: int) -> Standing:
    judged: dict[str, int] = {}
    violations: list[Violation] = []
    for name in claims:
        try:
            found = CLAIMS[name].judge(history)
        except Exception:  # noqa: BLE001, S112 - the verdict says why a claim cannot be asked
            continue
        if isinstance(found, Broken):
            judged[name] = found.total
            # Rows read meanwhile are no observations, so nobody could look them up by number.
            violations += [
                replace(one, events=tuple(event for event in one.events if event <= last))
                for one in found.violations
            ]
        elif isinstance(found, Holds):
            judged[name] = found.judged
    return Standing(judged=judged, violations=tuple(violations))
