"""The scenario runner: every scenario file with what came of it, and the run under way.

Enter runs the marked one against the strategies chosen, each on a stack of its own; its steps are
ticked off as they are seen. Verdict and expectation are two marks: `invalid=` is a strategy caught
as it should be. A file that cannot be used keeps its row and says what is wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message
from textual.worker import get_current_worker

from checkout_sim.board.fault_lines import rule, told_lines
from checkout_sim.board.scenario_lines import (
    detail_lines,
    run_lines,
    scenario_heading,
    scenario_line,
)
from checkout_sim.board.scenario_rows import Entry, ScenarioRow, scenario_rows
from checkout_sim.board.tokens import Line, Token, counted
from checkout_sim.model.command import HoldPlan, ReleasePlan, RunScenario
from checkout_sim.model.wire import STRATEGIES
from checkout_sim.scenario_files.shipped import shipped_roots
from checkout_sim.scenario_files.units import NotAValue
from checkout_sim.tui.editor import edit
from checkout_sim.tui.forms.figures import typed_count
from checkout_sim.tui.library import Library
from checkout_sim.tui.screens.view import View
from checkout_sim.tui.widgets.line import Block
from checkout_sim.tui.widgets.stream_table import StreamTable

_REPEATS = (1, 3, 10, 100)
_MOST_REPEATS = 1000


class ScenariosSource:
    """A `Source` of the scenarios found."""

    def __init__(self, view: "ScenariosView") -> None:
        self._view = view
        self._rows: dict[str, ScenarioRow] = {}

    def keys(self) -> Sequence[str]:
        """Return the files' paths."""
        view = self._view
        rows = scenario_rows(
            view.entries,
            view.board.session.results,
            strategies=view.shown_strategies,
            running=view.running,
        )
        self._rows = {entry.path: row for entry, row in zip(view.entries, rows, strict=True)}
        return list(self._rows)

    def identity(self, key: str) -> object:
        """Return the row itself."""
        return self._rows.get(key)

    def line(self, key: str, width: int) -> Line:
        """Return a scenario's line."""
        row = self._rows.get(key)
        return scenario_line(row, width) if row else ()

    def heading(self, width: int) -> Line:
        """Return the heading."""
        return scenario_heading(self._view.shown_strategies, width)


