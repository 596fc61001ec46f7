"""What the gateway's journal, the authority on money, must agree with."""

from checkout_sim.checks.history import History, Row
from checkout_sim.checks.invariants.conclusion import conclude, of_order
from checkout_sim.checks.phrases import amount, events_of, gateway_phrase, order_phrase
from checkout_sim.model.verdict import Broken, Holds, Violation


def charged_at_most_once(history: History) -> Holds | Broken:
    """By `seq`, an order is never captured while an earlier capture of it stands unrefunded.

    A double charge refunded later is still broken: the shopper saw it.
    """

    def describe(row: Row) -> Violation:
        n, net = row
        later = ""
        total = history.row("SELECT total_minor FROM order_row WHERE n = ?", n)
        if total is not None and net <= total[0]:
            later = "; refunded later, but the shopper saw it"
        detail = f"charged again while an earlier charge stood: {gateway_phrase(history, n)}{later}"
        return of_order(history, n, invariant="charged_at_most_once", detail=detail)

    offences = history.rows(
        "SELECT n, net FROM money WHERE n IN ("
        "SELECT n FROM (SELECT n, kind, SUM(delta) OVER (PARTITION BY n ORDER BY seq "
        "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS held FROM journal "
        "WHERE kind IN ('captured', 'refunded', 'refund_failed') "
        "AND n IN (SELECT n FROM money WHERE moves > 1 AND captures > 1 AND n > 0)) "
        "WHERE kind = 'captured' AND held > 0) ORDER BY n"
    )
    return conclude(offences, describe, judged=history.size("capture"))


def no_charge_without_an_order(history: History) -> Holds | Broken:
    """Every captured charge names an order that order's ledger has."""

    def describe(row: Row) -> Violation:
        n, event, minor, currency, intent, seq, key = row
        named = history.order_id(n)
        whose = "no order at all" if named is None else f"{named}, which order does not know"
        return Violation(
            invariant="no_charge_without_an_order",
            order_id=named,
            checkout=history.checkout_of(n),
            detail=(
                f"charged {amount(minor, currency)} ({intent} captured, seq {seq}, key {key}) "
                f"for {whose}"
            ),
            events=(event,) if named is None else events_of(history, n),
        )

    offences = history.rows(
        "SELECT j.n, j.event, j.amount_minor, j.currency, j.payment_intent, j.seq, "
        "j.idempotency_key FROM orphan p CROSS JOIN journal j ON j.n = p.n "
        "WHERE j.kind = 'captured' ORDER BY j.n, j.seq"
    )
    return conclude(offences, describe, judged=history.size("capture"))


# Rows worth a look. Almost every row is of an order paid once, and agrees with it in all: one walk
# along the order numbers passes these over, and only what is left is looked at closely.
_LOOKED_AT = """
SELECT p.n, p.event, p.status, p.amount_minor, p.currency, COALESCE(m.net, 0) AS net,
    CASE p.status
        WHEN 'completed' THEN COALESCE(m.net, 0) <> p.amount_minor OR m.currency <> p.currency
            OR (m.moves > 1 AND EXISTS (SELECT 1 FROM journal j
                WHERE j.n = p.n AND j.kind = 'captured' AND j.currency <> p.currency))
        WHEN 'refunded' THEN COALESCE(m.captures, 0) = 0 OR m.net <> 0
        WHEN 'failed' THEN COALESCE(m.net, 0) <> 0
        WHEN 'canceled' THEN COALESCE(m.net, 0) <> 0
        ELSE 1 END IS TRUE AS at_odds
FROM payment_row p INDEXED BY payment_row_by_order LEFT JOIN money m ON m.n = p.n
WHERE (m.moves = 1 AND m.net = p.amount_minor AND p.status = 'completed'
    AND m.currency = p.currency AND m.intent = p.payment_intent) IS NOT TRUE
    AND (at_odds OR m.moves > 1 OR (m.net <> 0 AND p.payment_intent IS NOT m.intent))
"""
# Intents that hold money and are not named by exactly one row.
_UNNAMED = """
SELECT j.n, MAX(j.event), NULL, NULL, MAX(j.currency), SUM(j.delta), j.payment_intent
FROM journal j
WHERE j.n IN (
    SELECT n FROM looked_at
    UNION SELECT n FROM rowless
    UNION SELECT n FROM payment_row WHERE payment_intent IN (
        SELECT payment_intent FROM payment_row WHERE payment_intent IS NOT NULL
        GROUP BY payment_intent HAVING COUNT(*) > 1))
    AND j.kind IN ('captured', 'refunded', 'refund_failed')
    AND j.n NOT IN (SELECT n FROM looked_at WHERE at_odds)
GROUP BY j.n, j.payment_intent
HAVING SUM(j.delta) <> 0 AND (
    SELECT COUNT(*) FROM payment_row p WHERE p.payment_intent = j.payment_intent) <> 1
"""


def payment_agrees_with_gateway(history: History) -> Holds | Broken:
    """Payment believes of every order what the gateway did, and names every intent with money.

    Completed means the order holds the row's amount; refunded means captured and given back;
    failed and canceled mean nothing is held; nothing is undecided. An intent that holds money is
    named by exactly one row.
    """

    def describe(row: Row) -> Violation:
        n, _, status, minor, currency, net, intent = row
        money = gateway_phrase(history, n)
        if status is None:
            named = history.row("SELECT COUNT(*) FROM payment_row WHERE payment_intent = ?", intent)
            detail = (
                f"{intent} holds {amount(net, currency)} and is named by "
                f"{named[0] if named else 0} payment rows instead of one: {money}"
            )
        else:
            detail = (
                f"payment says {status} {amount(minor, currency)}, the gateway says {money}; "
                f"the order is {order_phrase(history, n)}"
            )
        return of_order(history, n, invariant="payment_agrees_with_gateway", detail=detail)

    offences = history.rows(
        f"WITH looked_at AS MATERIALIZED ({_LOOKED_AT}), "  # noqa: S608 - our own two queries
        "rowless AS MATERIALIZED (SELECT n FROM money WHERE net <> 0 "
        "EXCEPT SELECT n FROM payment_row ORDER BY n LIMIT -1) "  # a merge, see `orders.py`
        "SELECT n, event, status, amount_minor, currency, net, NULL FROM looked_at WHERE at_odds "
        f"UNION ALL {_UNNAMED} ORDER BY 1, 2"
    )
    return conclude(offences, describe, judged=history.size("payment_row"))
