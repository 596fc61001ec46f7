"""Every screen as it was when a person last looked at it: the drawing, and its text beside it.

A change of Textual may redraw every SVG; the text beside each one then shows whether a single
character has moved. `pytest tests/tui/test_snapshots.py --snapshot-update` accepts what is there.
"""

from pathlib import Path

import pytest
from pytest_textual_snapshot import (  # type: ignore[import-untyped] # ships no types
    SVGImageExtension,
)
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from checkout_sim.tui.options import Options
from tests.tui.gallery import SCENES, scene, svg_of, text_of
from tests.tui.standing import SMALL, WIDE

LEAST, TINY = (60, 18), (40, 12)
VARIANTS: dict[str, tuple[tuple[int, int], Options]] = {
    "no-colour": (SMALL, Options(no_color=True)),
    "light": (SMALL, Options(theme="light")),
    "ascii": (SMALL, Options(ascii_only=True)),
    "read-only": (SMALL, Options(read_only=True)),
    "60x18": (LEAST, Options()),
    "40x12": (TINY, Options()),
}


class TextExtension(SingleFileSnapshotExtension):
    """A snapshot that is plain text."""

    _file_extension = "txt"
    _write_mode = WriteMode.TEXT


async def compare(
    name: str,
    folder: Path,
    snapshot: SnapshotAssertion,
    *,
    size: tuple[int, int],
    options: Options | None = None,
) -> None:
    async with scene(name, folder, size=size, options=options) as app:
        text, drawing = text_of(app), svg_of(app)
    assert text == snapshot.use_extension(TextExtension)
    assert drawing == snapshot.use_extension(SVGImageExtension)


@pytest.mark.parametrize("size", [SMALL, WIDE], ids=["80x24", "120x40"])
@pytest.mark.parametrize("name", SCENES)
async def test_a_screen_is_as_it_was(
    name: str, size: tuple[int, int], tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    await compare(name, tmp_path, snapshot, size=size)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", ["dashboard", "faults", "order", "violations"])
async def test_a_screen_is_as_it_was_without_what_a_terminal_may_lack(
    name: str,
    variant: str,
    tmp_path: Path,
    snapshot: SnapshotAssertion,
) -> None:
    size, options = VARIANTS[variant]
    await compare(name, tmp_path, snapshot, size=size, options=options)


@pytest.mark.parametrize("name", ["dashboard", "violations"])
async def test_a_drawing_fetches_nothing(name: str, tmp_path: Path) -> None:
    async with scene(name, tmp_path, size=SMALL) as app:
        drawing = svg_of(app)
    assert "font-face" not in drawing
    assert [url for url in drawing.split('"') if url.startswith("http")] == [
        "http://www.w3.org/2000/svg"
    ]
