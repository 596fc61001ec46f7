"""What must hold once an order has ended: no late charge, a truthful look-up, the right cart."""

from checkout_sim.checks.history import History, Row
from checkout_sim.checks.invariants.conclusion import conclude, of_order
from checkout_sim.checks.phrases import gateway_phrase
from checkout_sim.model.verdict import Broken, Holds, Violation


def nothing_lands_after_rollback(history: History) -> Holds | Broken:
    """Nothing is captured for an order that is failed or canceled already.

    By the emitters' monotonic clocks, which one host shares.
    """

    def describe(row: Row) -> Violation:
        n, state, rolled_back, captured, late_ms = row
        detail = f"captured {late_ms:.0f} ms after {state}: {gateway_phrase(history, n)}"
        events = tuple(sorted((rolled_back, captured)))
        return of_order(
            history, n, invariant="nothing_lands_after_rollback", detail=detail, events=events
        )

    offences = history.rows(
        "SELECT t.n, t.kind, MIN(t.id), MIN(c.id), MAX(c.at - t.at) FROM transition t "
        "JOIN event c ON c.n = t.n AND c.kind = 'gateway.captured' AND c.at > t.at "
        "WHERE t.kind IN ('order.failed', 'order.canceled') GROUP BY t.n ORDER BY t.n"
    )
    return conclude(offences, describe, judged=history.size("order_row"))


def unknown_replies_can_be_resolved(history: History) -> Holds | Broken:
    """Every look-up gives the state the ledger has; no answer at all says nothing."""

    def describe(row: Row) -> Violation:
        n, event, http_status, status, ledger = row
        detail = (
            f"the look-up answered {http_status} {status or 'without a state'}, "
            f"the ledger says {ledger or 'absent'}"
        )
        return of_order(
            history, n, invariant="unknown_replies_can_be_resolved", detail=detail, events=(event,)
        )

    offences = history.rows(
        "SELECT f.n, f.id, f.http_status, f.status, o.status FROM found f "
        "LEFT JOIN order_row o ON o.n = f.n WHERE f.http_status IS NOT NULL "
        "AND f.status IS NOT o.status ORDER BY f.id"
    )
    return conclude(offences, describe, judged=history.size("found"))


def cart_follows_the_order(history: History) -> Holds | Broken:
    """Every cart is cleared exactly when an order of its checkout is confirmed (R8)."""

    def describe(row: Row) -> Violation:
        n, confirmed, lines = row
        held = f"still holds {lines} lines" if lines else "is empty"
        ended = "an order of it is confirmed" if confirmed else "no order of it is confirmed"
        return of_order(
            history, n, invariant="cart_follows_the_order", detail=f"the cart {held}, but {ended}"
        )

    offences = history.rows(
        "SELECT MIN(o.n), MAX(o.status = 'confirmed') AS confirmed, "
        "COALESCE(MAX(c.lines), 0) AS held "
        "FROM order_row o LEFT JOIN cart_row c ON c.checkout = o.checkout "
        "WHERE o.checkout IS NOT NULL GROUP BY o.checkout "
        "HAVING (confirmed AND held > 0) OR (NOT confirmed AND held = 0) ORDER BY 1"
    )
    return conclude(offences, describe, judged=history.size("order_row"))
