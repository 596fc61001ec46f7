"""The dashboard under load: how much of a core it takes, how late it shows, how soon a key shows.

The real program in a pseudo-terminal of 160x48, over a unix socket from which 300 events a second
come after a history of 2,000 or 10,000 orders. What is timed is what arrives in the terminal: an
order's number after it was sent, FROZEN after the space bar. Start: the time until row 1 is there,
of the program that draws, and from the command on while all else starts beside it. Events are told
by this process, so that the dashboard's own processor time is its alone.
"""

import asyncio
import fcntl
import os
import pty
import re
import statistics
import struct
import sys
import tempfile
import termios
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from checkout_sim.model.answer import EngineState, Streamed, Stretch
from checkout_sim.model.history import Observation
from checkout_sim.stream.lines import line_of
from tests.bench.table import Figure, show
from tests.tui.stories import opened, sound

COLUMNS, ROWS = 160, 48
EVENTS_PER_S = 300
_KEYS = 40
_STARTS = 5
_LIMIT_S = 60.0
_TICK_S = 0.02
_PROGRAM = (
    "import sys; from pathlib import Path; from checkout_sim.tui.app import run_app; "
    "run_app(Path(sys.argv[1]), read_only=False, ascii_only=False, no_color=False, theme='dark', "
    "fps=10, mouse=False, scenarios_folders=(), owns_engine=False)"
)


