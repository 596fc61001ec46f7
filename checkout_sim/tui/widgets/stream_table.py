"""A table of rows that stream past: drawn line by line, from what is visible, cursor on its row.

Takes a source of keys and lines; draws only what is in sight and only what changed. One `Strip` is
kept per row until the row's identity changes. Textual's own DataTable redraws every visible cell
for one changed one and costs a quarter of a core at 300 events a second; a virtual height would lay
the screen out anew for every row that comes, so this widget keeps its own top line instead.

    class Orders:                                  # a Source
        def keys(self): ...                        # in the order of display
        def identity(self, key): ...               # what the line depends on; compared by ==
        def line(self, key, width): ...            # tokens
        def heading(self, width): ...              # tokens, above the rows

The cursor is held by key: while rows come in above, it stays on its own. As long as nobody moves it
the first row has it and the table follows; `move.first` follows again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from checkout_sim.board.tokens import Line, clipped
from checkout_sim.tui.actions.action import LISTS
from checkout_sim.tui.actions.keys import list_bindings
from checkout_sim.tui.looks import Looks

if TYPE_CHECKING:
    from checkout_sim.tui.app import CheckoutSimApp

_MOST_STRIPS = 600


class Source(Protocol):
    """What a table asks of its rows."""

    def keys(self) -> Sequence[str]:
        """Return every row's key, in the order of display."""
        ...

    def identity(self, key: str) -> object:
        """Return what a row's line depends on."""
        ...

    def line(self, key: str, width: int) -> Line:
        """Return a row as tokens of a width."""
        ...

    def heading(self, width: int) -> Line:
        """Return what stands above the rows; empty for no heading."""
        ...


