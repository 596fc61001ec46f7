"""What leaves the screen: text to the terminal's clipboard and to files.

OSC 52 is not obeyed by every terminal (Textualize/textual#5839) nor by tmux without
`set-clipboard`, hence `y` also writes a file. A file that cannot be written is told, never raised.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Offer(NamedTuple):
    """Something a view lets out: its key in the menu, what it is, the text, a file name."""

    key: str
    title: str
    text: str
    name: str = ""


class Outbox:
    """Where copies and exports go."""

    def __init__(self, clip: Path, exports: Path, to_terminal: Callable[[str], None]) -> None:
        self._clip = clip
        self._exports = exports
        self._to_terminal = to_terminal

    def copy(self, text: str, what: str) -> tuple[str, bool]:
        """Copy a text; return what to tell, and whether the file could not be written."""
        self._to_terminal(text)
        problem = self._written(self._clip, text)
        if problem:
            return f"copied {what} to the terminal alone: {problem}", True
        return f"copied {what}, also to {self._clip}", False

    def export(self, name: str, text: str) -> tuple[str, bool]:
        """Write a file of its own; return what to tell, and whether it could not be written."""
        path = self._free(name)
        problem = self._written(path, text)
        return (problem, True) if problem else (f"wrote {path}", False)

    def _free(self, name: str) -> Path:
        """Return a name nothing has yet: an export replaces nothing."""
        stem, dot, ending = name.rpartition(".")
        for number in range(1, 1000):
            tried = f"{stem}-{number}{dot}{ending}" if number > 1 else name
            if not (self._exports / tried).exists():
                return self._exports / tried
        return self._exports / name

    @staticmethod
    def _written(path: Path, text: str) -> str:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            return f"{path} cannot be written: {error.strerror}"
        return ""
