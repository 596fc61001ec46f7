"""One row: a checkout as its watchers see it, and the standing they give it.

Takes what was seen of one order (or of a checkout that has no order yet); says how it stands. A row
suspects and never convicts: log lines give order of events, never balances, so only the judge's
violations make a row `violated`. The rules of suspicion stand in `suspicion` and nowhere else, and
reach no report and no exit code.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

Standing = Literal["open", "confirmed", "rolled back", "suspect", "violated"]

MARKS: dict[Standing, str] = {
    "open": "~",
    "confirmed": "+",
    "rolled back": "<",
    "suspect": "?",
    "violated": "!",
}

# Beyond every budget and fence of services/README.md: whoever is undecided by now is looked at.
OVERDUE_MS = 15_000.0

_NOT_BOUGHT = frozenset({"failed", "refused"})
_PAYMENT_FAILED = frozenset({"failed", "canceled"})


class Row(NamedTuple):
    """One order of one checkout. A tuple: a row is made anew by every event that touches it.

    `net_minor` is what the gateway was seen to capture less what it gave back, `captures` how many
    captures stand. Times are the recorder's ms; `faults` are tokens (`6r`: link 6, preset r) of
    what was in force meanwhile, which hints and proves nothing.
    """

    key: str  # "412", or "412b" for a second order of the same checkout
    number: int
    sent_ms: float
    order_id: str = ""
    ended_ms: float | None = None
    tries: int = 1
    told: str = "-"
    order: str = "-"
    payment: str = "-"
    saga: str = "-"
    total_minor: int | None = None
    currency: str = ""
    net_minor: int = 0
    captures: int = 0
    money_moved: bool = False
    faults: tuple[str, ...] = ()
    card: str = ""
    proof: bool = False
    overdue: bool = False
    elsewhere: int = 0  # captures that stand on other orders of the same checkout
    claims: tuple[str, ...] = ()
    suspicion: str = ""
    standing: Standing = "open"

    @property
    def ended(self) -> bool:
        """Return whether its shopper waits for nothing any more."""
        return self.ended_ms is not None

    def age_ms(self, now_ms: float) -> float:
        """Return how long it took, or takes by now while it is open."""
        end_ms = now_ms if self.ended_ms is None else self.ended_ms
        return max(0.0, end_ms - self.sent_ms)


def suspicion(row: Row) -> str:  # noqa: PLR0911 - one for each rule
    """Return why a row is worth a look, as a short phrase; empty when it is not."""
    if row.captures + row.elsewhere > 1 and row.captures:
        return f"{row.captures + row.elsewhere} captures stand"
    if row.told in _NOT_BOUGHT and row.net_minor > 0 and row.order != "confirmed":
        return f"told {row.told}, yet a capture stands"
    if row.payment in _PAYMENT_FAILED and row.net_minor > 0:
        return f"payment {row.payment}, yet captured"
    if row.told in _NOT_BOUGHT and row.order == "confirmed":
        return f"told {row.told}, yet confirmed"
    if row.order == "confirmed" and row.ended and row.net_minor <= 0 and row.total_minor:
        return "confirmed, no capture seen"
    if row.overdue and row.order == "pending":
        return f"pending beyond {OVERDUE_MS / 1000:.0f} s"
    return ""


def standing(row: Row) -> Standing:
    """Return how a row stands, worst first."""
    if row.claims:
        return "violated"
    if row.suspicion:
        return "suspect"
    if row.order == "confirmed":
        return "confirmed"
    if row.order in {"failed", "canceled"}:
        return "open" if row.net_minor > 0 else "rolled back"
    nothing_there = row.order == "-" and row.net_minor <= 0
    if nothing_there and row.ended and (row.told in _NOT_BOUGHT or row.overdue):
        return "rolled back"
    return "open"


def weighed(row: Row) -> Row:
    """Return the row with suspicion and standing that follow from its other fields."""
    why = suspicion(row)
    if why != row.suspicion:
        row = row._replace(suspicion=why)
    how = standing(row)
    return row if how == row.standing else row._replace(standing=how)


def standing_elsewhere(rows: Sequence[Row]) -> list[Row]:
    """Return the orders of one checkout, each knowing how many captures stand on the others."""
    total = sum(row.captures for row in rows)
    return [row._replace(elsewhere=total - row.captures) for row in rows]
