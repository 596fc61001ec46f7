"""What the fault console shows: links and processes, presets, the state of the fault last touched.

Takes the board and the desk of faults that were asked for; gives the panels, and what is marked in
them. What its keys do is in `faults.py`.
"""

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container

from checkout_sim.board.fault_lines import told_lines
from checkout_sim.board.faults import FaultSeen
from checkout_sim.board.places import LINK_OF_NAME, Link
from checkout_sim.board.processes import ProcessSeen
from checkout_sim.board.tokens import Line
from checkout_sim.tui.forms.fault_desk import FaultDesk
from checkout_sim.tui.screens.view import View
from checkout_sim.tui.widgets.controls_source import ControlsSource
from checkout_sim.tui.widgets.fault_form import FaultForm
from checkout_sim.tui.widgets.fault_panels import (
    presets_panel,
    presets_title,
    state_panel,
    state_title,
    under_rule,
)
from checkout_sim.tui.widgets.faults_source import LINK, PROCESS, FaultsSource, visible_faults
from checkout_sim.tui.widgets.line import Block
from checkout_sim.tui.widgets.stream_table import StreamTable

_WIDE, _TALL = 110, 36  # columns for frames; rows for the links that are not used as well


class FaultConsole(View):
    """The panels of screen 2."""

    tells_whole: ClassVar[bool] = True

    DEFAULT_CSS: ClassVar[str] = """
    FaultConsole #parts { height: 1fr; layout: vertical; }
    FaultConsole #table { height: 1fr; min-height: 4; }
    FaultConsole #console { height: 1fr; }
    FaultConsole #below { height: auto; layout: vertical; }
    FaultConsole #presets { height: 4; }
    FaultConsole #state { height: 6; }
    FaultConsole #controls { display: none; height: 12; }
    FaultConsole #controls.-open { display: block; }
    FaultConsole.-wide #below { layout: horizontal; height: 11; }
    FaultConsole.-wide #presets { height: 11; width: 3fr; }
    FaultConsole.-wide #state { height: 11; width: 2fr; }
    FaultConsole.-extra #parts { layout: horizontal; }
    FaultConsole.-extra #table { width: 3fr; }
    FaultConsole.-extra #below { height: 1fr; width: 2fr; }
    FaultConsole.-extra #presets { height: 11; }
    FaultConsole.-extra #state { height: 1fr; }
    FaultConsole.-menu.-short #below { display: none; }
    FaultConsole.-tiny-width #below, FaultConsole.-tiny-height #below { display: none; }
    FaultConsole.-tiny-width Form, FaultConsole.-tiny-height Form { display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.desk = FaultDesk()
        self.source = FaultsSource(lambda: self.board, lambda: self.now_ms, lambda: self.ascii_only)

    def body(self) -> ComposeResult:
        """Yield links and processes, presets, the state of the fault last touched, the form."""
        with Container(id="parts"):
            with Container(id="table", classes="panel"):
                yield StreamTable(self.source, id="console")
            with Container(id="below"):
                yield Block(self._presets, id="presets", classes="panel")
                yield Block(self._state, id="state", classes="panel")
        yield StreamTable(ControlsSource(lambda: self.board), id="controls")
        yield FaultForm(id="form")

    def on_mount(self) -> None:
        """Frame the panels in the alphabet asked for; the table has the keys."""
        self.set_class(self.ascii_only, "-ascii")

    def refresh_rows(self) -> None:
        """Bring everything up to date, and drop what was remembered of faults that are gone."""
        tall = self.size.height >= _TALL and not self.has_class("-menu")
        self.source.roomy = self._framed and tall
        super().refresh_rows()
        if self._framed:
            self.entitle("#table", "links and processes")
            self.entitle("#presets", presets_title(self.link, self.process))
            self.entitle("#state", state_title(self.board, self.link, self.desk))
        if not self.board.session.pending:
            self.desk.forget(visible_faults(self.checkout_app.live))

    # ---- what is marked ----------------------------------------------------------------------

    @property
    def links(self) -> StreamTable:
        """Return the table of links and processes."""
        return self.query_one("#console", StreamTable)

    @property
    def form(self) -> FaultForm:
        """Return the form below."""
        return self.query_one("#form", FaultForm)

    @property
    def link(self) -> Link | None:
        """Return the marked link; None where a process is marked."""
        kind, _, name = (self.links.cursor or "").partition(":")
        return LINK_OF_NAME.get(name) if kind == LINK else None

    @property
    def process(self) -> ProcessSeen | None:
        """Return the marked process; None where a link is marked."""
        kind, _, rest = (self.links.cursor or "").partition(":")
        if kind != PROCESS:
            return None
        name, _, instance = rest.partition(":")
        return self.checkout_app.live.processes.by_name.get((name, int(instance)))

    def faults_on(self, link: Link) -> list[FaultSeen]:
        """Return the faults on a link as the engine has them now, frozen display or not."""
        return [one for one in visible_faults(self.checkout_app.live) if one.target == link.name]

    # ---- what stands below -------------------------------------------------------------------

    @property
    def _framed(self) -> bool:
        return self.size.width >= _WIDE

    def _presets(self, width: int, height: int) -> list[Line]:
        lines = presets_panel(self.board, self.link, width, wide=self._framed)
        return self._entitled(presets_title(self.link, self.process), lines, width)[:height]

    def _state(self, width: int, height: int) -> list[Line]:
        told = self.checkout_app.told
        if told.wrong and len(told.text) >= width:
            return told_lines([("REFUSED", told.text)], width, look="wrong")[:height]
        lines = state_panel(self.board, self.link, self.desk, width)
        return self._entitled(state_title(self.board, self.link, self.desk), lines, width)[:height]

    def _entitled(self, title: str, lines: list[Line], width: int) -> list[Line]:
        """Return lines with their title above; a frame carries its own."""
        if self._framed:
            return lines
        return under_rule(width, title, lines, ascii_only=self.ascii_only)
