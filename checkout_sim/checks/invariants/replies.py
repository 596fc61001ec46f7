"""What the shopper was told, judged as promises. An indefinite reply promises nothing."""

from checkout_sim.checks.history import History, Row
from checkout_sim.checks.invariants.conclusion import conclude
from checkout_sim.checks.phrases import events_of, gateway_phrase, order_phrase, taken_phrase
from checkout_sim.model.verdict import Broken, Holds, Violation

# Each select: checkout, order number, reply's observation, what was told.
_UNTRUE = """
SELECT e.checkout, e.n, e.id, 'confirmed' FROM ended e
WHERE e.claim = 'confirmed' AND (e.n NOT IN (SELECT n FROM order_row)
    OR e.n IN (SELECT n FROM order_row WHERE status IN ('failed', 'canceled')))
UNION ALL
SELECT e.checkout, e.n, e.id, 'failed' FROM ended e
LEFT JOIN order_row o ON o.n = e.n LEFT JOIN money m ON m.n = e.n
WHERE e.claim = 'failed' AND (COALESCE(o.status, 'absent') IN ('confirmed', 'absent')
    OR (o.status IN ('failed', 'canceled') AND m.net > 0))
UNION ALL
SELECT c.checkout, c.n, c.id, 'canceled' FROM canceled c
LEFT JOIN order_row o ON o.n = c.n LEFT JOIN money m ON m.n = c.n
WHERE c.http_status = 200 AND (COALESCE(o.status, 'absent') IN ('confirmed', 'absent')
    OR (o.status IN ('failed', 'canceled') AND m.net > 0))
UNION ALL
SELECT r.checkout, o.n, r.id, 'refused' FROM (
    SELECT checkout, MAX(id) AS id FROM ended WHERE checkout IN (
        SELECT checkout FROM ended WHERE claim = 'refused')
    GROUP BY checkout HAVING SUM(claim <> 'refused') = 0) r
CROSS JOIN order_row o ON o.checkout = r.checkout LEFT JOIN money m ON m.n = o.n
WHERE o.status = 'confirmed' OR m.net > 0
ORDER BY 3
"""


def replies_are_true(history: History) -> Holds | Broken:
    """Told confirmed, the order ends confirmed; told failed, it does not and holds no money.

    An accepted cancel tells "canceled", which promises what "failed" does. Where every attempt
    was refused there is no confirmed order and no money. An order that has not ended breaks
    `every_order_ends` instead: its promise may still come true.
    """

    def describe(row: Row) -> Violation:
        checkout, n, event, told = row
        reply = "refused every time" if told == "refused" else f"told {told}"
        status = order_phrase(history, n)
        if told != "confirmed" and status in {"failed", "canceled"}:
            truth = taken_phrase(history, n)  # the order says the same; the money does not
        else:
            money = gateway_phrase(history, n) if n else "no charge"
            truth = f"the order is {status}: {money}"
        return Violation(
            invariant="replies_are_true",
            order_id=history.order_id(n),
            checkout=checkout,
            detail=f"the shopper was {reply}, but {truth}",
            events=tuple(sorted({event, *(events_of(history, n) if n else ())})),
        )

    return conclude(history.rows(_UNTRUE), describe, judged=history.size("ended"))


# Pairs of attempts under one key. Checkouts that sent once are passed over first.
_ANSWERED_OTHERWISE = """
WITH attempt AS (
    SELECT s.checkout, s.key, s.body, s.id AS sent, e.id AS ended, e.claim, e.http_status, e.n
    FROM (SELECT checkout FROM sent GROUP BY checkout HAVING COUNT(*) > 1) many
    CROSS JOIN sent s ON s.checkout = many.checkout
    JOIN ended e ON e.checkout = s.checkout AND e.attempt = s.attempt
    WHERE s.key IS NOT NULL)
SELECT a.checkout, a.key, a.ended, b.ended, a.n, b.n, b.http_status,
       CASE WHEN a.body IS NOT b.body THEN 'body' WHEN a.n > 0 AND b.n > 0 THEN 'orders'
       ELSE 'refused' END
FROM attempt a JOIN attempt b ON b.checkout = a.checkout AND b.key = a.key AND b.sent > a.sent
WHERE CASE
    WHEN a.body IS NOT b.body THEN a.n > 0 AND b.n > 0
    WHEN a.n > 0 AND b.n > 0 THEN a.n <> b.n
    ELSE b.claim = 'refused' AND b.n = 0 AND b.http_status NOT IN (409, 429)
        AND b.sent > a.ended AND (a.n > 0 OR a.claim = 'unknown') END
ORDER BY a.sent, b.sent
"""


def same_key_same_answer(history: History) -> Holds | Broken:
    """One key and body name one order, and once accepted are not refused; another body is refused.

    After a document or an unknown reply only 409 and 429 may refuse, since they say nothing of
    earlier attempts (IETF Idempotency-Key draft; Stripe's docs). A refused connection is no
    answer. Of two bodies under one key either may have come first: both answered is the offence.
    """

    def describe(row: Row) -> Violation:
        checkout, key, first, second, one, other, http_status, how = row
        match how:
            case "body":
                detail = (
                    f"key {key} was answered for two bodies, with {history.order_id(one)} and "
                    f"{history.order_id(other)}, where the second should have been refused"
                )
            case "orders":
                detail = (
                    f"key {key} was answered with two orders, {history.order_id(one)} and "
                    f"{history.order_id(other)}"
                )
            case _:
                before = (
                    "an unknown reply" if not one else f"an answer with {history.order_id(one)}"
                )
                detail = f"key {key} was refused with {http_status} after {before}"
        return Violation(
            invariant="same_key_same_answer",
            order_id=history.order_id(one or other),
            checkout=checkout,
            detail=detail,
            events=tuple(sorted((first, second))),
        )

    return conclude(history.rows(_ANSWERED_OTHERWISE), describe, judged=history.size("sent"))
