"""A prompt: one line of text at the foot of the screen, for filters, notes and the `:` line."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Input, Label


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
    BINDINGS: ClassVar = [Binding("escape", "leave", show=False)]

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
            yield Input(
                self._value,
                placeholder=self._placeholder,
                suggester=suggester,
                select_on_focus=False,
            )

    def on_input_changed(self, event: Input.Changed) -> None:
        """Tell what is typed so far."""
        event.stop()
        if self._on_change is not None:
            self._on_change(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give the line."""
        event.stop()
        self.dismiss(event.value)

    def action_leave(self) -> None:
        """Give nothing."""
        self.dismiss(None)
