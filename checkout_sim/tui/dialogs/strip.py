"""A strip at the foot of the screen that takes the next keys: what leader and menus are made of.

It covers only its own lines; the view above goes on being drawn.
"""

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen

from checkout_sim.board.tokens import Line
from checkout_sim.tui.widgets.line import Block

Result = TypeVar("Result")


class KeyStrip(ModalScreen[Result]):
    """Lines that say which keys mean what; `chosen(key)` is asked for every key but escape."""

    DEFAULT_CSS: ClassVar[str] = """
    KeyStrip { background: transparent; align: left bottom; }
    KeyStrip #strip { dock: bottom; width: 1fr; background: $panel; padding: 0 0; }
    """

    def compose(self) -> ComposeResult:
        """Compose the strip."""
        yield Block(lambda width, _height: self.lines(width), id="strip")

    def on_mount(self) -> None:
        """Take as many lines as there is to say."""
        self._fit()

    def on_resize(self) -> None:
        """Wrap for the new width."""
        self._fit()

    def lines(self, width: int) -> Sequence[Line]:
        """Return what the strip says."""
        raise NotImplementedError

    def chosen(self, key: str, character: str) -> None:
        """Take a key; dismiss when it decides."""
        raise NotImplementedError

    def on_key(self, event: events.Key) -> None:
        """Take every key: escape leaves, and nothing reaches the view below.

        A key that was typed faster than the one before it decided is for what is on top now.
        """
        event.stop()
        event.prevent_default()
        if self.app.screen is not self:
            self.app.post_message(events.Key(event.key, event.character))
            return
        if event.key in {"escape", "ctrl+c"}:
            self.dismiss(None)
            return
        self.chosen(event.key, event.character or event.key)
        if self.is_current:
            self._fit()

    def _fit(self) -> None:
        strip = self.query_one("#strip", Block)
        strip.styles.height = max(1, len(self.lines(self.app.size.width)))
        strip.forget()
