"""Looks: what a token's meaning is drawn as, in colour, in grey, in black and white.

Takes the name of a look ("suspect") and gives a style. Every meaning has a mark or a word as well;
a look only repeats it. Colours are Wong's (Nature Methods 8, 441, 2011), told apart by every common
kind of colour blindness; without colours there are bold and reverse, and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rich.style import Style
from textual.color import Color
from textual.strip import Strip
from textual.theme import Theme


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """The colours of one theme."""

    good: str
    warn: str
    bad: str
    quiet: str
    accent: str
    text: str
    paper: str
    panel: str
    dark: bool


DARK = Palette(
    good="#56b4e9",
    warn="#e69f00",
    bad="#ff7f3f",
    quiet="#8a8f98",
    accent="#56b4e9",
    text="#e0e3e8",
    paper="#14171c",
    panel="#1f242c",
    dark=True,
)
LIGHT = Palette(
    good="#0060a0",
    warn="#8a5a00",
    bad="#b03a00",
    quiet="#5c6370",
    accent="#0060a0",
    text="#1b1e23",
    paper="#fbfbf8",
    panel="#eceae2",
    dark=False,
)


def theme_of(name: str, palette: Palette) -> Theme:
    """Return a palette as Textual takes it."""
    return Theme(
        name=name,
        primary=palette.accent,
        secondary=palette.quiet,
        accent=palette.accent,
        success=palette.good,
        warning=palette.warn,
        error=palette.bad,
        foreground=palette.text,
        background=palette.paper,
        surface=palette.paper,
        panel=palette.panel,
        dark=palette.dark,
        variables={"border": palette.quiet, "footer-background": palette.paper},
    )


THEMES: Mapping[str, Palette] = {"checkout-dark": DARK, "checkout-light": LIGHT}

# look → (colour of the palette, bold, reverse)
_ROLES: Mapping[str, tuple[str, bool, bool]] = {
    "plain": ("text", False, False),
    "title": ("text", True, False),
    "quiet": ("quiet", False, False),
    "idle": ("quiet", False, False),
    "open": ("text", False, False),
    "confirmed": ("good", False, False),
    "rolled back": ("quiet", False, False),
    "suspect": ("warn", True, False),
    "violated": ("bad", True, True),
    "struck": ("warn", True, False),
    "stuck": ("bad", True, True),
    "down": ("bad", True, False),
    "money": ("good", True, False),
    "wrong": ("bad", True, False),
    "live": ("good", True, False),
    "frozen": ("warn", True, True),
    "playback": ("accent", True, True),
    "recording": ("bad", True, True),
    "key": ("accent", True, False),
    "cursor": ("text", False, True),
    "expected": ("good", False, False),
    "surprise": ("bad", True, True),
}


class Looks:
    """The styles of one theme; made once, looked up for every token."""

    def __init__(self, palette: Palette, *, no_color: bool = False) -> None:
        self._styles: dict[str, Style] = {}
        for look, (role, bold, reverse) in _ROLES.items():
            color = None if no_color else getattr(palette, role)
            self._styles[look] = Style(color=color, bold=bold or None, reverse=reverse or None)
        self._plain = self._styles["plain"]
        self._no_color = no_color
        bar = None if no_color else palette.panel
        self.bar = Style(reverse=True) if no_color else Style(bgcolor=bar, bold=True)

    def grounded(self, strip: Strip, ground: Color) -> Strip:
        """Return a strip on a widget's own background, which Textual paints beside it alone.

        Without colours the terminal's own ground is kept: a light theme's text on a dark terminal
        was why this is done otherwise.
        """
        if self._no_color or ground.a == 0:
            return strip
        return strip.apply_style(Style(bgcolor=ground.rich_color))

    def __getitem__(self, look: str) -> Style:
        """Return the style of a look; a look nobody defined is plain."""
        return self._styles.get(look, self._plain)
