"""What `runs show` says of a folder: how far the run came, and which files it left.

Takes a run's folder, gives lines. Made for half-written runs above all: whatever there is is read,
and what cannot be read is said.
"""

from collections.abc import Iterator
from pathlib import Path

from checkout_sim.archive.recorder import HISTORY_NAME
from checkout_sim.model.errors import HistoryUnreadable
from checkout_sim.ndjson import decode

_PHASE = b'"kind":"phase.entered"'
_FILES = {
    "run.json": "what it is a run of",
    "scenario.lock": "the plan, every chance drawn: `checkout-sim replay` runs it again",
    HISTORY_NAME: "what was seen, one observation per line: `checkout-sim judge` judges it again",
    "verdict.json": "the verdict, as the JSON report has it",
    "evidence.db": "an index of the history, made anew when needed",
}


def progress_lines(folder: Path) -> Iterator[str]:
    """Yield how many observations there are and which phase the run came to."""
    path = folder / HISTORY_NAME
    lines, phase, last = 0, "none", b""
    try:
        with path.open("rb") as history:
            for line in history:
                if not line.endswith(b"\n"):
                    break  # torn by whatever ended the run
                lines, last = lines + 1, line
                if _PHASE in line:
                    phase = str(decode(line).data.get("phase"))
    except OSError as error:
        yield f"history   cannot be read: {error.strerror}"
        return
    except HistoryUnreadable as error:
        yield f"history   damaged in line {lines}: {error}"
        return
    yield f"history   {lines} observations, last phase: {phase}{_ended(last)}"


def folder_lines(folder: Path) -> Iterator[str]:
    """Yield every file of the folder, its size and what it is for."""
    yield str(folder)
    for path in sorted(folder.iterdir()):
        size = path.lstat().st_size
        yield f"  {path.name:<18} {size / 1000:>10,.1f} kB  {_purpose(path)}".rstrip()


def _purpose(path: Path) -> str:
    if path.name in _FILES:
        return _FILES[path.name]
    return {".log": "what it said on standard error", ".db": "its database"}.get(path.suffix, "")


def _ended(last: bytes) -> str:
    try:
        return f", {decode(last).t_ms / 1000:.1f} s after it began" if last else ""
    except HistoryUnreadable:
        return ""
