"""Money as the gateway's log tells it: what was captured, what was given back.

Each takes a row and a line of the gateway; gives the row with its sum. A sum that is seen, not a
balance: only the journal, read when all is quiet, is that.
"""

from checkout_sim.board.rows import Row
from checkout_sim.model.history import Observation


def captured(row: Row, one: Observation) -> Row:
    """Let a capture stand from now on."""
    amount = _amount(row, one)
    return row._replace(
        net_minor=row.net_minor + amount, captures=row.captures + 1, money_moved=True
    )


def returned(row: Row, one: Observation) -> Row:
    """Take a capture back by a refund."""
    amount = _amount(row, one)
    return row._replace(
        net_minor=row.net_minor - amount, captures=max(0, row.captures - 1), money_moved=True
    )


def returned_failed(row: Row, one: Observation) -> Row:
    """Let a capture stand again, whose refund did not go through after all."""
    return captured(row, one)


def _amount(row: Row, one: Observation) -> int:
    amount = one.data.get("amount_minor")
    return amount if isinstance(amount, int) else row.total_minor or 0
