"""What a saga that turned back owes: every step it began undone, once.

Read from the saga log, which is what a recovering orchestrator would act on; what really took
effect is the journal's to say.
"""

from checkout_sim.checks.history import History, Row
from checkout_sim.checks.invariants.conclusion import conclude, of_order
from checkout_sim.checks.phrases import gateway_phrase
from checkout_sim.model.verdict import Broken, Holds, Violation

# A step whose end is FAILED, and definite, did nothing; UNKNOWN or no end at all may have done it.
# (Garcia-Molina and Salem, Sagas, 1987: every step begun is compensated, in reverse order.)
_NOT_UNDONE = """
WITH undo(step, by) AS (VALUES ('create', 'cancel'), ('charge', 'refund')),
back AS (
    SELECT n, saga, state, event FROM saga_row
    WHERE direction = 'compensating' OR state IN ('failed', 'canceled')),
begun AS (
    SELECT b.n, b.saga, undo.step, undo.by, b.event, MAX(s.event) AS last FROM back b
    CROSS JOIN saga_step_row s ON s.n = b.n AND s.saga = b.saga JOIN undo ON undo.step = s.step
    GROUP BY b.n, b.saga, undo.step HAVING SUM(s.phase = 'FAILED') = 0)
SELECT n, step, by, event, last,
    (SELECT GROUP_CONCAT(s.phase, ', then ') FROM saga_step_row s
     WHERE s.n = begun.n AND s.saga = begun.saga AND s.step = begun.by)
FROM begun WHERE NOT EXISTS (SELECT 1 FROM saga_step_row s
    WHERE s.n = begun.n AND s.saga = begun.saga AND s.step = begun.by AND s.phase = 'DONE')
ORDER BY n, last
"""

_UNDONE_TWICE = """
SELECT j.n, SUM(j.kind = 'refunded') - SUM(j.kind = 'refund_failed') AS given, MAX(j.event)
FROM journal j WHERE j.kind IN ('refunded', 'refund_failed') AND j.n IN (SELECT n FROM saga_row)
GROUP BY j.n HAVING given > 1 ORDER BY j.n
"""


def compensation_is_complete(history: History) -> Holds | Broken:
    """Every step a rolled back saga began is undone, and in effect only once."""

    def describe(row: Row) -> Violation:
        n, what, by, phases, events = row
        if what is None:
            detail = f"given back {by} times: {gateway_phrase(history, n)}"
        else:
            logged = f"logged {phases}" if phases else "never started"
            detail = f"{what} was begun and is not undone: {by} was {logged}"
        return of_order(
            history, n, invariant="compensation_is_complete", detail=detail, events=events
        )

    left = [
        (n, step, by, phases, tuple(sorted((event, last))))
        for n, step, by, event, last, phases in history.rows(_NOT_UNDONE)
    ]
    twice = [(n, None, given, None, (event,)) for n, given, event in history.rows(_UNDONE_TWICE)]
    return conclude((*left, *twice), describe, judged=history.size("saga_row"))
