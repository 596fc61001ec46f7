"""What an order's own end promises: that it ends, that it was paid for or not, that it stays."""

from checkout_sim.checks.history import History, Row
from checkout_sim.checks.invariants.conclusion import conclude, of_order
from checkout_sim.checks.phrases import (
    amount,
    events_of,
    gateway_phrase,
    order_phrase,
    payment_phrase,
    saga_phrase,
    told_phrase,
)
from checkout_sim.model.verdict import Broken, Holds, Violation


def every_order_ends(history: History) -> Holds | Broken:
    """Every order is confirmed, failed or canceled, and nobody is still at work on it.

    A saga that is still running is, even when its order was never created or looks decided.
    """

    def describe(row: Row) -> Violation:
        n, status = row
        last = history.row(
            "SELECT kind FROM (SELECT id, kind FROM transition WHERE n = ?1 UNION ALL "
            "SELECT id, kind FROM event WHERE n = ?1) ORDER BY id DESC",
            n,
        )
        detail = (
            f"the order is {_still(status)}; the last thing logged of it is "
            f"{'nothing' if last is None else last[0]}; payment {payment_phrase(history, n)}; "
            f"gateway {gateway_phrase(history, n)}"
        )
        if saga := saga_phrase(history, n):
            detail = f"{detail}; {saga}"
        return of_order(history, n, invariant="every_order_ends", detail=detail)

    offences = history.rows(
        "SELECT n, status FROM order_row WHERE status NOT IN ('confirmed', 'failed', 'canceled') "
        "UNION SELECT s.n, COALESCE(o.status, 'absent') FROM saga_row s "
        "LEFT JOIN order_row o ON o.n = s.n WHERE s.state = 'running' ORDER BY n"
    )
    return conclude(offences, describe, judged=history.size("order_row"))


def _still(status: str) -> str:
    return f"still {status}" if status == "pending" else status


def confirmed_means_paid_in_full(history: History) -> Holds | Broken:
    """Every confirmed order holds exactly its total, in its currency.

    Held is captured less refunded, a refund that failed later given back (GATEWAY, journal).
    """

    def describe(row: Row) -> Violation:
        n, total, currency, net, paid_in = row
        detail = (
            f"confirmed at {amount(total, currency)} but holds {amount(net, paid_in or currency)}: "
            f"{gateway_phrase(history, n)}; the shopper was {told_phrase(history, n)}"
        )
        return of_order(history, n, invariant="confirmed_means_paid_in_full", detail=detail)

    return conclude(history.rows(_UNPAID), describe, judged=history.size("order_row"))


# A merge of two tables in the order of `n` passes over the orders paid in one charge; what is left,
# orders of more movements or none among them, is looked at closely. SQLite merges for the sake of
# an ORDER BY (else it fills a b-tree), which it would leave out here but for the LIMIT.
_UNPAID = """
WITH looked_at AS MATERIALIZED (
    SELECT n, total_minor, currency FROM order_row WHERE status = 'confirmed'
    EXCEPT SELECT n, net, currency FROM money WHERE moves = 1 ORDER BY 1, 2, 3 LIMIT -1)
SELECT o.n, o.total_minor, o.currency, COALESCE(m.net, 0), m.currency
FROM looked_at o LEFT JOIN money m ON m.n = o.n
WHERE COALESCE(m.net, 0) <> o.total_minor OR m.currency <> o.currency
    OR (m.moves > 1 AND EXISTS (SELECT 1 FROM journal j
        WHERE j.n = o.n AND j.kind = 'captured' AND j.currency <> o.currency))
ORDER BY o.n
"""


