"""The log as a stream table's source, newest line first."""

from collections.abc import Callable, Sequence

from checkout_sim.board.board import Board
from checkout_sim.board.log import Level, LogLine
from checkout_sim.board.tokens import Line, Token, clipped, fitted, width_of

MOST = 1_000


class LogSource:
    """Lines by observation id, of a level, containing a text."""

    def __init__(self, board: Callable[[], Board]) -> None:
        self.level: Level = "info"
        self.text = ""
        self._board = board
        self._taken: tuple[int, int, Level, str] | None = None
        self._listed: dict[str, LogLine] = {}
        self._order: Sequence[str] = ()

    def keys(self) -> Sequence[str]:
        """Return the ids of the lines shown, newest first."""
        board = self._board()
        taken = (id(board.log), board.log.count, self.level, self.text)
        if taken != self._taken:
            self._taken = taken
            lines = board.log.tail(MOST, self.level, text=self.text)
            self._listed = {str(line.id): line for line in reversed(lines)}
            self._order = list(self._listed)
        return self._order

    def identity(self, key: str) -> object:
        """Return the line itself: lines never change."""
        return self._listed.get(key)

    def line(self, key: str, width: int) -> Line:
        """Return a line for a width."""
        return log_tokens(self._listed[key], width, indent=3)

    def heading(self, width: int) -> Line:
        """Return the titles."""
        return (Token(fitted(f"   {'S':>8} SOURCE       EVENT", width), "title"),)


def log_tokens(line: LogLine, width: int, *, indent: int = 1) -> Line:
    """Return a line of the log: seconds, who, what, and at the right edge which checkout."""
    about = f"#{line.checkout}" if line.checkout is not None else ""
    head: Line = (
        Token(" " * indent),
        Token(f"{line.t_ms / 1000:8.3f} ", "quiet"),
        Token(f"{fitted(line.source, 12)} "),
    )
    room = width - width_of(head) - len(about) - 2
    body = Token(fitted(line.text, max(0, room)), "struck" if line.loud else "plain")
    return clipped((*head, body, Token(" "), Token(about, "quiet")), width)
