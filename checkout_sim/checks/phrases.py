"""Phrases: what the evidence says of one order, in words a person reads.

Takes a history and an order's number; gives short phrases and the observation ids behind them.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # an amount needs no index: SQLite would cost `explain` 15 ms
    from checkout_sim.checks.history import History

_MOST_EVENTS = 24


def amount(minor: int | None, currency: str | None) -> str:
    """Return an amount of minor units as people write it, "42.00 usd"."""
    if minor is None:
        return "an unknown amount"
    whole, cents = divmod(abs(minor), 100)
    return f"{'-' if minor < 0 else ''}{whole}.{cents:02d} {currency or '(no currency)'}"


def order_phrase(history: "History", n: int) -> str:
    """Return how the order ended by its own ledger."""
    row = history.row("SELECT status FROM order_row WHERE n = ?", n)
    return "absent" if row is None else str(row[0])


def payment_phrase(history: "History", n: int) -> str:
    """Return what payment believes of the order, row by row."""
    rows = history.rows(
        "SELECT status, amount_minor, currency FROM payment_row WHERE n = ? ORDER BY event", n
    )
    return ", ".join(f"{row[0]} {amount(row[1], row[2])}" for row in rows) or "absent"


def gateway_phrase(history: "History", n: int) -> str:
    """Return every movement of the order's money, as the journal has it."""
    rows = history.rows(
        "SELECT kind, amount_minor, currency, payment_intent, seq FROM journal WHERE n = ? AND "
        "kind IN ('authorized', 'captured', 'canceled', 'declined', 'refunded', 'refund_failed') "
        "ORDER BY seq",
        n,
    )
    return ", ".join(_movement(*row) for row in rows) or "no charge"


def taken_phrase(history: "History", n: int) -> str:
    """Return what was taken and given back, as in "42.00 usd is captured (pi_…, seq 6)"."""
    rows = history.rows(
        "SELECT kind, amount_minor, currency, payment_intent, seq FROM journal WHERE n = ? AND "
        "kind IN ('captured', 'refunded') ORDER BY seq",
        n,
    )
    return ", ".join(
        f"{amount(minor, currency)} is {kind} ({intent or 'no intent'}, seq {seq})"
        for kind, minor, currency, intent, seq in rows
    )


def _movement(
    kind: str, minor: int | None, currency: str | None, intent: str | None, seq: int
) -> str:
    figure = "" if minor is None else f" {amount(minor, currency)}"
    return f"{kind}{figure} ({intent or 'no intent'}, seq {seq})"


def saga_phrase(history: "History", n: int) -> str:
    """Return what the log of the order's saga says, line by line, or nothing without a saga."""
    steps = history.rows(
        "SELECT r.state, r.direction, s.step, s.phase FROM saga_row r "
        "LEFT JOIN saga_step_row s ON s.n = r.n AND s.saga = r.saga WHERE r.n = ? ORDER BY s.seq",
        n,
    ).fetchall()
    if not steps:
        return ""
    state, direction = steps[0][:2]
    log = ", ".join(f"{step} {phase}" for _, _, step, phase in steps if step is not None)
    return f"its saga is {state}, {direction}: {log or 'nothing logged'}"


def told_phrase(history: "History", n: int) -> str:
    """Return what the shopper was told of the order, the last definite reply of each kind."""
    rows = history.rows(
        "SELECT claim, MAX(id) FROM ended WHERE claim IN ('confirmed', 'failed') AND checkout IN "
        "(SELECT checkout FROM order_row WHERE n = ?1 UNION SELECT checkout FROM transition "
        "WHERE n = ?1) AND n = ?1 GROUP BY claim ORDER BY MAX(id)",
        n,
    )
    told = [str(row[0]) for row in rows]
    if history.row("SELECT 1 FROM canceled WHERE n = ? AND http_status = 200", n):
        told.append("canceled")
    return "told " + ", then ".join(told) if told else "told nothing definite"


def events_of(history: "History", n: int) -> tuple[int, ...]:
    """Return the observations that show an order's end: states, replies, money and rows."""
    found = history.rows(
        "SELECT id FROM transition WHERE n = ?1 "
        "UNION SELECT id FROM event WHERE n = ?1 AND kind GLOB 'gateway.*' "
        "UNION SELECT id FROM canceled WHERE n = ?1 "
        "UNION SELECT id FROM ended WHERE n = ?1 AND checkout IN "
        "(SELECT checkout FROM order_row WHERE n = ?1 UNION SELECT checkout FROM transition "
        "WHERE n = ?1) "
        "UNION SELECT event FROM order_row WHERE n = ?1 "
        "UNION SELECT event FROM payment_row WHERE n = ?1 "
        "UNION SELECT event FROM journal WHERE n = ?1 AND delta <> 0 "
        "UNION SELECT event FROM saga_row WHERE n = ?1 ORDER BY 1",
        n,
    )
    return tuple(int(row[0]) for row in found)[-_MOST_EVENTS:]