def unconfirmed_means_not_paid(history: History) -> Holds | Broken:
    """No failed or canceled order holds money, and none has an authorization open."""

    def describe(row: Row) -> Violation:
        n, status, net = row
        money = gateway_phrase(history, n)
        held = money if net else f"an authorization is open: {money}"
        detail = f"{held}, but the order is {status}; the shopper was {told_phrase(history, n)}"
        return of_order(history, n, invariant="unconfirmed_means_not_paid", detail=detail)

    offences = history.rows(
        "SELECT o.n, o.status, COALESCE(m.net, 0) FROM order_row o LEFT JOIN money m ON m.n = o.n "
        "WHERE o.status IN ('failed', 'canceled') AND (COALESCE(m.net, 0) <> 0 OR EXISTS "
        "(SELECT 1 FROM journal a WHERE a.n = o.n AND a.kind = 'authorized' AND NOT EXISTS "
        "(SELECT 1 FROM journal e WHERE e.n = a.n AND e.seq > a.seq "
        "AND e.payment_intent = a.payment_intent AND e.kind IN ('captured', 'canceled')))) "
        "ORDER BY o.n"
    )
    return conclude(offences, describe, judged=history.size("order_row"))


def one_confirmed_order_per_checkout(history: History) -> Holds | Broken:
    """At most one order of a checkout is confirmed or holds money.

    A checkout is one purchase, however many attempts or keys. An order without a row is known by
    its `order.created`.
    """

    def describe(row: Row) -> Violation:
        checkout, numbers = int(row[0]), sorted(int(n) for n in str(row[1]).split(","))
        each = "; ".join(
            f"{history.order_id(n)} {order_phrase(history, n)}, {gateway_phrase(history, n)}"
            for n in numbers
        )
        return Violation(
            invariant="one_confirmed_order_per_checkout",
            order_id=history.order_id(numbers[0]),
            checkout=checkout,
            detail=f"one purchase became {len(numbers)} orders that stand: {each}",
            events=tuple(sorted({event for n in numbers for event in events_of(history, n)})),
        )

    offences = history.rows(
        "WITH lost(checkout, n) AS (SELECT t.checkout, t.n FROM orphan p CROSS JOIN transition t "
        "ON t.n = p.n WHERE t.checkout IS NOT NULL), "
        "many(checkout) AS (SELECT checkout FROM order_row WHERE checkout IS NOT NULL "
        "GROUP BY checkout HAVING COUNT(*) > 1 UNION SELECT checkout FROM lost), "
        "mine(checkout, n, status) AS (SELECT o.checkout, o.n, o.status FROM many "
        "CROSS JOIN order_row o ON o.checkout = many.checkout "
        "UNION SELECT checkout, n, 'absent' FROM lost) "
        "SELECT checkout, GROUP_CONCAT(mine.n) FROM mine LEFT JOIN money m ON m.n = mine.n "
        "WHERE mine.status = 'confirmed' OR m.net > 0 "
        "GROUP BY checkout HAVING COUNT(*) > 1 ORDER BY checkout"
    )
    return conclude(offences, describe, judged=history.size("order_row"))


def states_never_go_back(history: History) -> Holds | Broken:
    """No order is logged in two of confirmed, failed and canceled, which absorb.

    Which came first does not matter, so a line that one replica's pipe delivered late convicts
    nobody who is innocent.
    """

    def describe(row: Row) -> Violation:
        n = row[0]
        logged = list(
            history.rows(
                "SELECT id, kind FROM transition WHERE n = ? AND kind <> 'order.created' "
                "ORDER BY id",
                n,
            )
        )
        path = ", then ".join(kind.removeprefix("order.") for _, kind in logged)
        return of_order(
            history,
            n,
            invariant="states_never_go_back",
            detail=f"logged {path}; its ledger says {order_phrase(history, n)}",
            events=tuple(event for event, _ in logged),
        )

    # Of two different ends at least one is failed or canceled.
    offences = history.rows(
        "SELECT DISTINCT t.n FROM transition t INDEXED BY transition_back "
        "WHERE t.kind IN ('order.failed', 'order.canceled') AND EXISTS (SELECT 1 FROM transition o "
        "WHERE o.n = t.n AND o.kind <> t.kind AND o.kind <> 'order.created') ORDER BY t.n"
    )
    return conclude(offences, describe, judged=history.size("order_row"))
