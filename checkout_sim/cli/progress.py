"""Progress while runs go on, on standard error: live bars on a terminal, plain lines elsewhere.

Takes what the simulation says of itself (a small protocol) and the runs as they finish.
"""

from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from rich.console import Console
from rich.text import Text

from checkout_sim.model.run import Engine, Run
from checkout_sim.reports import phrases
from checkout_sim.reports.phrases import Standing
from checkout_sim.reports.terminal import run_line

if TYPE_CHECKING:
    from rich.progress import TaskID


class Seen(Protocol):
    """What the simulation reports: `done` of `total` checkouts, in a phase of a run."""

    @property
    def kind(self) -> str:
        """Return engine, opened, phase, checkout, finished or again."""

    @property
    def run_id(self) -> str:
        """Return which run; several go on at a time."""

    @property
    def scenario(self) -> str:
        """Return the scenario's name."""

    @property
    def strategy(self) -> str:
        """Return the strategy's name."""

    @property
    def phase(self) -> str:
        """Return start, storm, calm, settle, read or judged."""

    @property
    def done(self) -> int:
        """Return how many checkouts have ended."""

    @property
    def total(self) -> int:
        """Return how many checkouts there are."""

    @property
    def note(self) -> str:
        """Return why this proxy server, what verdict, or why a run is made again."""

    @property
    def engine(self) -> Engine | None:
        """Return the proxy server, once it is known."""


class Progress(Protocol):
    """Somewhere to show how far things are."""

    def __enter__(self) -> Self:
        """Begin to show."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the terminal as it was."""

    def watch(self, seen: Seen) -> None:
        """Take one report of the simulation."""

    def ended(self, run: Run) -> None:
        """Take one run that has finished."""


def progress_on(console: Console, *, runs: int) -> Progress:
    """Return what suits the console; `runs` is how many are to come."""
    return LiveProgress(console, runs=runs) if console.is_terminal else PlainProgress(console, runs)


def _again(seen: Seen) -> Text:
    return Text(f"? {seen.scenario} × {seen.strategy}: {seen.note}")  # noqa: RUF001 - a product


class PlainProgress:
    """One line per run as it ends, for logs and pipes."""

    def __init__(self, console: Console, runs: int) -> None:
        self._console = console
        self._runs = runs
        self._ended = 0
        self._engine: Engine | None = None

    def __enter__(self) -> Self:
        """Show nothing yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing was changed that would have to be restored."""

    def watch(self, seen: Seen) -> None:
        """Say which proxy server carries the bytes and what is run again; the rest is a flood."""
        if seen.engine is not None and seen.engine != self._engine:
            self._engine = seen.engine
            self._console.print(f"proxy server: {seen.engine.name} {seen.engine.version}")
        if seen.kind == "again":
            self._console.print(_again(seen), soft_wrap=True)

    def ended(self, run: Run) -> None:
        """Print the run's line, numbered."""
        self._ended += 1
        self._console.print(Text(f"[{self._ended}/{self._runs}] ") + run_line(run), soft_wrap=True)


class LiveProgress:
    """A bar over all runs and one per run going on; gone when all is done."""

    def __init__(self, console: Console, *, runs: int) -> None:
        # Imported here: plain progress needs none of it.
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn  # noqa: PLC0415
        from rich.progress import Progress as Bars  # noqa: PLC0415

        self._console = console
        self._bars = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}", style="dim", markup=False),
            console=console,
            transient=True,
            refresh_per_second=8,
        )
        self._all = self._bars.add_task("all runs", total=runs, unit="runs")
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        """Take over the bottom of the terminal."""
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the terminal back."""
        self._bars.stop()

    def watch(self, seen: Seen) -> None:
        """Move the bar of the run it is about."""
        match seen.kind:
            case "engine" if seen.engine is not None:
                through = f"all runs, through {seen.engine.name} {seen.engine.version}"
                self._bars.update(self._all, description=through)
            case "finished":
                task = self._tasks.pop(seen.run_id, None)
                if task is not None:
                    self._bars.remove_task(task)
            case "again":
                self._console.print(_again(seen))
            case "opened" | "phase" | "checkout":
                self._bars.update(
                    self._task(seen),
                    description=f"  {seen.scenario} × {seen.strategy}: {seen.phase or 'start'}",  # noqa: RUF001 - a product
                    completed=seen.done,
                    total=seen.total or None,
                )
            case _:
                pass  # a kind added later is no reason to stop

    def ended(self, run: Run) -> None:
        """Advance the bar; only what surprises is said at once."""
        self._bars.advance(self._all)
        if phrases.standing(run) in {Standing.SURPRISING, Standing.UNDECIDED}:
            self._console.print(run_line(run))

    def _task(self, seen: Seen) -> "TaskID":
        if seen.run_id not in self._tasks:
            self._tasks[seen.run_id] = self._bars.add_task("", total=None, unit="checkouts")
        return self._tasks[seen.run_id]
