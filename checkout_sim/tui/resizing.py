"""A resize that was missed: found by looking, since Textual may lose one for good.

A size that stands in the environment, put there by a shell or by readline in some parent, would
hide every resize: where there is a terminal, it alone is asked.

Textual puts a resize off by 8 ms with a timer that fires once. A process that is not scheduled for
so long just as that timer begins has, by Textual's reckoning, missed it: it never fires, and every
later resize waits for it. The same look finds a SIGWINCH that never came.
"""

import os
import shutil
import sys
from typing import Any

from textual.app import App
from textual.events import Resize
from textual.geometry import Size


def forget_stated_size() -> None:
    """Drop COLUMNS and LINES where standard output is a terminal: they win over what it says."""
    if sys.__stdout__ is not None and sys.__stdout__.isatty():
        for name in ("COLUMNS", "LINES"):
            os.environ.pop(name, None)


def terminal_size() -> Size | None:
    """Return the terminal's size in cells as Textual asks for it; None where there is none."""
    columns, rows = shutil.get_terminal_size(fallback=(0, 0))
    return Size(columns, rows) if columns and rows else None


def resize_missed(app: App[Any], terminal: Size | None) -> None:
    """Tell an app what size its terminal has, and its screens what size the app has."""
    if terminal is not None and terminal != app.size:
        app.post_message(Resize(terminal, terminal))
        return
    for screen in app.screen_stack:
        if screen.outer_size != app.size:
            screen.post_message(Resize(app.size, app.size))
