"""A view: what every screen of the dashboard has in common.

    class OrdersView(View):
        scope, number, heading = "orders", "5", "Orders"

        def body(self) -> ComposeResult:            # what stands between row 1 and the footer
            yield StreamTable(...)

        def refresh_rows(self) -> None:             # called by the app's pump, 10 times a second
            super().refresh_rows()                  # row 1, status, footer, every Block and table
            ...                                     # widgets that are neither

        async def do_orders_sort(self) -> None:     # answers the action `orders.sort`
            await self.send(SomeCommand())          # checked, sent, remembered; refusals are told

`self.board` is what is shown: the live board, or the snapshot while frozen. `self.window_ms` is the
window that figures are taken over, `self.now_ms` the run's clock. Row 1 is pinned on top at every
size; below 60x18 the screen has the class `-tiny` and every harmful action but heal all is off.
"""

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import Screen

from checkout_sim.board.board import Board
from checkout_sim.board.context import context_line
from checkout_sim.board.links import WINDOW_MS
from checkout_sim.board.tokens import Line, Token
from checkout_sim.model.command import Command
from checkout_sim.tui.actions.action import OPEN
from checkout_sim.tui.actions.keys import bindings_of
from checkout_sim.tui.hints import hints_line
from checkout_sim.tui.outbox import Offer
from checkout_sim.tui.permission import LEAST_COLUMNS, LEAST_ROWS
from checkout_sim.tui.widgets.line import Block
from checkout_sim.tui.widgets.stream_table import StreamTable

if TYPE_CHECKING:
    from checkout_sim.tui.app import CheckoutSimApp


class View(Screen[None]):
    """One screen. Subclasses name their scope, number and heading, and give a body."""

    scope: ClassVar[str] = ""
    number: ClassVar[str] = ""
    heading: ClassVar[str] = ""
    on_top: ClassVar[bool] = False  # opens above another view and is left with esc or q
    opens: ClassVar[bool] = True  # whether enter opens a row of its lists
    tells_whole: ClassVar[bool] = False  # a panel of its own tells what the status row cuts

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - Textual declares it without ClassVar
        (0, "-tiny-width"),
        (LEAST_COLUMNS, "-narrow"),
        (110, "-wide"),
        (150, "-extra"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012 - likewise
        (0, "-tiny-height"),
        (LEAST_ROWS, "-short"),
        (30, "-tall"),
    ]

    _status_height = 1
    drawable = False  # whether its widgets are there; the pump draws it from then on

    # ---- what subclasses use -----------------------------------------------------------------

    @property
    def checkout_app(self) -> "CheckoutSimApp":
        """Return the app, as what it is."""
        app: CheckoutSimApp = self.app  # type: ignore[assignment] # the only app there is
        return app

    @property
    def board(self) -> Board:
        """Return the board that is shown."""
        return self.checkout_app.board

    @property
    def now_ms(self) -> float:
        """Return the run's clock as shown: it stands still while the display is frozen."""
        return self.checkout_app.now_ms

    @property
    def window_ms(self) -> float:
        """Return the window that rates and percentiles are taken over."""
        return WINDOW_MS

    @property
    def ascii_only(self) -> bool:
        """Return whether boxes and blocks are to be ASCII."""
        return self.checkout_app.ascii_only

    async def send(self, command: Command) -> str | None:
        """Send a command if it may leave now; tell why not, and return None, if it may not."""
        return await self.checkout_app.send(command)

    def tell(self, text: str, *, wrong: bool = False) -> None:
        """Put a sentence into the status row."""
        self.checkout_app.tell(text, wrong=wrong)

    def entitle(self, selector: str, title: str) -> None:
        """Name a framed panel; its frame is drawn again only where the name has changed."""
        panel, escaped = self.query_one(selector), title.replace("[", "\\[")
        if panel.border_title != escaped:
            panel.border_title = escaped

    def body(self) -> ComposeResult:
        """Yield what stands between row 1 and the footer."""
        yield from ()

    def copies(self) -> Sequence[Offer]:
        """Return what `y` offers to copy here."""
        return ()

    def exports(self) -> Sequence[Offer]:
        """Return what `e` offers to write here, beside the screen itself."""
        return ()

    def refresh_rows(self) -> None:
        """Bring everything on the screen up to date; called by the pump within one batch."""
        self._fit_status()
        for block in self.query(Block):
            block.refresh_rows()
        for table in self.query(StreamTable):
            table.refresh_rows()

    def forget(self) -> None:
        """Draw everything anew: theme, alphabet or board changed."""
        for block in self.query(Block):
            block.forget()
        for table in self.query(StreamTable):
            table.forget()

    # ---- the frame ---------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Compose row 1, the body, the status row and the footer."""
        yield Block(self._draw_context, id="context")
        with Vertical(id="body"):
            yield from self.body()
        yield Block(self._draw_status, id="status")
        yield Block(self._draw_hints, id="hints")

    def on_mount(self) -> None:
        """Bind the keys of this view, as the operator's key map has them."""
        self._bindings = bindings_of(self.checkout_app.actions_of(self.scope))
        self.drawable = True

    def on_screen_resume(self) -> None:
        """Show at once what happened while another view was on top."""
        if self.drawable:
            self.refresh_rows()

    async def on_click(self, event: events.Click) -> None:
        """Go to the screen whose name in row 1 was clicked."""
        row = event.widget
        if isinstance(row, Block) and row.id == "context":
            named = row.text_at(event.x, event.y).strip(" []")
            await self.checkout_app.everywhere.show_named(named)

    async def action_perform(self, action_id: str) -> None:
        """Perform an action by its id: what every key of the table is bound to."""
        await self.checkout_app.perform(action_id)

    def _draw_context(self, width: int, _height: int) -> list[Line]:
        return [context_line(self.board, self.checkout_app.display_of(self), width)]

    def _draw_status(self, _width: int, _height: int) -> list[Line]:
        look = "wrong" if self.checkout_app.told.wrong else "quiet"
        return [(Token(f" {row}", look),) if row else () for row in self._status_rows()]

    def _status_rows(self) -> list[str]:
        """Return what is told: what went wrong whole, on up to a quarter of the screen."""
        told = self.checkout_app.told
        if not told.wrong or self.tells_whole:
            return [" ".join(told.text.splitlines())]
        width = max(10, self.size.width - 2)
        rows = [row for line in told.text.splitlines() for row in wrap(line, width)]
        most = max(1, self.size.height // 4)
        if len(rows) > most:
            rows[most - 1 :] = [" ".join(rows[most - 1 :])]  # cut where it is drawn, and marked
        return rows or [""]

    def _fit_status(self) -> None:
        """Give the status as many rows as it takes."""
        rows = len(self._status_rows())
        if rows != self._status_height:
            self._status_height = rows
            self.query_one("#status", Block).styles.height = rows

    def _draw_hints(self, width: int, _height: int) -> list[Line]:
        if self.checkout_app.standpoint.too_small:
            return [(Token(" too small to act: H heals, resize", "suspect"),)]
        rows = self.checkout_app.actions_of(self.scope)
        return [hints_line((row for row in rows if row.id != OPEN or self._has_row), width)]

    @property
    def _has_row(self) -> bool:
        """Return whether enter would open something just now."""
        table = self.focused
        return self.opens and isinstance(table, StreamTable) and table.cursor is not None
