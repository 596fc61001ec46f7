"""The selection: which rows, in which order, kept up to date at the price of what changed.

Takes a board and its clock; gives keys in the order of display. A row is looked at again only when
it changed; a filter on age looks again at the rows that are still open.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from checkout_sim.board.board import Board
from checkout_sim.board.checkouts import Checkouts
from checkout_sim.board.filters import ALL_ROWS, Filter
from checkout_sim.board.rows import Row

Order = Literal["newest first", "oldest first", "slowest first", "suspects first"]
ORDERS: tuple[Order, ...] = ("newest first", "oldest first", "slowest first", "suspects first")

_RANK = {"violated": 0, "suspect": 1, "open": 2, "rolled back": 3, "confirmed": 4}
_FINDINGS = frozenset({"suspect", "violated"})


class Selection:
    """Keys of the rows that a filter lets by, sorted. Make another one for another filter."""

    def __init__(self, wanted: Filter = ALL_ROWS, order: Order = "newest first") -> None:
        self.wanted = wanted
        self.order = order
        self._checkouts: Checkouts | None = None
        self._membership = -1
        self._changes = 0
        self._second = -1
        self._matching: set[str] = set()
        self._keys: Sequence[str] = ()

    def keys(self, board: Board, now_ms: float) -> Sequence[str]:
        """Return the keys now; the same object as before where nothing changed."""
        stale = self._take_over(board.checkouts, now_ms)
        if stale or self._resort_due(now_ms):
            self._keys = self._sorted(board.checkouts, now_ms)
        return self._keys

    def _take_over(self, checkouts: Checkouts, now_ms: float) -> bool:
        """Look at what changed since last time; return whether the keys may be others now."""
        fresh = checkouts is not self._checkouts
        changed = None if fresh else checkouts.changed_since(self._changes)
        came_or_went = fresh or checkouts.membership != self._membership
        self._checkouts = checkouts
        self._membership, self._changes = checkouts.membership, checkouts.change_count
        if not self.wanted:
            return came_or_went or (self.order == "suspects first" and bool(changed))
        before = len(self._matching)
        if changed is None:
            self._matching = set()
            changed = checkouts.rows
        altered = self._look_at(changed, checkouts, now_ms)
        if self.wanted.ages:
            altered = self._look_at(tuple(checkouts.undecided), checkouts, now_ms) or altered
        return came_or_went or altered or before != len(self._matching)

    def _look_at(self, keys: Iterable[str], checkouts: Checkouts, now_ms: float) -> bool:
        altered = False
        for key in keys:
            row = checkouts.rows.get(key)
            let_by = row is not None and self.wanted.matches(row, now_ms)
            if let_by != (key in self._matching):
                altered = True
                (self._matching.add if let_by else self._matching.discard)(key)
        return altered

    def _resort_due(self, now_ms: float) -> bool:
        """Return whether time alone asks for another order: ages are sorted once a second."""
        if self.order != "slowest first":
            return False
        second = int(now_ms // 1000)
        due = second != self._second
        self._second = second
        return due

    def _sorted(self, checkouts: Checkouts, now_ms: float) -> Sequence[str]:
        rows = checkouts.rows
        chosen = [key for key in rows if key in self._matching] if self.wanted else list(rows)
        match self.order:
            case "oldest first":
                return chosen
            case "newest first":
                chosen.reverse()
                return chosen
            case "slowest first":
                return sorted(chosen, key=lambda key: -rows[key].age_ms(now_ms))
            case _:
                chosen.reverse()
                return sorted(chosen, key=lambda key: _RANK[rows[key].standing])


def finding_after(
    keys: Sequence[str], board: Board, cursor: str | None, *, step: Literal[1, -1]
) -> str | None:
    """Return the next key in this direction whose row is suspect or violated, going round."""
    rows = board.checkouts.rows
    found = [at for at, key in enumerate(keys) if key in rows and is_finding(rows[key])]
    if not found:
        return None
    here = keys.index(cursor) if cursor in keys else -1
    if step == 1:
        return keys[next((at for at in found if at > here), found[0])]
    return keys[next((at for at in reversed(found) if at < here), found[-1])]


def is_finding(row: Row) -> bool:
    """Return whether a row is worth a visit."""
    return row.standing in _FINDINGS
