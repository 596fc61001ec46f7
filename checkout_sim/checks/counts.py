"""Counts: how the load's checkouts ended, by checkout."""

from checkout_sim.checks.history import History
from checkout_sim.model.verdict import OrderCounts


def count_orders(history: History) -> OrderCounts:
    """Return how many checkouts ended how; proof checkouts are not among them.

    Confirmed by any order is confirmed; an order still undecided leaves its checkout unsettled;
    all others, refused ones included, hold nothing that stands: rolled back.
    """
    total = _count(history, "SELECT COUNT(DISTINCT checkout) FROM sent WHERE NOT proof")
    confirmed = _count(history, _CONFIRMED) - _count(history, _CONFIRMED + _AS_PROOF)
    unsettled = _count(
        history,
        "SELECT COUNT(DISTINCT o.checkout) FROM order_row o INDEXED BY order_row_undecided "
        "WHERE o.status NOT IN ('confirmed', 'failed', 'canceled') "
        "AND o.checkout NOT IN (SELECT checkout FROM sent WHERE proof) "
        "AND NOT EXISTS (SELECT 1 FROM order_row c "
        "WHERE c.checkout = o.checkout AND c.status = 'confirmed')",
    )
    return OrderCounts(
        total=total,
        confirmed=confirmed,
        rolled_back=max(0, total - confirmed - unsettled),
        unsettled=unsettled,
    )


_CONFIRMED = "SELECT COUNT(DISTINCT checkout) FROM order_row WHERE status = 'confirmed'"
_AS_PROOF = " AND checkout IN (SELECT checkout FROM sent WHERE proof)"


def _count(history: History, sql: str) -> int:
    found = history.row(sql)
    return int(found[0]) if found else 0
