"""The order: its ladder with both sides of every call, and one rung of it in full.

Where there is room the faults, the tries and the money stand on one time axis below.
"""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from checkout_sim.board.ladder_axis import axis_lines
from checkout_sim.board.ladder_inspector import inspected, raw_lines
from checkout_sim.board.ladder_rows import SIDES
from checkout_sim.board.rows import MARKS
from checkout_sim.board.select import Selection, finding_after
from checkout_sim.board.tokens import Line, Token, money
from checkout_sim.tui.outbox import Offer
from checkout_sim.tui.screens.view import View
from checkout_sim.tui.telling import curl_of, explain_line, replay_line
from checkout_sim.tui.widgets.ladder_source import LadderSource
from checkout_sim.tui.widgets.line import Block
from checkout_sim.tui.widgets.stream_table import StreamTable


class OrderView(View):
    """One order, on top of the view it was opened from."""

    scope: ClassVar[str] = "order"
    heading: ClassVar[str] = "Order"
    on_top: ClassVar[bool] = True
    opens: ClassVar[bool] = False

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key
        self.source = LadderSource(lambda: self.board, key)
        self.raw = False

    def body(self) -> ComposeResult:
        """Yield who it is, the ladder, the inspector, and the axis."""
        yield Block(self._draw_who, id="who")
        with Horizontal(id="story"):
            with Vertical(id="sequence"):
                yield StreamTable(self.source, id="ladder")
            yield Block(self._draw_inspector, id="inspector")
        yield Block(self._draw_axis, id="axis")

    def on_mount(self) -> None:
        """Use the app's alphabet; begin at the first rung that is worth a look."""
        self.source = self.table.source = LadderSource(
            lambda: self.board, self.key, ascii_only=self.ascii_only
        )
        self._mark_first()

    @property
    def table(self) -> StreamTable:
        """Return the ladder's table."""
        return self.query_one("#ladder", StreamTable)

    # ---- actions -----------------------------------------------------------------------------

    async def do_order_sides(self) -> None:
        """Show the other side of every call."""
        self.source.side = SIDES[(SIDES.index(self.source.side) + 1) % len(SIDES)]
        self.table.forget()
        self.tell(self.source.side)

    async def do_order_lanes(self) -> None:
        """Hide one more lane; after the last that can be hidden, show all."""
        before = self.source.lanes
        self.source.hidden_lanes += 1
        if self.source.lanes == before:
            self.source.hidden_lanes = 0
        self.table.forget()

    async def do_order_raw(self) -> None:
        """Show the observation itself in the inspector, or the words again."""
        self.raw = not self.raw
        self.query_one("#inspector", Block).forget()

    async def do_order_replay(self) -> None:
        """Tell the command that runs this run's plan again."""
        self.checkout_app.copy(replay_line(self.board.session), "the command that replays this run")

    async def do_finding_next(self) -> None:
        """Go to the next suspect or violated order."""
        self._find(1)

    async def do_finding_previous(self) -> None:
        """Go to the one before."""
        self._find(-1)

    def _find(self, step: int) -> None:
        keys = Selection().keys(self.board, self.now_ms)
        key = finding_after(keys, self.board, self.key, step=1 if step > 0 else -1)
        if key is None or key == self.key:
            self.tell("no other order is suspect or violated")
            return
        self.key = key
        self.source = LadderSource(lambda: self.board, key, ascii_only=self.ascii_only)
        self.table.source = self.source
        self.table.forget()
        self._mark_first()
        self.refresh_rows()

    def on_stream_table_moved(self) -> None:
        """Show the rung under the cursor at once."""
        self.query_one("#inspector", Block).refresh_rows()

    def copies(self) -> Sequence[Offer]:
        """Offer the order's id, a curl line, its ladder, and the command that explains it."""
        row = self.source.row
        if row is None:
            return ()
        return (
            Offer("i", "order id", row.order_id or f"#{row.key}"),
            Offer("c", "curl", curl_of(row)),
            Offer("l", "ladder", self._ladder_text()),
            Offer("x", "explain", explain_line(self.board.session, row)),
        )

    def exports(self) -> Sequence[Offer]:
        """Offer the ladder as Markdown."""
        text = f"# Order #{self.key}\n\n```text\n{self._ladder_text()}\n```\n"
        return (Offer("m", "order as Markdown", text, f"order-{self.key}.md"),)

    # ---- drawing -----------------------------------------------------------------------------

    def _mark_first(self) -> None:
        keys = self.source.keys()
        ladder = self.source.ladder
        if ladder is None or not keys:
            return
        worth = [key for key in keys if ladder.rungs[int(key.split(":")[0])].shape == "lost"]
        self.table.go_to(worth[0] if worth else keys[0])

    def _ladder_text(self) -> str:
        width = 100
        keys = self.source.keys()
        lines = [self.source.heading(width), *(self.source.line(key, width) for key in keys)]
        return "\n".join("".join(token.text for token in line).rstrip() for line in lines)

    def _draw_who(self, _width: int, _height: int) -> Sequence[Line]:
        row = self.source.row
        if row is None:
            return [(Token(f" #{self.key} has left the screen; its run's folder has it", "quiet"),)]
        session = self.board.session
        run = session.stretch.run_id if session.stretch is not None else "-"
        head: Line = (
            Token(f" #{row.key}  "),
            Token(f"{MARKS[row.standing]} {row.standing}", row.standing),
            Token(f"  {money(row.total_minor)} {row.currency.upper()}  {row.card}  run {run}  "),
            Token(self.source.side, "quiet"),
        )
        captured = f"{money(row.net_minor)} captured" if row.money_moved else "no charge seen"
        why = row.suspicion or ", ".join(row.claims)
        second: Line = (
            Token(f" told {row.told}   order {row.order}   payment {row.payment}   "),
            Token(f"gateway {captured}   "),
            Token(why, row.standing),
        )
        return [head, second]

    def _draw_inspector(self, width: int, _height: int) -> Sequence[Line]:
        ladder, at = self.source.ladder, self.source.index_of(self.table.cursor)
        if ladder is None or at is None or at >= len(ladder.rungs):
            return [(Token(" nothing was seen of it yet", "quiet"),)]
        if self.raw:
            return raw_lines(ladder.rungs[at], width)
        return inspected(ladder, at, width)

    def _draw_axis(self, width: int, _height: int) -> Sequence[Line]:
        ladder = self.source.ladder
        return () if ladder is None else axis_lines(ladder, width, self.source.signs)
