"""The violations board: every claim of the run, and what breaks the marked one, with its evidence.

Suspicion is shown beside proof and never as proof. `v` asks for a verdict: calm, settle, read,
judge, with what still moves; a claim that could not be decided is as loud as one that is broken.
"""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult

from checkout_sim.board.board import Board
from checkout_sim.board.claim_lines import (
    checks_lines,
    claim_heading,
    claim_line,
    summary_line,
    violation_lines,
)
from checkout_sim.board.claim_rows import ClaimRow
from checkout_sim.board.fault_lines import rule, told_lines
from checkout_sim.board.tokens import Line
from checkout_sim.model.command import RunScenario
from checkout_sim.model.verdict import Violation
from checkout_sim.tui.screens.order import OrderView
from checkout_sim.tui.screens.review import ReviewView
from checkout_sim.tui.screens.view import View
from checkout_sim.tui.widgets.line import Block
from checkout_sim.tui.widgets.stream_table import StreamTable


class ClaimsSource:
    """A `Source` of the claims; made of the board as the view shows it."""

    def __init__(self, view: "ViolationsView") -> None:
        self._view = view
        self.rows: dict[str, ClaimRow] = {}

    def keys(self) -> Sequence[str]:
        """Return the claims' names."""
        board = self._view.judged_board
        rows = board.session.claims.rows(self._view.suspicions(board))
        self.rows = {row.name: row for row in rows}
        return list(self.rows)

    def identity(self, key: str) -> object:
        """Return the row itself."""
        return self.rows.get(key)

    def line(self, key: str, width: int) -> Line:
        """Return a claim's line."""
        row = self.rows.get(key)
        return claim_line(row, width) if row else ()

    def heading(self, width: int) -> Line:
        """Return the heading."""
        return claim_heading(width)


