"""The judge: History in, Verdict out. No clock, no network, no chance.

Every claim and every meta check is asked on its own; the worst answer wins (Jepsen's
`checker.clj`): invalid > unknown > valid. A claim whose ledger was not read, or which raises, is
unknown: absence proves nothing, and a crashed checker least of all.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from checkout_sim.checks.counts import count_orders
from checkout_sim.checks.evidence import Evidence
from checkout_sim.checks.faults import faults_fired
from checkout_sim.checks.history import History
from checkout_sim.checks.invariants import CLAIMS
from checkout_sim.checks.meta_checks import (
    came_to_rest,
    history_is_complete,
    notes_of,
    run_was_exercised,
    unread_ledgers,
)
from checkout_sim.checks.reading import reading
from checkout_sim.model.claims import CORE
from checkout_sim.model.history import Observation
from checkout_sim.model.verdict import Broken, Finding, Status, Unknown, Verdict


def judge(history: History, *, invariants: Sequence[str] | None = None) -> Verdict:
    """Return the verdict over these claims; None asks those that `run.opened` names, or core."""
    named = history.opened.get("invariants", CORE) if invariants is None else invariants
    rest = came_to_rest(history)
    unread = unread_ledgers(history)
    fired, faults = faults_fired(history)
    with reading(history) as ask:
        asked = {name: ask(partial(_ask, name=name, unread=unread, rest=rest)) for name in named}
        complete = ask(partial(history_is_complete, unread=unread))
        counted = ask(count_orders)
    findings = {name: found.result() for name, found in asked.items()}
    orders = counted.result()
    exercised = run_was_exercised(history, sent=orders.total, judged=len(findings))
    checks: dict[str, Finding] = {
        "faults_fired": fired,
        "history_is_complete": complete.result(),
        "came_to_rest": rest,
        "run_was_exercised": exercised,
    }
    return Verdict(
        status=_worst((*findings.values(), *checks.values())),
        findings=findings,
        checks=checks,
        faults=faults,
        orders=orders,
        notes=notes_of(history),
    )


def judge_observations(observations: Iterable[Observation]) -> Verdict:
    """Return the verdict over a stored history, by the claims its `run.opened` names."""
    history = Evidence.in_memory().extend(observations).finish()
    try:
        return judge(history)
    finally:
        history.close()


def _ask(history: History, *, name: str, unread: Mapping[str, str], rest: Finding) -> Finding:
    """Return what one claim finds, Unknown where it cannot be asked."""
    claim = CLAIMS.get(name)
    if claim is None:
        return Unknown(reason=f"no claim is called {name}; known: {', '.join(CLAIMS)}")
    for ledger in claim.ledgers:
        if ledger in unread:
            return Unknown(reason=unread[ledger])
    if claim.at_rest and isinstance(rest, Unknown):
        return rest
    try:
        return claim.judge(history)
    except Exception as error:  # noqa: BLE001 - the outermost boundary of a claim
        return Unknown(reason=f"the claim could not be judged: {type(error).__name__}: {error}")


def _worst(found: Iterable[Finding]) -> Status:
    all_found = list(found)
    if any(isinstance(one, Broken) for one in all_found):
        return "invalid"
    if any(isinstance(one, Unknown) for one in all_found):
        return "unknown"
    return "valid"