class ScenariosView(View):
    """Screen 4."""

    scope: ClassVar[str] = "scenarios"
    number: ClassVar[str] = "4"
    heading: ClassVar[str] = "Scenarios"
    tells_whole: ClassVar[bool] = True

    DEFAULT_CSS: ClassVar[str] = """
    ScenariosView #upper { height: 1fr; layout: horizontal; }
    ScenariosView #scenarios { width: 1fr; min-height: 4; }
    ScenariosView #detail { display: none; width: 1fr; height: 1fr; }
    ScenariosView #detail.-open { display: block; }
    ScenariosView #detail.-open { width: 1fr; }
    ScenariosView.-wide #detail, ScenariosView.-extra #detail { display: block; width: 46; }
    ScenariosView.-extra #detail { width: 64; }
    ScenariosView #run { height: 9; }
    ScenariosView.-tall #run { height: 15; }
    ScenariosView.-tiny-height #run { height: 3; }
    """

    @dataclass
    class FilesRead(Message):
        """Some more files were read, by the worker."""

        entries: tuple[Entry, ...]

    def __init__(self) -> None:
        super().__init__()
        self.entries: tuple[Entry, ...] = ()
        self.read = False  # every file was read
        self._library = Library()
        self._strategies: tuple[str, ...] = ()  # none: all the scenario names
        self._repeat = 1
        self.source = ScenariosSource(self)

    def body(self) -> ComposeResult:
        """Yield the list, the marked one's expectations, and the run under way."""
        with Container(id="upper"):
            yield StreamTable(self.source, id="scenarios")
            yield Block(self._detail, id="detail")
        yield Block(self._run, id="run")

    def on_mount(self) -> None:
        """Begin to read the files; the screen is drawn meanwhile."""
        self._read_files()

    def on_screen_resume(self) -> None:
        """Read the folders again: a review may have written into them."""
        if self.read:
            self._read_files()

    @work(thread=True, exclusive=True, group="library")
    def _read_files(self) -> None:
        worker = get_current_worker()
        for entries in self._library.entries(self.folders):
            if worker.is_cancelled:
                return
            # A message, not a call: a call would wait for a screen that may be closing.
            self.post_message(self.FilesRead(entries))

    @on(FilesRead)
    def _take(self, read: FilesRead) -> None:
        read.stop()
        self.entries = entries = read.entries
        self.read = not any(entry.pending for entry in entries)
        if self.is_attached:
            self.query_one("#scenarios", StreamTable).refresh_rows()

    @property
    def folders(self) -> tuple[Path, ...]:
        """Return where scenario files are looked for: the operator's folders, else the shipped."""
        return self.checkout_app.options.scenarios_folders or tuple(shipped_roots())

    # ---- what is marked and what runs --------------------------------------------------------

    @property
    def shown_strategies(self) -> tuple[str, ...]:
        """Return the strategies that have a column: those that are built, and any more named."""
        named = (name for entry in self.entries for name in entry.strategies)
        return tuple(dict.fromkeys((*STRATEGIES, *named)))

    @property
    def entry(self) -> Entry | None:
        """Return the marked scenario."""
        cursor = self.query_one("#scenarios", StreamTable).cursor
        return next((one for one in self.entries if one.path == cursor), None)

    @property
    def running(self) -> tuple[str, str] | None:
        """Return scenario and strategy of the run under way; None in a live session."""
        session = self.board.session
        stretch = session.stretch
        if stretch is None or not stretch.scenario or not stretch.live or session.verdict:
            return None
        return (stretch.scenario, stretch.strategy)

    def _running_entry(self) -> Entry | None:
        stretch = self.board.session.stretch
        name = stretch.scenario if stretch else ""
        named = (one for one in self.entries if one.scenario and one.scenario.name == name)
        return next(named, None)

    # ---- keys --------------------------------------------------------------------------------

    async def do_row_open(self) -> None:
        """Run the marked scenario."""
        await self._run_entry(self.entry, self._strategies)

    async def do_scenario_run(self, name: str = "", *strategies: str) -> None:
        """Run a scenario by its name."""
        if not name:
            await self._run_entry(self.entry, strategies or self._strategies)
            return
        found = [one for one in self.entries if name in _names(one)]
        if not found:
            self.tell(f'no scenario is called "{name}" in the folders read here', wrong=True)
            return
        await self._run_entry(found[0], strategies or self._strategies)

    async def _run_entry(self, entry: Entry | None, wanted: Sequence[str]) -> None:
        if entry is None:
            self.tell("no scenario is marked" if self.read else "still reading the files")
            return
        if entry.pending:
            self.tell(f"{entry.stem} is still being read")
            return
        if entry.scenario is None:
            why = str(entry.errors[0]) if entry.errors else f"{entry.path} cannot be read"
            self.tell(f"{why}; E opens it", wrong=True)
            return
        strategies = tuple(one for one in wanted or entry.strategies if one in entry.strategies)
        built = tuple(one for one in strategies if one in STRATEGIES)
        if not built:
            named = ", ".join(entry.strategies)
            self.tell(f"{entry.stem} expects nothing of {', '.join(wanted)}: {named}", wrong=True)
            return
        await self.send(RunScenario(path=entry.path, strategies=built, repeat=self._repeat))

    async def do_scenario_strategies(self, *names: str) -> None:
        """Go on to the next choice of strategies, or take the ones named."""
        choices: list[tuple[str, ...]] = [(), *((name,) for name in STRATEGIES)]
        unknown = [name for name in names if name not in STRATEGIES]
        if unknown:
            known = ", ".join(STRATEGIES)
            self.tell(f"there is no strategy {unknown[0]}; there are {known}", wrong=True)
            return
        if names:
            self._strategies = names
        else:
            at = choices.index(self._strategies) if self._strategies in choices else 0
            self._strategies = choices[(at + 1) % len(choices)]
        self.tell(f"the next run is for {self._said_strategies()}")

    async def do_scenario_hold(self) -> None:
        """Hold the run under way, or let it go on."""
        held = self.checkout_app.live.session.state.held
        await self.send(ReleasePlan() if held else HoldPlan())

    async def do_scenario_loop(self, times: str = "") -> None:
        """Go on to the next number of repeats, or take the one given."""
        if times:
            try:
                self._repeat = typed_count(times, least=1, most=_MOST_REPEATS, what="how often")
            except NotAValue as error:
                self.tell(str(error), wrong=True)
                return
        else:
            at = _REPEATS.index(self._repeat) if self._repeat in _REPEATS else -1
            self._repeat = _REPEATS[(at + 1) % len(_REPEATS)]
        self.tell(f"the next run repeats {self._said_repeat()}")

    async def do_scenario_edit(self) -> None:
        """Open the marked file in the editor, then check it."""
        entry = self.entry
        if entry is None:
            self.tell("no scenario is marked", wrong=True)
            return
        problem = edit(self.app, Path(entry.path))
        if problem:
            self.tell(problem, wrong=True)
        self._read_files()

    async def do_scenario_compare(self) -> None:
        """Show the marked one's expectations beside the list, or hide them."""
        self.query_one("#detail", Block).toggle_class("-open")

    async def do_scenario_reload(self) -> None:
        """Read the folders again."""
        self._read_files()
        self.tell("reading the folders again")

    @on(StreamTable.Opened, "#scenarios")
    async def _open(self, event: StreamTable.Opened) -> None:
        event.stop()
        await self.checkout_app.perform("row.open")

    @on(StreamTable.Moved, "#scenarios")
    def _moved(self, event: StreamTable.Moved) -> None:
        event.stop()
        self.query_one("#detail", Block).refresh_rows()

    # ---- drawing -----------------------------------------------------------------------------

    def _said_strategies(self) -> str:
        return " and ".join(self._strategies) or "every strategy the scenario names"

    def _said_repeat(self) -> str:
        return "once" if self._repeat == 1 else f"{self._repeat} times"

    def _detail(self, width: int, height: int) -> list[Line]:
        lines = detail_lines(self.entry, self.board.session.results, self.shown_strategies, width)
        return lines[:height]

    def _run(self, width: int, height: int) -> list[Line]:
        told = self.checkout_app.told
        if told.wrong and len(told.text) >= width:
            return told_lines([("REFUSED", told.text)], width, look="wrong")[:height]
        stretch = self.board.session.stretch
        if stretch is None or not stretch.scenario:
            title = f"next: {self._said_strategies()}, {self._said_repeat()}"
            return self._idle(title, width)[:height]
        goes_on = "goes on" if self.board.session.state.held else "holds"
        steering = f"   p {goes_on}   . steps   x stops" if self.running else ""
        title = f"RUN {stretch.scenario}  {stretch.strategy}{steering}"
        head = rule(width, title, ascii_only=self.ascii_only)
        entry = self._running_entry()
        return [head, *run_lines(self.board, entry, width, rows=height - 1)][:height]

    def _idle(self, title: str, width: int) -> list[Line]:
        pending = sum(1 for one in self.entries if one.pending)
        if pending:
            said = f"{counted(len(self.entries), 'scenario')}, {pending} still being read"
        elif not self.entries:
            folders = ", ".join(str(folder) for folder in self.folders)
            said = f"no *.yaml in {folders or 'any folder'}"
        else:
            broken = sum(1 for one in self.entries if one.scenario is None and not one.pending)
            said = counted(len(self.entries), "scenario") + (
                f", {broken} unusable" if broken else ""
            )
        marks = "=  as the scenario expects    !  not as expected"
        return [
            rule(width, title, ascii_only=self.ascii_only),
            (Token(f" {said}"),),
            (Token(f" {marks}", "quiet"),),
            *told_lines([("MARKED", _why(self.entry))], width),
        ]


def _why(entry: Entry | None) -> str:
    if entry is None or entry.pending:
        return "nothing read yet"
    if entry.scenario is None:
        return "; ".join(str(problem) for problem in entry.errors[:3])
    return f"{entry.scenario.name}: {entry.scenario.why}"


def _names(entry: Entry) -> tuple[str, ...]:
    number, _, name = entry.stem.partition("-")
    return (entry.stem, entry.path, name, number, number.lstrip("0"))
