"""Counts: how the load's checkouts ended, by checkout."""

from checkout_sim.checks.history import History
from checkout_sim.model.verdict import OrderCounts


def count_orders(history: History) -> OrderCounts:
    """Return how many checkouts ended how; proof checkouts are not among them.

    Confirmed by any order is confirmed; an order still undecided leaves its checkout unsettled;
    all others, refused ones included, hold nothing that stands: rolled back.
    """
    row = history.row(
        "WITH load(checkout) AS (SELECT DISTINCT checkout FROM sent WHERE NOT proof), "
        "outcome AS (SELECT MAX(o.status = 'confirmed') AS confirmed, "
        "MAX(o.status NOT IN ('confirmed', 'failed', 'canceled')) AS undecided "
        "FROM load LEFT JOIN order_row o ON o.checkout = load.checkout GROUP BY load.checkout) "
        "SELECT COUNT(*), COALESCE(SUM(confirmed), 0), "
        "COALESCE(SUM(undecided AND NOT confirmed), 0) FROM outcome"
    )
    total, confirmed, unsettled = row if row is not None else (0, 0, 0)
    return OrderCounts(
        total=total,
        confirmed=confirmed,
        rolled_back=total - confirmed - unsettled,
        unsettled=unsettled,
    )
