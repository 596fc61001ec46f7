"""The log: what was seen lately, by level, filtered by a text; newest first, as everywhere."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult

from checkout_sim.board.log import LEVELS
from checkout_sim.board.tokens import Line, Token, counted
from checkout_sim.ndjson import encode
from checkout_sim.tui.dialogs.prompt import Prompt
from checkout_sim.tui.outbox import Offer
from checkout_sim.tui.screens.order import OrderView
from checkout_sim.tui.screens.view import View
from checkout_sim.tui.widgets.line import Block
from checkout_sim.tui.widgets.log_source import LogSource
from checkout_sim.tui.widgets.stream_table import StreamTable


class LogView(View):
    """Screen 7."""

    scope: ClassVar[str] = "log"
    number: ClassVar[str] = "7"
    heading: ClassVar[str] = "Log"

    def __init__(self) -> None:
        super().__init__()
        self.source = LogSource(lambda: self.board)

    def body(self) -> ComposeResult:
        """Yield what is shown, and the lines."""
        yield Block(self._draw_choice, id="choice")
        yield StreamTable(self.source, id="lines")

    async def do_log_level(self) -> None:
        """Show another level."""
        self.source.level = LEVELS[(LEVELS.index(self.source.level) + 1) % len(LEVELS)]
        self.refresh_rows()

    async def do_filter_edit(self, *words: str) -> None:
        """Show the lines that contain a text."""
        if words:
            self.set_text(" ".join(words))
            return
        before = self.source.text
        self.app.push_screen(
            Prompt("/", before, placeholder="any part of a line", on_change=self.set_text),
            lambda text: self.set_text(before if text is None else text),
        )

    def set_text(self, text: str) -> None:
        """Choose lines by a text."""
        self.source.text = text
        self.query_one("#lines", StreamTable).refresh_rows()

    async def do_view_back(self) -> None:
        """Clear the filter first."""
        if self.source.text:
            self.set_text("")
            return
        await self.checkout_app.everywhere.do_view_back()

    def on_stream_table_opened(self, message: StreamTable.Opened) -> None:
        """Open the order a line is about."""
        line = next((one for one in self.board.log.seen if str(one.id) == message.key), None)
        row = None
        if line is not None and line.order:
            row = self.board.checkouts.of_order(line.order)
        elif line is not None and line.checkout is not None:
            row = next(iter(self.board.checkouts.of_checkout(line.checkout)), None)
        if row is None:
            self.tell("this line is about no order")
            return
        self.app.push_screen(OrderView(row.key))

    def copies(self) -> Sequence[Offer]:
        """Offer the marked line, as it was seen."""
        key = self.query_one("#lines", StreamTable).cursor
        seen = next((one for one in self.board.log.seen if str(one.id) == key), None)
        return () if seen is None else (Offer("l", "line as JSON", encode(seen).decode()),)

    def _draw_choice(self, _width: int, _height: int) -> Sequence[Line]:
        log = self.board.log
        skipped = log.count - len(log.seen)
        left_out = f"  {skipped} older ones are in the run's folder" if skipped else ""
        return [
            (
                Token(f" level {self.source.level}  filter: {self.source.text or '-'}", "title"),
                Token(f"   {counted(log.count, 'event')}{left_out}", "quiet"),
            )
        ]
