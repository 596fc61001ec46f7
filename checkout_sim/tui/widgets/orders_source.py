"""The orders as a stream table's source: rows of the board, newest first unless sorted otherwise."""

from collections.abc import Callable, Sequence

from checkout_sim.board.board import Board
from checkout_sim.board.orders_table import Column, columns_for, heading, row_line
from checkout_sim.board.tokens import Line, age

_TENTH_MS = 100.0


class OrdersSource:
    """Rows by key. `board` and `now_ms` are asked for each frame, so that freezing needs no word."""

    def __init__(self, board: Callable[[], Board], now_ms: Callable[[], float]) -> None:
        self._board = board
        self._now_ms = now_ms
        self._fitted: tuple[int, bool, tuple[Column, ...]] | None = None

    def keys(self) -> Sequence[str]:
        """Return the keys of every row, newest first."""
        return list(reversed(self._board().checkouts.rows))

    def identity(self, key: str) -> object:
        """Return the row itself, and its age as shown while it is open."""
        row = self._board().checkouts.rows.get(key)
        if row is None or row.ended:
            return row
        return (row, age(row.age_ms(self._now_ms())))

    def line(self, key: str, width: int) -> Line:
        """Return a row for a width."""
        row = self._board().checkouts.rows.get(key)
        return () if row is None else row_line(self._columns(width), row, self._now_ms())

    def heading(self, width: int) -> Line:
        """Return the titles of the columns."""
        return heading(self._columns(width), width)

    def _columns(self, width: int) -> tuple[Column, ...]:
        saga = any("orchestrator" in name for name in self._board().session.links)
        if self._fitted is None or self._fitted[:2] != (width, saga):
            self._fitted = (width, saga, columns_for(width, saga=saga))
        return self._fitted[2]
