"""A block of lines made of tokens, drawn again only where it differs.

Takes a function from width and height to lines; the pump calls `refresh_rows()`, which compares and
redraws single lines. The context row, the topology, figures and the log are such blocks.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from checkout_sim.board.tokens import Line, clipped, width_of

if TYPE_CHECKING:
    from checkout_sim.tui.app import CheckoutSimApp

Draw = Callable[[int, int], Sequence[Line]]


class Block(Widget):
    """Lines of tokens; `draw(width, height)` gives them, the first at the top."""

    DEFAULT_CSS = """
    Block { height: 1; width: 1fr; }
    """

    def __init__(self, draw: Draw, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._draw = draw
        self._lines: list[Line] = []

    @property
    def text(self) -> str:
        """Return what is drawn now, as plain text."""
        return "\n".join("".join(token.text for token in line) for line in self._lines)

    def text_at(self, x: int, y: int) -> str:
        """Return the text of the token that is drawn in a cell; nothing where there is none."""
        for token in self._lines[y] if y < len(self._lines) else ():
            x -= width_of((token,))
            if x < 0:
                return token.text
        return ""

    def refresh_rows(self) -> None:
        """Draw what differs from what is on the screen. Called by the pump."""
        width, height = self.size
        if width <= 0 or height <= 0:
            return
        before = self._lines
        self._lines = [clipped(line, width) for line in self._draw(width, height)][:height]
        if len(before) != len(self._lines):
            self.refresh()
            return
        for y, (new, old) in enumerate(zip(self._lines, before, strict=True)):
            if new != old:
                self.refresh(Region(0, y, width, 1))

    def forget(self) -> None:
        """Draw everything anew: looks or alphabet changed."""
        self._lines = []
        self.refresh_rows()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one line as styled cells."""
        width = self.size.width
        app: CheckoutSimApp = self.app  # type: ignore[assignment] # the only app there is
        ground = self.background_colors[1]
        if y >= len(self._lines):
            return app.looks.grounded(Strip.blank(width), ground)
        segments = [Segment(token.text, app.looks[token.look]) for token in self._lines[y]]
        return app.looks.grounded(Strip(segments).adjust_cell_length(width), ground)

    def on_resize(self) -> None:
        """Draw everything for the new size."""
        self.forget()
