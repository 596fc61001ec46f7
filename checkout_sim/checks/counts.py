"""Counts: how the load's checkouts ended, by checkout."""

from checkout_sim.checks.history import History
from checkout_sim.model.verdict import OrderCounts


def count_orders(history: History) -> OrderCounts:
    """Return how many checkouts ended how; proof checkouts are not among them.

    Confirmed by any order is confirmed; an order still undecided leaves its checkout unsettled;
    all others, refused ones included, hold nothing that stands: rolled back.
    """
    total = sent_checkouts(history)
    confirmed = _count(
        history,
        "SELECT COUNT(*) FROM (SELECT DISTINCT checkout FROM order_row "
        "WHERE checkout IS NOT NULL AND status = 'confirmed' "
        "AND checkout NOT IN (SELECT checkout FROM sent WHERE proof))",
    )
    unsettled = _count(
        history,
        "SELECT COUNT(*) FROM (SELECT DISTINCT o.checkout FROM order_row o "
        "WHERE o.status NOT IN ('confirmed', 'failed', 'canceled') AND o.checkout IS NOT NULL "
        "AND o.checkout NOT IN (SELECT checkout FROM sent WHERE proof) "
        "AND NOT EXISTS (SELECT 1 FROM order_row c "
        "WHERE c.checkout = o.checkout AND c.status = 'confirmed'))",
    )
    return OrderCounts(
        total=total,
        confirmed=confirmed,
        rolled_back=max(0, total - confirmed - unsettled),
        unsettled=unsettled,
    )


def sent_checkouts(history: History) -> int:
    """Return how many checkouts of the load were sent at all."""
    return _count(
        history, "SELECT COUNT(*) FROM (SELECT DISTINCT checkout FROM sent WHERE NOT proof)"
    )


def _count(history: History, sql: str) -> int:
    found = history.row(sql)
    return int(found[0]) if found else 0
