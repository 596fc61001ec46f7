"""A screen as plain text: what is drawn, cell by cell, without colours."""

from typing import Any

from textual.screen import Screen


def screen_text(screen: Screen[Any]) -> str:
    """Return every line as it is drawn now, blanks at its end taken off."""
    strips = screen._compositor.render_strips()  # noqa: SLF001 - Textual has no public way
    return "\n".join(strip.text.rstrip() for strip in strips) + "\n"
