"""A real terminal: the dashboard in tmux, as an operator has it, with keys pressed and text read.

with Terminal(folder) as terminal:
    terminal.open("tui", "--strategy", "naive")
    terminal.wait_for("LIVE storm")
    terminal.press("c")

Every terminal is a tmux server of its own, on a socket of its own; leaving ends it, its program
and whatever the program started.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

ROOT = Path(__file__).parents[3]
LIMIT_S = 180.0  # of any one thing awaited: a loaded machine is slow, and nothing is timed here
_LOOK_EVERY_S = 0.05


class Terminal:
    """A tmux of 80x24 whose program runs in a folder; closed with everything in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # a socket's path ends at 108 bytes, which a test's own folder may exceed
        self._server = Path(tempfile.mkdtemp(prefix="tmux-"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        processes = self.family()
        with suppress(subprocess.CalledProcessError):
            self._tmux("kill-server")
        _, alive = psutil.wait_procs(processes, timeout=20)
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        shutil.rmtree(self._server)

    def open(self, *arguments: str, columns: int = 80, rows: int = 24) -> None:
        """Start `checkout-sim` with the terminal's settings noted before and after it.

        The size also stands in its environment, as readline in a parent would leave it.
        """
        program = shlex.join([sys.executable, "-m", "checkout_sim", *arguments])
        script = (
            f"stty -g > before; {program}; echo $? > code; stty -g > after; "
            "echo THE PROGRAM HAS LEFT; exec cat"
        )
        self._tmux(
            *("new-session", "-d", "-s", "it", "-x", str(columns), "-y", str(rows)),
            *("-c", str(self.folder), script),
            env={
                "PYTHONPATH": str(ROOT),
                "LC_ALL": "C.UTF-8",
                "NO_COLOR": "",
                "COLUMNS": str(columns),
                "LINES": str(rows),
            },
        )
        self._tmux("set-option", "-g", "window-size", "manual", ";", "set-option", "status", "off")
        self.resize(columns, rows)

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names, all at once."""
        self._tmux("send-keys", "-t", "it", *keys)

    def resize(self, columns: int, rows: int) -> None:
        """Make the terminal this size."""
        self._tmux("resize-window", "-t", "it", "-x", str(columns), "-y", str(rows))

    def screen(self) -> str:
        """Return what is on the screen now."""
        return self._tmux("capture-pane", "-t", "it", "-p")

    def asked(self, what: str) -> str:
        """Return what tmux knows of the pane, by its format: `alternate_on`, `cursor_flag`."""
        return self._tmux("display-message", "-t", "it", "-p", f"#{{{what}}}").strip()

    def wait_for(self, pattern: str, limit_s: float = LIMIT_S) -> str:
        """Return the screen once it matches; what stood there instead is told if it never does."""
        deadline, pause = time.monotonic() + limit_s, threading.Event()
        while not re.search(pattern, screen := self.screen(), re.MULTILINE):
            assert time.monotonic() < deadline, f"never saw {pattern!r}; the screen:\n{screen}"
            pause.wait(_LOOK_EVERY_S)
        return screen

    def family(self) -> list[psutil.Process]:
        """Return every process of the program that lives now; its shell comes first."""
        try:
            shell = psutil.Process(int(self._tmux("list-panes", "-t", "it", "-F", "#{pane_pid}")))
            return [shell, *shell.children(recursive=True)]
        except (psutil.NoSuchProcess, subprocess.CalledProcessError):
            return []

    def noted(self, name: str) -> str:
        """Return what the program's shell wrote down: `before`, `after` or `code`."""
        return (self.folder / name).read_text(encoding="utf-8").strip()

    def _tmux(self, *arguments: str, env: dict[str, str] | None = None) -> str:
        inherited = {name: value for name, value in os.environ.items() if name != "TMUX"}
        done = subprocess.run(
            ["tmux", "-u", "-f", os.devnull, "-S", str(self._server / "s"), *arguments],
            env={**inherited, **(env or {})},
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=True,
        )
        return done.stdout
