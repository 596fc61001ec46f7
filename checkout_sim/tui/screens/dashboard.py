"""The dashboard: links with latency and faults, figures, orders as they flow, and the log's end."""

from typing import ClassVar

from textual.app import ComposeResult

from checkout_sim.tui.screens.view import View
from checkout_sim.tui.widgets.orders_source import OrdersSource
from checkout_sim.tui.widgets.stream_table import StreamTable


class DashboardView(View):
    """Screen 1."""

    scope: ClassVar[str] = "dashboard"
    number: ClassVar[str] = "1"
    heading: ClassVar[str] = "Dash"

    def body(self) -> ComposeResult:
        """Yield the orders."""
        yield StreamTable(OrdersSource(lambda: self.board, lambda: self.now_ms), id="orders")
