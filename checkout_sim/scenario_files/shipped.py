"""Where the files that come with checkout-sim lie: shipped scenarios and the map of links.

Takes nothing but the working directory, gives paths, short ones where they lie below it.
"""

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped_roots() -> list[Path]:
    """Return the folders of shipped scenarios: beside the package, or inside it when installed."""
    candidates = (_PACKAGE.parent / "scenarios", _PACKAGE / "scenarios")
    return [near(path) for path in candidates if path.is_dir()]


def links_path() -> Path:
    """Return the map of links: the working directory's toxiproxy.json, else the shipped one."""
    places = (Path(), _PACKAGE.parent, _PACKAGE)
    found = (place / "toxiproxy.json" for place in places)
    return next((path for path in found if path.is_file()), Path("toxiproxy.json"))


def near(path: Path) -> Path:
    """Return the path as seen from the working directory, where it lies below it."""
    relative = Path(os.path.relpath(path))
    return path if relative.parts[:1] == ("..",) else relative
