"""A prompt: one line of text at the foot of the screen, for filters, notes and the `:` line.

Like a strip of choices it answers every key it is given, each in its turn: letters typed before it
has opened stand in its line in the order they were typed, and what follows enter or escape is for
the view below.
"""

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Input, Label


class _Field(Input):
    """The line. Each key is performed in its turn.

    Textual performs a field's enter or backspace once it has come up to the app, by when letters
    that were typed after it stand in the line.
    """

    BINDINGS: ClassVar = [Binding("escape", "leave", show=False)]

    async def on_key(self, event: events.Key) -> None:
        """Take a key: letters are Textual's to insert, every other is performed at once."""
        prompt = self.screen
        if prompt is not self.app.screen:  # decided: the key is for what is on top now
            event.stop()
            event.prevent_default()
            self.app.post_message(events.Key(event.key, event.character))
        elif not event.is_printable:
            event.stop()
            event.prevent_default()
            for binding in self._bindings.key_to_bindings.get(event.key, ())[:1]:
                await self.run_action(binding.action)

    async def action_submit(self) -> None:
        """Give the line, as it stands when enter's turn has come."""
        self.screen.dismiss(self.value)

    def action_leave(self) -> None:
        """Give nothing."""
        self.screen.dismiss(None)


class Prompt(ModalScreen[str]):
    """One line; enter gives it, escape gives None. `on_change` hears every letter meanwhile."""

    DEFAULT_CSS: ClassVar[str] = """
    Prompt { background: transparent; align: left bottom; }
    Prompt Horizontal { dock: bottom; height: 1; background: $panel; }
    Prompt Label { width: auto; padding: 0 1; text-style: bold; }
    Prompt Input {
        border: none; height: 1; padding: 0; background: $panel; width: 1fr;
        &:focus { border: none; }
    }
    """

    def __init__(
        self,
        label: str,
        value: str = "",
        *,
        placeholder: str = "",
        words: tuple[str, ...] = (),
        on_change: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__()
        self._label = label
        self._value = value
        self._placeholder = placeholder
        self._words = words
        self._on_change = on_change

    def compose(self) -> ComposeResult:
        """Compose label and field."""
        suggester = SuggestFromList(self._words, case_sensitive=False) if self._words else None
        with Horizontal():
            yield Label(self._label, markup=False)
            yield _Field(
                self._value,
                placeholder=self._placeholder,
                suggester=suggester,
                select_on_focus=False,
            )

    def on_key(self, event: events.Key) -> None:
        """Give the line a key that was typed before it was there; its own never come this far."""
        event.stop()
        event.prevent_default()
        self.query_one(_Field).post_message(events.Key(event.key, event.character))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Tell what is typed so far; once it is decided that has been told."""
        event.stop()
        if self._on_change is not None and self.is_current:
            self._on_change(event.value)
