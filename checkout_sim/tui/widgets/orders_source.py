"""The orders as a stream table's source: rows of the board, filtered and sorted."""

from collections.abc import Callable, Sequence

from checkout_sim.board.board import Board
from checkout_sim.board.filters import ALL_ROWS, Filter
from checkout_sim.board.orders_table import Column, columns_for, heading, row_line
from checkout_sim.board.select import Order, Selection
from checkout_sim.board.tokens import Line, age


class OrdersSource:
    """Rows by key. Board and clock are asked for each frame, so that freezing needs no word."""

    def __init__(self, board: Callable[[], Board], now_ms: Callable[[], float]) -> None:
        self.selection = Selection()
        self._board = board
        self._now_ms = now_ms
        self._fitted: tuple[int, bool, tuple[Column, ...]] | None = None

    def choose(self, wanted: Filter = ALL_ROWS, order: Order | None = None) -> None:
        """Show other rows, or the same in another order."""
        self.selection = Selection(wanted, order or self.selection.order)

    def keys(self) -> Sequence[str]:
        """Return the keys of the rows chosen, in their order."""
        return self.selection.keys(self._board(), self._now_ms())

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