@dataclass(slots=True)
class Terminal:
    """What the dashboard has written, and when each piece came."""

    master: int
    recent: str = ""
    waiting: dict[str, float] = field(default_factory=dict)  # text → since when it is looked for
    seen: dict[str, float] = field(default_factory=dict)  # text → how long it took, in s

    def read(self) -> None:
        """Take what there is, and see which of the texts looked for are there."""
        try:
            piece = os.read(self.master, 65_536).decode(errors="replace")
        except (BlockingIOError, OSError):
            return
        now = time.perf_counter()
        self.recent = (self.recent + re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", piece))[-40_000:]
        for text in [text for text in self.waiting if text in self.recent]:
            self.seen[text] = now - self.waiting.pop(text)

    async def shows(self, *texts: str) -> list[float]:
        """Wait until texts have come from now on; return how long each took, in s."""
        self.recent = ""
        for text in texts:
            self.seen.pop(text, None)
            self.waiting[text] = time.perf_counter()
        async with asyncio.timeout(_LIMIT_S):
            while any(text not in self.seen for text in texts):  # noqa: ASYNC110 - a callback reads
                await asyncio.sleep(0.001)
        return [self.seen[text] for text in texts]


class Engine:
    """What tells events over a socket: a history first, then so many a second."""

    def __init__(self, orders: int) -> None:
        self.tale = opened()
        self.orders = orders
        for number in range(1, orders + 1):
            sound(self.tale, number)
        self.history = b"".join(line_of(one) for one in self.tale.seen)
        self.writer: asyncio.StreamWriter | None = None
        self.sent_at: dict[int, float] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Tell one subscriber everything so far."""
        await reader.readline()
        begun: tuple[Streamed, ...] = (
            Stretch(run_id="bench", folder="/bench", scenario="", strategy="naive", live=True),
            EngineState(phase="storm", strategy="naive"),
        )
        writer.writelines(line_of(item) for item in begun)
        writer.write(self.history)
        await writer.drain()
        self.writer = writer

    async def tell(self, seconds: float, terminal: Terminal) -> None:
        """Tell events at the rate, and look for every tenth order's number in the terminal."""
        assert self.writer is not None
        began, told = time.perf_counter(), 0
        while (elapsed := time.perf_counter() - began) < seconds:
            due = int(elapsed * EVENTS_PER_S)
            while told < due:
                for one in self._next_order():
                    self.writer.write(line_of(one))
                    told += 1
                if self.orders % 10 == 0:
                    terminal.waiting[f"#{self.orders} "] = time.perf_counter()
            await self.writer.drain()
            await asyncio.sleep(_TICK_S)

    def _next_order(self) -> Sequence[Observation]:
        before = len(self.tale.seen)
        self.orders += 1
        sound(self.tale, self.orders)
        return self.tale.seen[before:]


@asynccontextmanager
async def _dashboard(
    engine: Engine, folder: Path
) -> AsyncIterator[tuple[Terminal, psutil.Process]]:
    server = await asyncio.start_unix_server(engine.serve, folder / "engine.sock")
    try:
        async with dashboard_on(folder / "engine.sock", folder) as shown:
            yield shown
    finally:
        if engine.writer is not None:
            engine.writer.close()
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def dashboard_on(
    socket: Path, folder: Path
) -> AsyncIterator[tuple[Terminal, psutil.Process]]:
    """Yield the real program in a terminal of its own, showing the engine at a socket."""
    async with _in_a_terminal(sys.executable, "-c", _PROGRAM, str(socket), folder=folder) as shown:
        yield shown


@asynccontextmanager
async def _in_a_terminal(
    *command: str, folder: Path
) -> AsyncIterator[tuple[Terminal, psutil.Process]]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    os.set_blocking(master, False)
    terminal = Terminal(master=master)
    asyncio.get_running_loop().add_reader(master, terminal.read)
    child = await asyncio.create_subprocess_exec(
        *command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=folder,
        env={**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(Path.cwd())},
    )
    os.close(slave)
    try:
        yield terminal, psutil.Process(child.pid)
    finally:
        child.kill()
        await child.wait()
        asyncio.get_running_loop().remove_reader(master)
        os.close(master)


async def measure_start() -> Figure:
    """Return how long the screen is waited for, from the command on, while its stack starts."""
    command = (sys.executable, "-m", "checkout_sim", "tui")
    took_s: list[float] = []
    for _ in range(_STARTS):
        with tempfile.TemporaryDirectory() as made:
            async with _in_a_terminal(*command, folder=Path(made)) as (terminal, process):
                took_s += await terminal.shows("Dash")
                family = process.children(recursive=True)
            await asyncio.to_thread(psutil.wait_procs, family, _LIMIT_S)
    return Figure(
        name="TUI first paint, from the command",
        value=statistics.median(took_s),
        unit="s",
        target=1,
        note=f"median of {_STARTS}, engine and stack starting beside it",
    )


async def measure(orders: int, *, seconds: float) -> list[Figure]:
    """Return the figures of one size."""
    engine = Engine(orders)
    lines = len(engine.tale.seen)
    with tempfile.TemporaryDirectory() as made:
        async with _dashboard(engine, Path(made)) as (terminal, process):
            first_s, caught_s = await terminal.shows("Dash", f"#{orders} ")
            await engine.tell(2.0, terminal)  # warm
            terminal.seen.clear()
            before, began = process.cpu_times(), time.perf_counter()
            await engine.tell(seconds, terminal)
            after, took_s = process.cpu_times(), time.perf_counter() - began
            spent_s = after.user + after.system - before.user - before.system
            lags_ms = [took * 1000 for text, took in terminal.seen.items() if text[0] == "#"]
            keys_ms = await _keys(engine, terminal)
    about = f"{orders:,} orders, {EVENTS_PER_S} events/s, {COLUMNS}x{ROWS}"
    return [
        Figure(name=f"TUI first paint, {orders}", value=first_s, unit="s", target=1, note=about),
        Figure(
            name=f"TUI catches up, {orders}",
            value=lines / (caught_s - first_s),
            unit="lines/s",
            target=50_000,
            wanted="at least",
            note=f"{lines:,} lines from the first paint on",
        ),
        Figure(
            name=f"TUI share of a core, {orders}",
            value=spent_s / took_s * 100,
            unit="%",
            target=25,
            note=about,
        ),
        Figure(
            name=f"TUI lag p99, {orders}",
            value=_p99(lags_ms),
            unit="ms",
            target=300,
            note=f"p50 {statistics.median(lags_ms):.0f} ms of {len(lags_ms)}",
        ),
        Figure(
            name=f"TUI key to screen p99, {orders}",
            value=_p99(keys_ms),
            unit="ms",
            target=150,
            note=f"p50 {statistics.median(keys_ms):.0f} ms of {len(keys_ms)}",
        ),
    ]


async def _keys(engine: Engine, terminal: Terminal) -> list[float]:
    """Press the space bar while events go on; return how long FROZEN and LIVE took to show, ms."""
    took: list[float] = []
    load = asyncio.create_task(engine.tell(3600.0, terminal))
    try:
        for number in range(_KEYS):
            os.write(terminal.master, b" ")
            wanted = "FROZEN" if number % 2 == 0 else "LIVE"
            took += [seconds * 1000 for seconds in await terminal.shows(wanted)]
            await asyncio.sleep(0.13)  # off the frame's beat
    finally:
        load.cancel()
        await asyncio.gather(load, return_exceptions=True)
    return took


def _p99(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


def figures(*, seconds: float = 15.0) -> list[Figure]:
    """Return how long the start takes, and the figures for 2,000 and for 10,000 orders."""
    return [asyncio.run(measure_start())] + [
        figure
        for orders in (2_000, 10_000)
        for figure in asyncio.run(measure(orders, seconds=seconds))
    ]


if __name__ == "__main__":
    show(figures(seconds=float(sys.argv[1]) if len(sys.argv) > 1 else 15.0))