class ViolationsView(View):
    """Screen 6."""

    scope: ClassVar[str] = "violations"
    number: ClassVar[str] = "6"
    heading: ClassVar[str] = "Violations"
    tells_whole: ClassVar[bool] = True

    DEFAULT_CSS: ClassVar[str] = """
    ViolationsView #summary { height: 1; }
    ViolationsView #claims { height: 1fr; min-height: 4; }
    ViolationsView #checks { height: 1; }
    ViolationsView #violation { height: 7; }
    ViolationsView.-tall #violation { height: 14; }
    ViolationsView.-tall #checks { height: 3; }
    ViolationsView.-tiny-height #violation { height: 3; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._at: dict[str, int] = {}  # claim → which of its violations is shown
        self._suspicions: tuple[tuple[int, int], tuple[str, ...]] = ((-1, -1), ())
        self.source = ClaimsSource(self)

    def body(self) -> ComposeResult:
        """Yield the run in a line, the claims, the meta checks, and one violation."""
        yield Block(self._summary, id="summary")
        yield StreamTable(self.source, id="claims")
        yield Block(self._checks, id="checks")
        yield Block(self._violation, id="violation")

    @property
    def judged_board(self) -> Board:
        """Return the run whose claims are shown: the one before, until this one has been judged.

        A verdict closes its session and another opens at once; what was proven must not vanish.
        """
        board = self.board
        previous = board.previous
        unheard = board.session.claims.said is None
        if previous is not None and unheard and previous.session.verdict is not None:
            return previous
        return board

    # ---- what is marked ----------------------------------------------------------------------

    def suspicions(self, board: Board) -> tuple[str, ...]:
        """Return why each suspect row is suspect; looked for only after something changed."""
        version = (board.last_id, board.checkouts.counts["suspect"])
        if not version[1]:
            return ()
        if self._suspicions[0] != version:
            found = tuple(row.suspicion for row in board.checkouts.rows.values() if row.suspicion)
            self._suspicions = (version, found)
        return self._suspicions[1]

    @property
    def claim(self) -> ClaimRow | None:
        """Return the marked claim."""
        cursor = self.query_one("#claims", StreamTable).cursor
        return self.source.rows.get(cursor or "")

    @property
    def listed(self) -> tuple[Violation, ...]:
        """Return the violations of the marked claim."""
        claim = self.claim
        violations = self.judged_board.session.claims.violations
        return tuple(one for one in violations if claim and one.invariant == claim.name)

    @property
    def violation(self) -> Violation | None:
        """Return the violation that is shown."""
        listed, claim = self.listed, self.claim
        if not listed or claim is None:
            return None
        return listed[min(self._at.get(claim.name, 0), len(listed) - 1)]

    # ---- keys --------------------------------------------------------------------------------

    async def do_finding_next(self) -> None:
        """Show the next violation; after the last of a claim, the first of the next."""
        self._step(1)

    async def do_finding_previous(self) -> None:
        """Show the one before."""
        self._step(-1)

    def _step(self, by: int) -> None:
        violations = self.judged_board.session.claims.violations
        if not violations:
            self.tell("nothing is proven broken" + self._suspects_said())
            return
        shown = self.violation
        at = violations.index(shown) + by if shown in violations else 0
        wanted = violations[at % len(violations)]
        of_claim = [one for one in violations if one.invariant == wanted.invariant]
        self._at[wanted.invariant] = of_claim.index(wanted)
        self.query_one("#claims", StreamTable).go_to(wanted.invariant)
        self._redraw()

    def _suspects_said(self) -> str:
        suspects = self.board.checkouts.counts["suspect"]
        return f"; {suspects} suspect, v asks for a verdict" if suspects else ""

    async def do_row_open(self) -> None:
        """Open the order that breaks the marked claim."""
        violation = self.violation
        if violation is None:
            self.tell("no order breaks this claim" + self._suspects_said())
            return
        about = violation.order_id or "this violation"
        if self.judged_board is not self.board:
            self.tell(f"its session is closed: `checkout-sim explain {about}` tells it")
            return
        row = self.board.checkouts.of_order(violation.order_id or "")
        if row is None and violation.checkout is not None:
            row = next(iter(self.board.checkouts.of_checkout(violation.checkout)), None)
        if row is None:
            self.tell(f"{about} is not in memory; `checkout-sim explain` tells it from its folder")
            return
        self.app.push_screen(OrderView(row.key))

    async def do_finding_replay(self) -> None:
        """Run the scenario again with its seed; of a live session, open the review."""
        session = self.judged_board.session
        run, stretch = session.run, session.stretch
        path = str(run.get("path") or "")
        if stretch is None or not stretch.scenario or not path:
            await self.do_finding_review()
            return
        strategy = session.strategy
        seed = run.get("seed")
        await self.send(
            RunScenario(
                path=path,
                strategies=(strategy,),
                seed=int(seed) if isinstance(seed, int) else None,
            )
        )

    async def do_finding_review(self) -> None:
        """Cut a scenario out of this run."""
        self.app.push_screen(ReviewView(run=self._run_to_cut()))

    def _run_to_cut(self) -> str:
        """Return the run that has a verdict: this one, or the one before it on this stream."""
        board = self.board
        previous = board.previous
        for one in (board, previous):
            if one is not None and one.session.verdict is not None and one.session.stretch:
                return one.session.stretch.folder
        return ""

    @on(StreamTable.Opened, "#claims")
    async def _open(self, event: StreamTable.Opened) -> None:
        event.stop()
        await self.checkout_app.perform("row.open")

    @on(StreamTable.Moved, "#claims")
    def _moved(self, event: StreamTable.Moved) -> None:
        event.stop()
        self._redraw()

    def _redraw(self) -> None:
        self.query_one("#violation", Block).refresh_rows()

    # ---- drawing -----------------------------------------------------------------------------

    def _summary(self, _width: int, _height: int) -> list[Line]:
        board = self.judged_board
        return [summary_line(board, another=board is not self.board)]

    def _checks(self, width: int, height: int) -> list[Line]:
        return checks_lines(self.judged_board.session.claims.checks(), width)[:height]

    def _violation(self, width: int, height: int) -> list[Line]:
        told = self.checkout_app.told
        if told.wrong and len(told.text) >= width:
            return told_lines([("REFUSED", told.text)], width, look="wrong")[:height]
        claim = self.claim
        head = rule(width, claim.name if claim else "", ascii_only=self.ascii_only)
        lines = violation_lines(
            self.judged_board, claim, self.listed, self.violation, width, rows=height - 1
        )
        return [head, *lines][:height]
