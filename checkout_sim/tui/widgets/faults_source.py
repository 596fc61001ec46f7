"""Links and processes as rows of one table, for the fault console.

Takes the view's board as it is shown; gives keys like `link:payment_to_gateway` and
`process:payment:2`, which stay the same while figures move.
"""

from collections.abc import Callable, Sequence

from checkout_sim.board.board import Board
from checkout_sim.board.fault_lines import (
    link_line,
    links_heading,
    process_line,
    spark_seconds,
)
from checkout_sim.board.fault_rows import LinkRow, ProcessRow, link_rows, process_rows
from checkout_sim.board.faults import FaultSeen
from checkout_sim.board.places import PROCESSES
from checkout_sim.board.tokens import Line, Token, counted
from checkout_sim.model.wire import CONTROLS

LINK, PROCESS, UNUSED = "link", "process", "unused"


class FaultsSource:
    """A `Source` of the fault console's table."""

    def __init__(
        self,
        board: Callable[[], Board],
        now_ms: Callable[[], float],
        ascii_only: Callable[[], bool],
    ) -> None:
        self._board = board
        self._now_ms = now_ms
        self._ascii_only = ascii_only
        self.show_unused: bool | None = None  # None: not asked for, so where there is room
        self.roomy = False
        self.width = 80
        self._rows: dict[str, LinkRow | ProcessRow] = {}
        self._hidden = 0
        self._controls = ""

    @property
    def shows_unused(self) -> bool:
        """Return whether links that carry nothing under this strategy have their rows."""
        return self.roomy if self.show_unused is None else self.show_unused

    def keys(self) -> Sequence[str]:
        """Return links, then processes, then how many links are hidden."""
        board = self._board()
        links = link_rows(
            board.links,
            self._now_ms(),
            visible_faults(board),
            carried=board.session.links,
            seconds=spark_seconds(self.width),
            ascii_only=self._ascii_only(),
        )
        shown = [row for row in links if self.shows_unused or row.look != "idle"]
        processes = process_rows(PROCESSES, tuple(board.processes.by_name.values()), self._now_ms())
        self._hidden = len(links) - len(shown)
        self._controls = controls_in_force(board)
        self._rows = {f"{LINK}:{row.name}": row for row in shown}
        self._rows |= {f"{PROCESS}:{row.name}:{row.instance}": row for row in processes}
        return [*self._rows, *([UNUSED] if self._hidden else [])]

    def identity(self, key: str) -> object:
        """Return what the line depends on."""
        return (self._rows.get(key), self._hidden if key == UNUSED else self._controls)

    def line(self, key: str, width: int) -> Line:
        """Return a row of the table."""
        row = self._rows.get(key)
        match row:
            case LinkRow():
                return link_line(row, width)
            case ProcessRow():
                controls = self._controls if row.name == "gateway" else ""
                return process_line(row, width, controls=controls)
            case None:
                strategy = self._board().session.strategy or "this strategy"
                hidden = counted(self._hidden, "link")
                told = f"   {hidden} without traffic under {strategy}; i shows them"
                return (Token(told, "quiet"),)

    def heading(self, width: int) -> Line:
        """Return the heading, remembering how wide the table is."""
        self.width = width
        return links_heading(width)


def visible_faults(board: Board) -> tuple[FaultSeen, ...]:
    """Return the faults a console shows: in force, or stuck until somebody deals with them."""
    return tuple(one for one in board.faults.by_name.values() if one.stage != "lifted")


def controls_in_force(board: Board) -> str:
    """Return the gateway controls in force, as one phrase."""
    names = [one.type for one in board.faults.in_force if one.type in CONTROLS]
    return f"controls: {', '.join(names)}" if names else "no control"
