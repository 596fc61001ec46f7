"""What the command line chose for the dashboard."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the dashboard looks and what it may do.

    `scenarios_folders` are where scenario files are found, `owns_engine` says that the engine ends
    with this terminal, `fps` bounds the frames a second, `clip` is where `y` writes as well.
    `why_ended` is asked, off the loop, when the engine has ended by itself; it gives nothing where
    somebody else started it.
    """

    read_only: bool = False
    ascii_only: bool = False
    no_color: bool = False
    theme: str = "dark"  # or "light"
    fps: int = 10
    mouse: bool = True
    scenarios_folders: tuple[Path, ...] = ()
    owns_engine: bool = True
    why_ended: Callable[[], str] = str
    clip: Path = Path(".checkout-sim/clip.txt")
    exports: Path = Path(".checkout-sim/exports")
