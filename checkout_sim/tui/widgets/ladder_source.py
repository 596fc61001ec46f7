"""The ladder of one order as a stream table's source.

Takes a board and a row's key; lays the order's story out anew when it has grown. An order whose
story has left the board is told from its run's folder instead.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from checkout_sim.board.board import Board
from checkout_sim.board.ladder_rows import (
    ASCII,
    BOXES,
    SIDES,
    LadderRow,
    Side,
    Signs,
    heading,
    lanes_shown,
    row_line,
    rows_of,
)
from checkout_sim.board.rows import Row
from checkout_sim.board.tokens import Line, money
from checkout_sim.checks.ladder import ladder as laid_out
from checkout_sim.model.belief import Believed
from checkout_sim.model.ladder import Ladder


class LadderSource:
    """Rungs of one order, oldest first."""

    def __init__(self, board: Callable[[], Board], key: str, *, ascii_only: bool = False) -> None:
        self.key = key
        self.side: Side = SIDES[0]
        self.hidden_lanes = 0
        self.signs: Signs = ASCII if ascii_only else BOXES
        self.ladder: Ladder | None = None
        self._board = board
        self._told: tuple[int, int, int] | None = None  # which run, whose, how long its story is
        self._rows: dict[str, LadderRow] = {}
        self._order: Sequence[str] = ()
        self._shown: tuple[Ladder | None, Side] | None = None

    @property
    def row(self) -> Row | None:
        """Return the order's row; None when it has shrunk to a count."""
        return self._board().checkouts.rows.get(self.key)

    @property
    def lanes(self) -> tuple[str, ...]:
        """Return the lanes that are shown."""
        return () if self.ladder is None else lanes_shown(self.ladder, self.hidden_lanes)

    def index_of(self, key: str | None) -> int | None:
        """Return where in the ladder a shown rung is."""
        return None if key is None else int(key.partition(":")[0])

    def keys(self) -> Sequence[str]:
        """Return the keys of the rungs of the chosen side."""
        self._lay_out()
        if self._shown != (self.ladder, self.side):
            self._shown = (self.ladder, self.side)
            rows = () if self.ladder is None else rows_of(self.ladder, self.side)
            self._rows = {row.key: row for row in rows}
            self._order = list(self._rows)
        return self._order

    def identity(self, key: str) -> object:
        """Return what a rung's line depends on."""
        return (self._rows.get(key), self.hidden_lanes)

    def line(self, key: str, width: int) -> Line:
        """Return a rung for a width."""
        row = self._rows[key]
        faults = self._board().faults.by_name
        tokens = [faults[name].token if name in faults else name[:3] for name in row.rung.under]
        return row_line(row, self.lanes, tokens, width, self.signs)

    def heading(self, width: int) -> Line:
        """Return the lanes' names."""
        return heading(self.lanes, width)

    def _lay_out(self) -> None:
        board, row = self._board(), self.row
        if row is None:
            return
        story = board.stories.about(row.number)
        told = (id(board.stories), row.number, len(story))
        if told == self._told:
            return
        self._told = told
        order_id = row.order_id or f"#{row.key}"
        if not row.order_id:  # nothing was created: the shopper's own lines are all there is
            story = [
                replace(one, order=order_id) if one.checkout is not None else one for one in story
            ]
        self.ladder = laid_out(story, order_id, believed_already=believed(row))


def believed(row: Row) -> Believed:
    """Return who believes what of an order, as far as a board has seen it."""
    return Believed(
        told=row.told,
        order=row.order,
        payment=row.payment,
        gateway=f"{money(row.net_minor)} captured" if row.money_moved else "no charge",
        faults=row.faults,
    )
