"""What every view with a table of orders has in common: filter, findings, opening, copying.

Takes a table whose source is an `OrdersSource`; answers the actions about it.
"""

from collections.abc import Sequence
from typing import Literal

from checkout_sim.board.filters import parsed
from checkout_sim.board.rows import Row
from checkout_sim.board.select import finding_after
from checkout_sim.tui.dialogs.prompt import Prompt
from checkout_sim.tui.outbox import Offer
from checkout_sim.tui.screens.order import OrderView
from checkout_sim.tui.screens.view import View
from checkout_sim.tui.telling import curl_of
from checkout_sim.tui.widgets.orders_source import OrdersSource
from checkout_sim.tui.widgets.stream_table import StreamTable


class OrderListView(View):
    """A view with a table of orders whose id is `orders`."""

    def __init__(self) -> None:
        super().__init__()
        self.source = OrdersSource(lambda: self.board, lambda: self.now_ms)

    @property
    def table(self) -> StreamTable:
        """Return the table."""
        return self.query_one("#orders", StreamTable)

    @property
    def marked(self) -> Row | None:
        """Return the row under the cursor."""
        return self.board.checkouts.rows.get(self.table.cursor or "")

    @property
    def filter_text(self) -> str:
        """Return the filter as typed, "-" when there is none."""
        return self.source.selection.wanted.text or "-"

    # ---- actions -----------------------------------------------------------------------------

    async def do_filter_edit(self, *words: str) -> None:
        """Filter by what is typed, letter by letter."""
        if words:
            self.set_filter(" ".join(words))
            return
        before = self.source.selection.wanted.text

        def leave(text: str | None) -> None:
            self.set_filter(before if text is None else text)

        self.app.push_screen(
            Prompt(
                "/",
                before,
                placeholder="told:unknown fault:6 claim:replies_are_true >2s !refused",
                on_change=self.set_filter,
            ),
            leave,
        )

    def set_filter(self, text: str) -> None:
        """Choose rows by a line of the filter language; a line that makes no sense lets all by."""
        wanted = parsed(text)
        if wanted.problem:
            self.tell(wanted.problem, wrong=True)
        self.source.choose(wanted)
        self.table.refresh_rows()

    async def do_view_back(self) -> None:
        """Clear the filter first."""
        if self.source.selection.wanted.text:
            self.set_filter("")
            return
        await self.checkout_app.everywhere.do_view_back()

    async def do_finding_next(self) -> None:
        """Mark the next suspect or violated order."""
        self._find(1)

    async def do_finding_previous(self) -> None:
        """Mark the one before."""
        self._find(-1)

    def _find(self, step: Literal[1, -1]) -> None:
        cursor = None if self.table.following and step == 1 else self.table.cursor
        key = finding_after(self.source.keys(), self.board, cursor, step=step)
        if key is None:
            self.tell("no order is suspect or violated")
            return
        self.table.go_to(key)

    def on_stream_table_opened(self, message: StreamTable.Opened) -> None:
        """Open the order on its row."""
        row = self.board.checkouts.rows.get(message.key)
        if message.table.id == "orders" and row is not None:
            self.app.push_screen(OrderView(row.key))

    def copies(self) -> Sequence[Offer]:
        """Offer the marked order."""
        row = self.marked
        if row is None:
            return ()
        return (
            Offer("i", "order id", row.order_id or f"#{row.key}"),
            Offer("c", "curl", curl_of(row)),
            Offer("r", "row", repr_of(row)),
        )


def repr_of(row: Row) -> str:
    """Return a row as one line of words."""
    said = [f"#{row.key}", row.standing, f"told {row.told}", f"order {row.order}"]
    said += [f"payment {row.payment}", row.suspicion, " ".join(row.claims)]
    return ", ".join(word for word in said if word)
