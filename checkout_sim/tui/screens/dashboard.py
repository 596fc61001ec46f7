"""The dashboard: links with latency and faults, figures, orders as they flow, and the log's end.

Below 60x18 one panel and the counts remain; up to 110 columns the topology takes two lines; beyond,
every part has a panel of its own.
"""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from checkout_sim.board import topology
from checkout_sim.board.figures import (
    counts_line,
    now_lines,
    rate_lines,
    time_lines,
    tiny_lines,
)
from checkout_sim.board.side_panels import fault_lines, suspect_lines
from checkout_sim.board.tokens import Line, Token, counted, fitted
from checkout_sim.tui.screens.order_lists import OrderListView
from checkout_sim.tui.widgets.line import Block
from checkout_sim.tui.widgets.log_source import log_tokens
from checkout_sim.tui.widgets.stream_table import StreamTable

_WIDE = 110


class DashboardView(OrderListView):
    """Screen 1."""

    scope: ClassVar[str] = "dashboard"
    number: ClassVar[str] = "1"
    heading: ClassVar[str] = "Dash"

    def body(self) -> ComposeResult:
        """Yield every panel; which are seen at which size is the style sheet's."""
        with Horizontal(id="above"):
            yield Block(self._draw_links, id="links", classes="panel")
            yield Block(self._draw_now, id="now", classes="panel side")
        with Horizontal(id="middle"):
            with Vertical(id="flow", classes="panel"):
                yield StreamTable(self.source, id="orders")
                yield Block(self._draw_counted, id="counted")
            with Vertical(id="sides", classes="side"):
                yield Block(self._draw_rate, id="rate", classes="panel")
                yield Block(self._draw_time, id="time", classes="panel")
                yield Block(self._draw_faults, id="faults", classes="panel")
                yield Block(self._draw_suspects, id="suspects", classes="panel")
        yield Block(self._draw_events, id="events", classes="panel")

    def on_mount(self) -> None:
        """Name the panels; the orders have the keys."""
        titles = {
            "links": "links",
            "now": "now",
            "flow": "orders",
            "rate": "checkouts/s, 60 s",
            "time": "checkout time, 60 s",
            "faults": "faults",
            "suspects": "suspects",
        }
        for name, title in titles.items():
            self.query_one(f"#{name}").border_title = title
        self.set_class(self.ascii_only, "-ascii")
        self.table.focus()

    def refresh_rows(self) -> None:
        """Draw what changed, and say above the orders which are shown."""
        super().refresh_rows()
        selection = self.source.selection
        following = ", following" if self.table.following else ""
        title = f"orders, {selection.order}{following}, filter: {self.filter_text}"
        self.entitle("#flow", title)
        self.entitle("#events", f"events, {self.board.log.per_s(self.now_ms):.0f}/s")

    @property
    def _strokes(self) -> topology.Strokes:
        return topology.ASCII if self.ascii_only else topology.BOXES

    def _draw_links(self, width: int, _height: int) -> Sequence[Line]:
        board, now_ms = self.board, self.now_ms
        if self.size.width >= _WIDE:
            return topology.topology_boxes(board, now_ms, width, self._strokes)
        if self.checkout_app.standpoint.too_small:
            return tiny_lines(board)
        return [
            topology.topology_line(board, now_ms, width, self._strokes),
            topology.beside_chain(board, now_ms) or topology.standing_line(board),
            counts_line(board, now_ms, width, ascii_only=self.ascii_only),
        ]

    def _draw_now(self, _width: int, _height: int) -> Sequence[Line]:
        return now_lines(self.board, self.now_ms)

    def _draw_counted(self, width: int, _height: int) -> Sequence[Line]:
        checkouts = self.board.checkouts
        shown, kept = len(self.source.keys()), len(checkouts.rows)
        left = f" {counted(checkouts.seen, 'checkout')}   filter: {self.filter_text}"
        right = f"{shown}/{kept} rows "
        following = ", following" if self.table.following else ""
        middle = f"   {self.source.selection.order}{following}"
        room = width - len(right)
        whole = left + middle if len(left + middle) < room else left
        return [(Token(fitted(whole, room), "quiet"), Token(right, "quiet"))]

    def _draw_rate(self, width: int, _height: int) -> Sequence[Line]:
        return rate_lines(self.board, self.now_ms, width, ascii_only=self.ascii_only)

    def _draw_time(self, width: int, _height: int) -> Sequence[Line]:
        return time_lines(self.board, self.now_ms, width, ascii_only=self.ascii_only)

    def _draw_faults(self, width: int, height: int) -> Sequence[Line]:
        return fault_lines(self.board, self.now_ms, width, height)

    def _draw_suspects(self, width: int, height: int) -> Sequence[Line]:
        return suspect_lines(self.board, width, height)

    def _draw_events(self, width: int, height: int) -> Sequence[Line]:
        return [log_tokens(line, width) for line in self.board.log.tail(height)]
