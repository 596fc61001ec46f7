"""Where output goes: results to standard output, everything else to standard error.

A reader that stops reading (`| head`) ends nothing: the rest is dropped quietly, so that the
exit code still tells the verdict.
"""

import os
import sys
from typing import IO, TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

# Wide enough for a matrix, narrow enough to read; also what a pipe gets, which has no width.
_WIDEST_COLUMNS = 100
_ENDLESS_COLUMNS = 1000


def tell(text: str) -> None:
    """Write one line, or several, of result."""
    _write(sys.stdout, text)


def complain(text: str) -> None:
    """Write one line, or several, of diagnostics."""
    _write(sys.stderr, text)


def results(*, whole_lines: bool = False) -> "Console":
    """Return the console for results; NO_COLOR, FORCE_COLOR, TERM and COLUMNS are respected.

    `whole_lines` is as wide as it takes, and leaves wrapping to the terminal.
    """
    console = _console(sys.stdout)
    if whole_lines:
        console.width = _ENDLESS_COLUMNS
    return console


def diagnostics() -> "Console":
    """Return the console for progress and notes."""
    return _console(sys.stderr)


def show(console: "Console", drawn: "RenderableType") -> None:
    """Draw on a console; lines meant to be copied may be longer than it is wide.

    The blanks rich fills lines with are dropped, so that output can be pasted and compared.
    """
    with console.capture() as captured:
        console.print(drawn, crop=False)
    _write(console.file, "\n".join(line.rstrip() for line in captured.get().splitlines()))


def hush(stream: IO[str]) -> None:
    """Send what is still to be written on a broken stream to nowhere.

    The descriptor itself is replaced, as the `signal` documentation advises, else the
    interpreter complains when it flushes at exit.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _write(stream: IO[str], text: str) -> None:
    try:
        stream.write(text + "\n")
        stream.flush()
    except BrokenPipeError:
        hush(stream)


def _console(stream: TextIO) -> "Console":
    from rich.console import Console  # noqa: PLC0415 - 30 ms that --help does without

    class Quiet(Console):
        def on_broken_pipe(self) -> None:
            hush(stream)

    width = None if "COLUMNS" in os.environ else _WIDEST_COLUMNS
    if width and stream.isatty():
        width = min(width, os.get_terminal_size(stream.fileno()).columns or width)
    return Quiet(file=stream, width=width, markup=False, highlight=False, emoji=False)
