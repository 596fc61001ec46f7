"""How the shop serves under stress: bounded retries, answers in time, recovery after calm.

The only claims about time. They are extended: a scenario asks for them by name.
"""

from checkout_sim.checks.history import History, Row
from checkout_sim.checks.invariants.conclusion import conclude, of_order
from checkout_sim.model.verdict import Broken, Holds, Unknown, Violation
from checkout_sim.model.wire import SETTINGS

_LEAST_SHARE_PERCENT = 99
_MOST_SLOWDOWN = 1.5
# A storm that feeds itself costs seconds; less than this is the machine's scheduling, whose noise
# on a busy host alone is half as long again as a checkout of 60 ms (measured).
_NOISE_MS = 100.0
# Below this a 95th percentile is the slowest of a handful and compares nothing.
_LEAST_SAMPLE = 10


def retries_stay_in_budget(history: History) -> Holds | Broken:
    """No call is tried more often than its caller's budget says.

    `run.opened.settings` may override the tries of `model/wire.py`.
    """
    budgets = {link: _tries(history, link) for (link,) in history.rows(_LINKS).fetchall()}

    def describe(row: Row) -> Violation:
        n, link, attempt, event = row
        detail = f"try {attempt} on {link}, where {budgets[link]} are declared"
        return of_order(
            history, n, invariant="retries_stay_in_budget", detail=detail, events=(event,)
        )

    offences = (
        row
        for link, most in budgets.items()
        if most is not None
        for row in history.rows(
            "SELECT n, link, MAX(attempt), MAX(id) FROM call WHERE kind = 'call.started' "
            "AND link = ? AND attempt > ? GROUP BY n ORDER BY n",
            link,
            most,
        )
    )
    return conclude(offences, describe, judged=history.kinds.get("call.started", 0))


_LINKS = "SELECT DISTINCT link FROM call WHERE link IS NOT NULL ORDER BY link"


def _tries(history: History, link: str) -> int | None:
    """Return the declared tries of a link's caller, None where nothing is declared."""
    caller, _, callee = link.partition("_to_")
    name = f"{callee}_tries"
    overridden = history.opened.get("settings", {}).get(caller, {}).get(name)
    declared = SETTINGS.get(caller, {}).get(name) if overridden is None else overridden
    return None if declared is None else int(declared)


def answers_in_time(history: History) -> Holds | Broken:
    """Every attempt is answered within its shopper's patience, which ends it in a timeout."""

    def describe(row: Row) -> Violation:
        checkout, attempt, event, duration_ms, n = row
        took = "no answer" if duration_ms is None else f"no answer within {duration_ms:.0f} ms"
        return Violation(
            invariant="answers_in_time",
            order_id=history.order_id(n),
            checkout=checkout,
            detail=f"attempt {attempt} got {took}",
            events=(event,),
        )

    offences = history.rows(
        "SELECT e.checkout, e.attempt, e.id, e.duration_ms, e.n FROM ended e "
        "JOIN sent s ON s.checkout = e.checkout AND s.attempt = e.attempt "
        "WHERE e.error IN ('timeout', 'connect_timeout') OR e.duration_ms > s.patience_ms "
        "ORDER BY e.id"
    )
    return conclude(offences, describe, judged=history.size("ended"))


def recovers_after_calm(history: History) -> Holds | Broken | Unknown:
    """Of the proof checkouts 99 % are confirmed, their p95 at most 1.5 times that before faults.

    The comparison of durations needs ten checkouts on both sides; with fewer only the share counts.
    A difference below 100 ms counts as none.
    """
    proof = history.row("SELECT COUNT(*), SUM(claim = 'confirmed') FROM ended WHERE proof")
    sent, confirmed = (proof[0], proof[1] or 0) if proof else (0, 0)
    if not sent:
        return Unknown(reason="no proof checkout was sent; set settle.proof_checkouts")
    if confirmed * 100 < sent * _LEAST_SHARE_PERCENT:
        return _not_recovered(history, sent, confirmed)
    first_fault = history.row("SELECT first FROM kind WHERE kind = 'fault.injected'")
    before = _p95(history, proof=False, until=first_fault[0] if first_fault else 2**62)
    after = _p95(history, proof=True, until=2**62)
    if (
        before is not None
        and after is not None
        and after > max(_MOST_SLOWDOWN * before, before + _NOISE_MS)
    ):
        detail = (
            f"after calm 95 of 100 checkouts took up to {after:.0f} ms, before the first fault "
            f"{before:.0f} ms: more than {_MOST_SLOWDOWN} times as long"
        )
        slow = Violation(
            invariant="recovers_after_calm", order_id=None, checkout=None, detail=detail
        )
        return Broken(violations=(slow,), total=1)
    return Holds(judged=sent)


def _not_recovered(history: History, sent: int, confirmed: int) -> Holds | Broken:
    def describe(row: Row) -> Violation:
        checkout, event, claim, n = row
        return Violation(
            invariant="recovers_after_calm",
            order_id=history.order_id(n),
            checkout=checkout,
            detail=f"a checkout after calm was told {claim}; {confirmed} of {sent} were confirmed",
            events=(event,),
        )

    offences = history.rows(
        "SELECT checkout, id, claim, n FROM ended WHERE proof AND claim <> 'confirmed' ORDER BY id"
    )
    return conclude(offences, describe, judged=sent)


def _p95(history: History, *, proof: bool, until: int) -> float | None:
    """Return the nearest-rank 95th percentile in ms of attempts ended before an observation."""
    took = [
        float(row[0])
        for row in history.rows(
            "SELECT duration_ms FROM ended WHERE proof = ? AND id < ? AND duration_ms IS NOT NULL "
            "ORDER BY duration_ms",
            proof,
            until,
        )
    ]
    return took[-(-len(took) * 95 // 100) - 1] if len(took) >= _LEAST_SAMPLE else None
