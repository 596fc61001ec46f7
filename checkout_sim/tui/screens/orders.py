"""The orders: the whole list, filtered and sorted."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult

from checkout_sim.board.select import ORDERS
from checkout_sim.board.tokens import Line, Token, counted, width_of
from checkout_sim.tui.screens.order_lists import OrderListView
from checkout_sim.tui.widgets.line import Block
from checkout_sim.tui.widgets.stream_table import StreamTable


class OrdersView(OrderListView):
    """Screen 5."""

    scope: ClassVar[str] = "orders"
    number: ClassVar[str] = "5"
    heading: ClassVar[str] = "Orders"

    def body(self) -> ComposeResult:
        """Yield counts, the table, and what the marked row is about."""
        yield Block(self._draw_counts, id="counts")
        yield StreamTable(self.source, id="orders")
        yield Block(self._draw_marked, id="marked")

    async def do_orders_sort(self) -> None:
        """Sort another way."""
        order = ORDERS[(ORDERS.index(self.source.selection.order) + 1) % len(ORDERS)]
        self.source.choose(self.source.selection.wanted, order)
        self.table.refresh_rows()
        self.tell(f"sorted {order}")

    async def do_orders_follow(self) -> None:
        """Go to the first row, and stay there."""
        self.table.action_move("first")

    def _draw_counts(self, width: int, _height: int) -> Sequence[Line]:
        counts = self.board.checkouts.counts
        shown = len(self.source.keys())
        following = ", following" if self.table.following else ""
        head = (
            Token(f" {shown} of {counted(len(self.board.checkouts.rows), 'row')}  ", "title"),
            Token(f"filter: {self.filter_text}   {self.source.selection.order}{following}   "),
            Token(f"open {counts['open']}  "),
        )
        confirmed, back = counts["confirmed"], counts["rolled back"]
        long = (Token(f"confirmed {confirmed}  "), Token(f"rolled back {back}", "quiet"))
        short = (Token(f"ok {confirmed}  "), Token(f"back {back}", "quiet"))
        return [(*head, *(long if width_of((*head, *long)) <= width else short))]

    def _draw_marked(self, _width: int, _height: int) -> Sequence[Line]:
        row = self.marked
        if row is None:
            return [(Token(" no orders yet: 3 sends one, c repeats the last", "quiet"),)]
        why = row.suspicion or ", ".join(row.claims)
        return [
            (
                Token(f" #{row.key}  "),
                Token(row.order_id or "no order", "quiet"),
                Token(f"  {why}", row.standing),
            )
        ]
