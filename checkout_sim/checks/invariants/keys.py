"""What strategies promise of keys: committed before use, one per operation (STRATEGIES, R1 to R5).

These are protocol, not outcome: Stripe's own rules can hide a broken one as to money, so they are
judged on their own.
"""

from checkout_sim.checks.history import History, Row
from checkout_sim.checks.invariants.conclusion import conclude, of_order
from checkout_sim.model.verdict import Broken, Holds, Violation

# Causes and effects of one order: what must be logged before what reaches the gateway. The clocks
# are one host's monotonic clock, so they may be compared across processes.
_BEFORE_ITS_INTENT = """
WITH told(cause, effect) AS (VALUES
    ('payment.intent_created', 'gateway.captured'),
    ('payment.intent_created', 'gateway.declined'),
    ('payment.refund_requested', 'gateway.refunded')),
effect AS (
    SELECT e.n, e.kind, told.cause, MIN(e.at) AS at, MIN(e.id) AS id
    FROM event e JOIN told ON told.effect = e.kind GROUP BY e.n, e.kind),
moved AS (
    SELECT effect.n, effect.kind, effect.cause, effect.at, effect.id,
           (SELECT MIN(c.at) FROM event c WHERE c.n = effect.n AND c.kind = effect.cause) AS ready
    FROM effect)
SELECT n, kind, cause, id, ready FROM moved
WHERE ready > at OR (ready IS NULL AND NOT EXISTS (
    SELECT 1 FROM journal j JOIN payment_row p ON p.n = j.n JOIN json_each(p.keys) k
    WHERE j.n = moved.n AND 'gateway.' || j.kind = moved.kind AND k.value = j.idempotency_key))
ORDER BY n, id
"""


def intent_precedes_call(history: History) -> Holds | Broken:
    """No charge or refund reaches the gateway before its intent and key are committed.

    A process killed between that commit and its log line is given the benefit: where the line is
    missing, a stored key is proof enough.
    """

    def describe(row: Row) -> Violation:
        n, kind, cause, event, ready = row
        how = "never" if ready is None else "only later"
        detail = f"{kind} came first: {cause} was logged {how}, and no stored key vouches for it"
        if ready is not None:
            detail = f"{kind} came first: {cause} was logged {how}"
        return of_order(
            history, n, invariant="intent_precedes_call", detail=detail, events=(event,)
        )

    offences = history.rows(_BEFORE_ITS_INTENT)
    return conclude(offences, describe, judged=history.size("journal"))


# A charge has one key for ever. A refund may step once per refund that failed, a create once per
# fault that saved a 500 under its key (R4, R5).
_TOO_MANY_KEYS = """
WITH used AS (
    SELECT n, CASE kind WHEN 'refunded' THEN 'refund' WHEN 'intent_created' THEN 'create'
           ELSE 'charge' END AS operation, idempotency_key AS key, event
    FROM journal WHERE n > 0 AND idempotency_key IS NOT NULL
    AND kind IN ('captured', 'declined', 'refunded', 'intent_created'))
SELECT n, operation, COUNT(DISTINCT key), GROUP_CONCAT(DISTINCT key), MIN(event), MAX(event)
FROM used GROUP BY n, operation
HAVING COUNT(DISTINCT key) > 1 + CASE operation
    WHEN 'refund' THEN (
        SELECT COUNT(*) FROM journal j WHERE j.n = used.n AND j.kind = 'refund_failed')
    WHEN 'create' THEN (
        SELECT COUNT(*) FROM journal j WHERE j.n = used.n AND j.kind = 'fault_used')
    ELSE 0 END
ORDER BY n, operation
"""


def one_key_per_operation(history: History) -> Holds | Broken:
    """Each order's create, charge and refund used one key, but for the steps the rules allow."""

    def describe(row: Row) -> Violation:
        n, operation, count, keys, first, last = row
        return of_order(
            history,
            n,
            invariant="one_key_per_operation",
            detail=f"{count} keys for one {operation}: {', '.join(sorted(keys.split(',')))}",
            events=tuple(sorted({first, last})),
        )

    return conclude(history.rows(_TOO_MANY_KEYS), describe, judged=history.size("journal"))


# What an orchestrator asks on each link, and the step whose STARTED must be in its log by then.
_NOT_STARTED = """
WITH asks(link, operation, step) AS (VALUES
    ('orchestrator_to_order', 'create', 'create'),
    ('orchestrator_to_order', 'confirm', 'confirm'),
    ('orchestrator_to_order', 'cancel', 'cancel'),
    ('orchestrator_to_payment', 'process', 'charge'),
    ('orchestrator_to_payment', 'cancel', 'fence'),
    ('orchestrator_to_payment', 'refund', 'refund'))
SELECT c.n, c.operation, asks.step, MIN(c.id) FROM call c
JOIN asks ON asks.link = c.link AND asks.operation = c.operation
WHERE c.kind = 'call.started' AND NOT EXISTS (SELECT 1 FROM saga_step_row s
    WHERE s.n = c.n AND s.step = asks.step AND s.phase = 'STARTED')
GROUP BY c.n, asks.step ORDER BY c.n, 4
"""


_UNSTORED = """
SELECT j.n, j.idempotency_key, j.kind, MIN(j.event) FROM journal j
WHERE j.idempotency_key IS NOT NULL AND j.kind NOT IN ('fault_used', 'released')
AND NOT EXISTS (SELECT 1 FROM payment_row p JOIN json_each(p.keys) k
    WHERE (p.n = j.n OR j.n = 0) AND k.value = j.idempotency_key)
GROUP BY j.n, j.idempotency_key ORDER BY j.n, MIN(j.event)
"""


def every_call_was_recorded_first(history: History) -> Holds | Broken:
    """Each key in the journal stands in a payment row, each step asked for in its saga's log."""

    def describe(row: Row) -> Violation:
        n, detail, event = row
        return of_order(
            history, n, invariant="every_call_was_recorded_first", detail=detail, events=(event,)
        )

    started = history.rows(_NOT_STARTED) if history.size("saga_row") else ()
    offences = [
        (n, f"{asked} was asked for, and the saga's log never says {step} STARTED", event)
        for n, asked, step, event in started
    ]
    offences += [
        (n, f"the gateway saw key {key} ({kind}), which no payment row holds", event)
        for n, key, kind, event in history.rows(_UNSTORED)
    ]
    return conclude(offences, describe, judged=history.size("journal"))
