"""One of a few values on one line: `(*) once  ( ) retry  ( ) submit twice`.

Takes values with their titles; posts `Changed` with the one picked. Left and right go through them,
space goes on to the next; every other letter stops here, so that a form's keys never reach the
world behind it. Enter and esc pass, to whatever form it stands in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from checkout_sim.board.tokens import Token, clipped

if TYPE_CHECKING:
    from checkout_sim.tui.app import CheckoutSimApp

_GAP = 2
_MARK = 4  # "(*) "


class Choice(Widget, can_focus=True):
    """A row of radio buttons; `value` is the one picked."""

    DEFAULT_CSS: ClassVar[str] = """
    Choice { height: 1; width: auto; }
    """

    @dataclass
    class Changed(Message):
        """Another value was picked."""

        choice: "Choice"
        value: str

        @property
        def control(self) -> "Choice":
            """Return the choice, so that handlers can select by it."""
            return self.choice

    def __init__(
        self,
        options: Sequence[tuple[str, str]],
        value: str,
        *,
        label: str = "",
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(id=id)
        self.options = tuple(options)
        self.value = value
        self.label = label

    def pick(self, value: str) -> None:
        """Pick a value and say so, if it is another and there is one like it."""
        if value == self.value or value not in dict(self.options):
            return
        self.value = value
        self.refresh()
        self.post_message(self.Changed(self, value))

    def get_content_width(self, *_: object) -> int:
        """Return how wide all options are together."""
        return sum(width for _, width in self._places()) + len(self._lead)

    def render_line(self, y: int) -> Strip:
        """Return the options, the picked one marked by `*` and style."""
        width = self.size.width
        if y:
            return Strip.blank(width)
        app: CheckoutSimApp = self.app  # type: ignore[assignment] # the only app there is
        looks = app.looks
        tokens = [Token(self._lead, "title")]
        for value, title in self.options:
            mark = "(*)" if value == self.value else "( )"
            picked = "title" if value == self.value else "plain"
            tokens.append(Token(f"{mark} {title}{' ' * _GAP}", picked))
        segments = []
        for token in clipped(tokens, width):
            style = looks[token.look]
            marked = self.has_focus and token.look == "title" and token.text.startswith("(*)")
            segments.append(Segment(token.text, style + looks.bar if marked else style))
        strip = Strip(segments).adjust_cell_length(width)
        return looks.grounded(strip, self.background_colors[1])

    def on_key(self, event: events.Key) -> None:
        """Go through the options, and keep every letter from the screen behind."""
        match event.key:
            case "right" | "space":
                self._step(1)
            case "left":
                self._step(-1)
            case _ if not event.is_printable:
                return
        event.stop()
        event.prevent_default()

    def on_click(self, event: events.Click) -> None:
        """Pick what was clicked."""
        left = len(self._lead)
        for value, width in self._places():
            if left <= event.x < left + width:
                self.pick(value)
            left += width

    def on_focus(self) -> None:
        """Show that it has the keys."""
        self.refresh()

    def on_blur(self) -> None:
        """Show that it has them no more."""
        self.refresh()

    @property
    def _lead(self) -> str:
        return f"{self.label} " if self.label else ""

    def _places(self) -> list[tuple[str, int]]:
        return [(value, _MARK + len(title) + _GAP) for value, title in self.options]

    def _step(self, by: int) -> None:
        values = [value for value, _ in self.options]
        self.pick(values[(values.index(self.value) + by) % len(values)])
