"""A file in the operator's own editor, the screen out of the way meanwhile.

Takes a path; gives a sentence about what went wrong, or nothing. The editor is $VISUAL, else
$EDITOR, else vi, as git has it; its words are split as a shell would, and no shell runs.
"""

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

from textual.app import App, SuspendNotSupported

_FALL_BACK = "vi"


def editor_words(environment: Mapping[str, str]) -> list[str]:
    """Return the editor's command as words; a value that cannot be split is one word."""
    said = environment.get("VISUAL") or environment.get("EDITOR") or _FALL_BACK
    try:
        return shlex.split(said) or [_FALL_BACK]
    except ValueError:
        return [said]


def edit(app: App[int], path: Path) -> str:
    """Open a file in the editor and wait for it; return why it could not be, or nothing."""
    words = editor_words(os.environ)
    try:
        with app.suspend():
            ended = subprocess.run([*words, str(path)], check=False)  # noqa: S603 - the operator's own
    except SuspendNotSupported:
        return f"there is no terminal to edit in; open {path} elsewhere, then r reads it again"
    except OSError as error:
        return f"{words[0]} cannot be started ({error.strerror}); set $VISUAL or $EDITOR"
    return f"{words[0]} ended with {ended.returncode}" if ended.returncode else ""
