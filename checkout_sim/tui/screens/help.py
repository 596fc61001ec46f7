"""Help: every key of the view below and of everywhere, searched, and performed."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.widgets import Input

from checkout_sim.board.tokens import Line, Token, fitted
from checkout_sim.tui.actions import Action
from checkout_sim.tui.actions.action import EVERYWHERE, LISTS
from checkout_sim.tui.actions.table import shown_key
from checkout_sim.tui.dialogs.prompt import Prompt
from checkout_sim.tui.keymap import keymap_path
from checkout_sim.tui.screens.view import View
from checkout_sim.tui.widgets.line import Block
from checkout_sim.tui.widgets.stream_table import StreamTable

_MARKS = (
    "~ open  + confirmed  < rolled back  ? suspect  ! violated",
    "═ link with a fault  X lost  $ money moved  * committed",
)


class HelpSource:
    """Actions as rows; `text` chooses among them."""

    def __init__(self, rows: Sequence[Action], off: dict[str, str]) -> None:
        self.text = ""
        self._rows = {f"{row.scope}/{row.id}": row for row in rows}
        self._off = off

    def keys(self) -> Sequence[str]:
        """Return the actions that contain the text."""
        wanted = self.text.lower()
        return [
            key
            for key, row in self._rows.items()
            if wanted in f"{row.id} {row.title} {row.help} {' '.join(row.keys)}".lower()
        ]

    def action(self, key: str) -> Action:
        """Return the action of a row."""
        return self._rows[key]

    def identity(self, key: str) -> object:
        """Return the action: rows do not change while help is open."""
        return self._rows[key].id

    def line(self, key: str, width: int) -> Line:
        """Return where it works, its keys, what it does, and why it is off if it is."""
        row = self._rows[key]
        where = {EVERYWHERE: "everywhere", LISTS: "lists"}.get(row.scope, "this screen")
        keys = " ".join(shown_key(one) for one in row.keys)
        off = self._off.get(row.id, "")
        words = f"{row.title}: {row.help}" if row.help else row.title
        return (
            Token(f"   {fitted(where, 12)} "),
            Token(f"{fitted(keys, 10)} ", "key"),
            Token(fitted(f"{words}  [off: {off}]" if off else words, max(0, width - 27))),
        )

    def heading(self, width: int) -> Line:
        """Return the titles."""
        return (Token(fitted("   WHERE        KEYS       WHAT IT DOES", width), "title"),)


class HelpView(View):
    """On top of any view. What it lists is collected before it is pushed: else it lists itself."""

    scope: ClassVar[str] = "help"
    heading: ClassVar[str] = "Help"
    on_top: ClassVar[bool] = True

    def __init__(self, below: str, rows: Sequence[Action], off: dict[str, str]) -> None:
        super().__init__()
        self._below = below
        self.source = HelpSource(rows, off)

    def body(self) -> ComposeResult:
        """Yield the search, the actions, and what the marks mean."""
        yield Block(self._draw_about, id="about")
        yield Input(placeholder="search keys", id="search")
        yield StreamTable(self.source, id="keys")
        yield Block(self._draw_marks, id="marks")

    def on_mount(self) -> None:
        """Begin in the list, so that a second ? is not typed into the search."""
        self.query_one("#keys", StreamTable).focus()

    async def do_filter_edit(self, *words: str) -> None:
        """Search letter by letter, in a prompt, which loses none that is typed as it opens."""
        field = self.query_one("#search", Input)
        before = field.value

        def search(text: str | None) -> None:
            field.value = before if text is None else text

        if words:
            search(" ".join(words))
            return
        self.app.push_screen(
            Prompt("/", before, placeholder="search keys", on_change=search), search
        )

    async def do_help_show(self) -> None:
        """Close: the key that opened it."""
        self.app.pop_screen()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search letter by letter."""
        self.source.text = event.value
        self.query_one("#keys", StreamTable).refresh_rows()

    def on_input_submitted(self) -> None:
        """Go to what was found."""
        self.query_one("#keys", StreamTable).focus()

    def on_stream_table_opened(self, message: StreamTable.Opened) -> None:
        """Close help and perform the marked action on the view below; a second enter is late."""
        if not self.is_current:
            return
        action, app = self.source.action(message.key), self.checkout_app
        app.pop_screen()  # not awaited: a screen that waits for its own end waits for ever
        app.call_later(app.perform, action.id)

    def _draw_about(self, _width: int, _height: int) -> Sequence[Line]:
        return [(Token(f" keys of {self._below}, and of everywhere   enter performs, / searches"),)]

    def _draw_marks(self, _width: int, _height: int) -> Sequence[Line]:
        marks = [line.replace("═", "=") if self.ascii_only else line for line in _MARKS]
        return [
            *((Token(f" {line}", "quiet"),) for line in marks),
            (Token(f" your keys: {keymap_path()}", "quiet"),),
            (Token(" copy: y, also to a file; mouse: Shift+drag in most terminals", "quiet"),),
        ]
