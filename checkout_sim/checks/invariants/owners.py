"""One owner at a time: what a lease and its fence number promise (R6), seen from the calls made.

Keys and conditional writes hide a broken lease as to money, so it is judged on its own.
"""

from checkout_sim.checks.history import History, Row
from checkout_sim.checks.invariants.conclusion import conclude, of_order
from checkout_sim.model.verdict import Broken, Holds, Violation

# By the callers' own clock, which one host's processes share. A call that never ended died with its
# process, and what a paused process holds is meant to be taken over: neither convicts.
_TWO_AT_ONCE = """
WITH span AS (
    SELECT s.n, s.link, s.source, s.instance, s.call_id, s.id, s.operation, s.at AS begun,
           e.at AS over, e.id AS ended
    FROM call s JOIN call e ON e.call_id = s.call_id AND e.kind = 'call.ended'
    WHERE s.kind = 'call.started' AND s.n > 0 AND s.link NOT LIKE '%\\_to\\_broker' ESCAPE '\\')
SELECT a.n, a.link, a.operation, b.operation, a.id, b.id FROM span a
JOIN span b ON b.n = a.n AND b.link = a.link AND b.begun > a.begun AND b.begun < a.over
WHERE NOT EXISTS (SELECT 1 FROM remark p WHERE p.kind = 'process.paused'
    AND json_extract(p.data, '$.process') = a.source
    AND json_extract(p.data, '$.instance') = a.instance
    AND p.id > a.id AND p.id < a.ended)
GROUP BY a.n, a.link ORDER BY a.n, a.id
"""


def one_owner_at_a_time(history: History) -> Holds | Broken:
    """No two calls about one order are open on a link at once, but for what a sleeper holds."""

    def describe(row: Row) -> Violation:
        n, link, first, second, one, other = row
        detail = f"{second} left on {link} while {first} was still open there: two owners at once"
        return of_order(
            history, n, invariant="one_owner_at_a_time", detail=detail, events=(one, other)
        )

    offences = history.rows(_TWO_AT_ONCE)
    return conclude(offences, describe, judged=history.kinds.get("call.started", 0))
