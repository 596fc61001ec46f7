"""Keys that were pressed before a dialog was there, and are meant for it.

Textual hands a key to whatever is on the screen when the key arrives. Who types `f 6 r` faster than
the leader opens has `6` and `r` handed to the view below; nothing there answers them while a dialog
is on top, so they come back up to the app and would be lost. The app hands them on instead.
"""

from typing import Any

from textual import events
from textual.screen import Screen

from checkout_sim.tui.dialogs.prompt import Prompt
from checkout_sim.tui.dialogs.strip import KeyStrip
from checkout_sim.tui.palette import Palette


def handed_on(event: events.Key, top: Screen[Any]) -> bool:
    """Hand a key that came back to the dialog on top; return whether there is one that takes it.

    Strip and prompt answer every key they are given, the palette every letter: what reaches the app
    beneath one was pressed before it opened. It waits in the dialog's own queue, behind its opening
    and earlier keys.
    """
    takes = event.is_printable if isinstance(top, Palette) else isinstance(top, KeyStrip | Prompt)
    if not takes:
        return False
    top.post_message(events.Key(event.key, event.character))
    return True