class StreamTable(Widget, can_focus=True):
    """Rows of a source. `refresh_rows()` is called by the pump; everything else by keys."""

    DEFAULT_CSS = """
    StreamTable { height: 1fr; width: 1fr; }
    """

    @dataclass
    class Opened(Message):
        """The row under the cursor is to be opened."""

        table: "StreamTable"
        key: str

        @property
        def control(self) -> "StreamTable":
            """Return the table, so that handlers can select by it."""
            return self.table

    @dataclass
    class Moved(Message):
        """The cursor went to another row."""

        table: "StreamTable"
        key: str

        @property
        def control(self) -> "StreamTable":
            """Return the table, so that handlers can select by it."""
            return self.table

    def __init__(self, source: Source, *, id: str | None = None, marks: bool = True) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.source = source
        self.following = True
        self._bindings = list_bindings()
        self._marks = marks
        self._keys: Sequence[str] = ()
        self._place: dict[str, int] | None = None  # key → index, made when the cursor needs it
        self._cursor: str | None = None
        self._top = 0
        self._headed: tuple[int, int, int] | None = None  # source, width, lines of heading
        self._strips: dict[tuple[str, bool, int], tuple[object, Strip]] = {}
        self._drawn: list[tuple[str, object, bool]] = []

    # ---- what others ask ---------------------------------------------------------------------

    @property
    def cursor(self) -> str | None:
        """Return the key of the row that is marked; None of an empty table."""
        if self.following or self._cursor is None:
            return self._keys[0] if self._keys else None
        return self._cursor

    @property
    def in_sight(self) -> Sequence[str]:
        """Return the keys of the rows that are visible now."""
        return self._keys[self._top : self._top + self._rows_in_sight]

    def go_to(self, key: str) -> bool:
        """Mark a row and bring it into sight; False where there is no such row."""
        self._keys = self.source.keys()
        self._place = None
        index = self._index(key)
        if index is None:
            return False
        self._mark(index)
        return True

    def forget(self) -> None:
        """Draw everything anew: the looks, the alphabet or the columns changed."""
        self._strips.clear()
        self._drawn = []
        self._headed = None
        self.refresh()

    def refresh_rows(self) -> None:
        """Take the source's rows as they are now and draw what differs. Called by the pump."""
        before = self._keys
        shown_at = self._screen_line()
        self._keys = self.source.keys()
        if self._keys is not before:
            self._place = None
        self._keep_cursor(shown_at)
        drawn = self._visible()
        if len(drawn) != len(self._drawn):
            self.refresh()
        else:
            for at, (new, old) in enumerate(zip(drawn, self._drawn, strict=True)):
                if new != old:
                    self.refresh(Region(0, at + self._heading_rows, self.size.width, 1))
        self._drawn = drawn

    # ---- drawing -----------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """Return one line of the widget: the heading, a row, or nothing."""
        return self._looks.grounded(self._line_at(y), self.background_colors[1])

    def _line_at(self, y: int) -> Strip:
        width = self.size.width
        at = y - self._heading_rows
        if at < 0:
            return self._strip(self.source.heading(width), width, marked=False, heading=True)
        index = self._top + at
        if index >= len(self._keys):
            return Strip.blank(width)
        key = self._keys[index]
        marked = key == self.cursor
        identity = self.source.identity(key)
        known = self._strips.get((key, marked, width))
        if known is not None and known[0] == identity:
            return known[1]
        strip = self._strip(self.source.line(key, width), width, marked=marked)
        if len(self._strips) > _MOST_STRIPS:
            self._strips.clear()
        self._strips[key, marked, width] = (identity, strip)
        return strip

    def _strip(self, line: Line, width: int, *, marked: bool, heading: bool = False) -> Strip:
        looks = self._looks
        line = clipped(line, width)
        segments = [Segment(token.text, looks[token.look]) for token in line]
        if heading:
            segments = [Segment(token.text, looks["title"]) for token in line]
        if marked:
            bar = looks.bar
            segments = [Segment(text, (style or bar) + bar) for text, style, _ in segments]
            if self._marks and segments and segments[0].text.startswith("  "):
                first = segments[0]
                segments[0] = Segment(f" >{first.text[2:]}", first.style)
        strip = Strip(segments)
        return strip.adjust_cell_length(width, looks.bar if marked else None)

    @property
    def _looks(self) -> Looks:
        app: CheckoutSimApp = self.app  # type: ignore[assignment] # the only app there is
        return app.looks

    @property
    def _heading_rows(self) -> int:
        width = self.size.width
        if self._headed is None or self._headed[:2] != (id(self.source), width):
            self._headed = (id(self.source), width, 1 if self.source.heading(width) else 0)
        return self._headed[2]

    @property
    def _rows_in_sight(self) -> int:
        return max(1, self.size.height - self._heading_rows)

    def _visible(self) -> list[tuple[str, object, bool]]:
        cursor = self.cursor
        return [(key, self.source.identity(key), key == cursor) for key in self.in_sight]

    # ---- the cursor --------------------------------------------------------------------------

    def _index(self, key: str | None) -> int | None:
        if key is None:
            return None
        # The rows that come in above are few: look where it was, and a little below, first.
        begin = self._top
        for at in range(begin, min(begin + 200, len(self._keys))):
            if self._keys[at] == key:
                return at
        if self._place is None:
            self._place = {one: at for at, one in enumerate(self._keys)}
        return self._place.get(key)

    def _screen_line(self) -> int:
        """Return on which line of the rows the cursor stands, within sight."""
        if self.following:
            return 0
        index = self._index(self._cursor)
        if index is None:
            return 0
        return min(max(0, index - self._top), self._rows_in_sight - 1)

    def _keep_cursor(self, shown_at: int) -> None:
        """Leave the cursor on its row and, as far as there are rows, on its line."""
        if self.following:
            self._top = 0
            return
        index = self._index(self._cursor)
        if index is None:  # its row has left the table: its neighbour takes over
            index = min(self._top + shown_at, len(self._keys) - 1)
            self._cursor = self._keys[index] if self._keys else None
        self._top = max(0, min(index - shown_at, len(self._keys) - self._rows_in_sight))

    def _mark(self, index: int) -> None:
        if not self._keys:
            return
        index = max(0, min(index, len(self._keys) - 1))
        self.following = False
        self._cursor = self._keys[index]
        if index < self._top:
            self._top = index
        elif index >= self._top + self._rows_in_sight:
            self._top = index - self._rows_in_sight + 1
        self._changed()

    def _changed(self) -> None:
        self._drawn = []
        self.refresh_rows()
        key = self.cursor
        if key is not None:
            self.post_message(self.Moved(self, key))

    def _step(self, by: int) -> None:
        self._mark((self._index(self.cursor) or 0) + by)

    # ---- keys and mouse ----------------------------------------------------------------------

    def action_move(self, where: str) -> None:
        """Move the cursor as the key says."""
        page = max(1, self._rows_in_sight - 1)
        match where:
            case "first":
                self.following = True
                self._cursor = None
                self._top = 0
                self._changed()
            case "last":
                self._mark(len(self._keys) - 1)
            case "down":
                self._step(1)
            case "up":
                self._step(-1)
            case "page_down":
                self._step(page)
            case _:
                self._step(-page)

    def action_open(self) -> None:
        """Open the row under the cursor."""
        key = self.cursor
        if key is not None:
            self.post_message(self.Opened(self, key))

    def on_click(self, event: events.Click) -> None:
        """Mark the row that was clicked; open it on the second click."""
        at = event.y - self._heading_rows
        index = self._top + at
        if at < 0 or index >= len(self._keys):
            return
        self._mark(index)
        if event.chain > 1:
            self.action_open()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move three rows down."""
        event.stop()
        self._step(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move three rows up; at the first row the table follows again."""
        event.stop()
        if not self._index(self.cursor):
            self.action_move("first")
            return
        self._step(-3)

    def on_mount(self) -> None:
        """Bind the keys as the operator's key map has them."""
        app: CheckoutSimApp = self.app  # type: ignore[assignment] # the only app there is
        self._bindings = list_bindings(row for row in app.table if row.scope == LISTS)

    def on_resize(self) -> None:
        """Draw everything for the new width."""
        self.forget()
        self.refresh_rows()
