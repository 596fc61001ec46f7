"""A form below a list: rows of fields that keep every key, until enter sends or esc leaves.

Takes a title and fields, gives what was typed by name; posts `Submitted`, `Changed` and `Closed`.
It knows nothing of what its fields mean: the screen reads them and says what is wrong with them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Label

from checkout_sim.board.tokens import Line, Token
from checkout_sim.tui.forms.fields import FormField
from checkout_sim.tui.widgets.choice import Choice
from checkout_sim.tui.widgets.field import Field
from checkout_sim.tui.widgets.line import Block

_SAID_LINES = 2


class Form(Vertical):
    """Fields in rows, a title above and a sentence below them."""

    DEFAULT_CSS: ClassVar[str] = """
    Form { height: auto; display: none; }
    Form.-open { display: block; }
    Form Horizontal { height: 1; width: 100%; }
    Form Label { width: auto; padding: 0 1; }
    Form Input { height: 1; border: none; padding: 0; background: $panel; }
    Form Input:focus { border: none; text-style: bold; }
    Form .said { height: 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", show=False),
        Binding("escape", "close", show=False),
        Binding("tab,down", "next_field", show=False),
        Binding("shift+tab,up", "previous_field", show=False),
    ]

    @dataclass
    class Submitted(Message):
        """Enter was pressed: what was typed is to be sent."""

        form: "Form"

        @property
        def control(self) -> "Form":
            """Return the form, so that handlers can select by it."""
            return self.form

    @dataclass
    class Changed(Message):
        """Something else stands in a field now."""

        form: "Form"

        @property
        def control(self) -> "Form":
            """Return the form, so that handlers can select by it."""
            return self.form

    @dataclass
    class Closed(Message):
        """Esc was pressed: nothing is to be sent."""

        form: "Form"

        @property
        def control(self) -> "Form":
            """Return the form, so that handlers can select by it."""
            return self.form

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.title_text = ""
        self._said = ""
        self._wrong = False
        self._fields: tuple[FormField, ...] = ()
        self._back: Widget | None = None

    def compose(self) -> ComposeResult:
        """Compose the title and the sentence; fields come when it opens."""
        yield Block(lambda _width, _height: [(Token(f" {self.title_text}", "title"),)])
        yield Vertical(classes="fields")
        yield Block(self._said_lines, classes="said")

    # ---- what screens use --------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Return whether it is shown and has the keys."""
        return self.has_class("-open")

    @property
    def values(self) -> dict[str, str]:
        """Return what stands in the fields, by name."""
        return {field.name: self._value(field) for field in self._fields}

    async def open(self, title: str, fields: Sequence[FormField]) -> None:
        """Show the form with these fields, the first of them focused."""
        if not self.is_open:
            self._back = self.screen.focused
        self.title_text, self._fields = title, ()  # until all are there, none has a value
        self.say("")
        holder = self.query_one(".fields", Vertical)
        await holder.remove_children()
        for row in sorted({field.row for field in fields}):
            within = [widget for field in fields if field.row == row for widget in _widgets(field)]
            await holder.mount(Horizontal(*within))
        holder.styles.height = "auto"
        self._fields = tuple(fields)
        self.add_class("-open")
        self.focus_first()
        self.post_message(self.Changed(self))

    def focus_first(self) -> None:
        """Give the first field the keys."""
        fields = self._focusable()
        if fields:
            fields[0].focus()

    def put(self, name: str, value: str) -> None:
        """Put a value into a field, as if it had been typed."""
        widget = self.query_one(f"#field-{name}")
        if isinstance(widget, Choice):
            widget.pick(value)
        elif isinstance(widget, Input):
            widget.value = value

    def close(self) -> None:
        """Hide the form and give the keys back to whatever had them."""
        if not self.is_open:
            return
        self.remove_class("-open")
        if self._back is not None and self._back.is_mounted:
            self._back.focus()

    def say(self, text: str, *, wrong: bool = False) -> None:
        """Put a sentence below the fields."""
        self._said, self._wrong = text, wrong
        for block in self.query(Block):
            block.refresh_rows()

    @property
    def said(self) -> str:
        """Return the sentence below the fields."""
        return self._said

    # ---- keys --------------------------------------------------------------------------------

    def action_submit(self) -> None:
        """Ask the screen to send what was typed."""
        self.post_message(self.Submitted(self))

    def action_close(self) -> None:
        """Leave without sending."""
        self.close()
        self.post_message(self.Closed(self))

    def action_next_field(self) -> None:
        """Go to the next field, within the form."""
        self._step(1)

    def action_previous_field(self) -> None:
        """Go to the field before."""
        self._step(-1)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_submit()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._say_changed()

    @on(Choice.Changed)
    def _picked(self, event: Choice.Changed) -> None:
        event.stop()
        self._say_changed()

    def _say_changed(self) -> None:
        if self._fields:  # while fields are mounted they change as well
            self.post_message(self.Changed(self))

    # ---- within ------------------------------------------------------------------------------

    def _value(self, field: FormField) -> str:
        widget = self.query_one(f"#field-{field.name}")
        if isinstance(widget, Input | Choice):
            return widget.value
        raise TypeError(f"{field.name}: neither a text nor a choice")

    def _focusable(self) -> list[Widget]:
        found = (self.query_one(f"#field-{field.name}") for field in self._fields)
        return [widget for widget in found if widget.display and widget.focusable]

    def _step(self, by: int) -> None:
        fields = self._focusable()
        if not fields:
            return
        focused = self.screen.focused
        at = fields.index(focused) if focused in fields else -by
        fields[(at + by) % len(fields)].focus()

    def _said_lines(self, width: int, _height: int) -> list[Line]:
        look = "wrong" if self._wrong else "suspect"
        rows = wrap(self._said, max(10, width - 2))[:_SAID_LINES]
        return [(Token(f" {row}", look),) for row in rows]


def _widgets(field: FormField) -> list[Widget]:
    if field.options:
        return [
            Choice(field.options, field.value, label=f" {field.label}", id=f"field-{field.name}")
        ]
    typed = Field(field.value, id=f"field-{field.name}", compact=True)
    typed.styles.width = field.width
    return [Label(field.label), typed]
