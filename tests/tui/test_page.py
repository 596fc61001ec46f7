"""The page about the dashboard is the program's, and so are its pictures."""

import re
from pathlib import Path

import pytest

from checkout_sim.tui.actions import ALL
from tests.tui.gallery import IMAGES, PICTURED, scene, svg_of
from tests.tui.page import PAGE, page
from tests.tui.standing import WIDE


def test_the_page_is_what_the_program_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "stale: make docs"


def test_every_action_is_on_it() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [row.id for row in ALL if f"`{row.id}" not in text] == []


def test_every_picture_is_there_and_fetches_nothing() -> None:
    named = re.findall(r"\]\(images/(tui-[a-z]+\.svg)\)", PAGE.read_text(encoding="utf-8"))
    assert sorted(named) == sorted(f"tui-{name}.svg" for name in PICTURED)
    for name in named:
        drawing = (IMAGES / name).read_text(encoding="utf-8")
        assert set(re.findall(r"https?://[^\"')\s]+", drawing)) <= {
            "http://www.w3.org/2000/svg",
            "https://www.textualize.io",
        }


@pytest.mark.parametrize("name", PICTURED)
async def test_a_picture_is_what_the_program_draws(name: str, tmp_path: Path) -> None:
    async with scene(name, tmp_path, size=WIDE) as app:
        drawing = svg_of(app)
    kept = (IMAGES / f"tui-{name}.svg").read_text(encoding="utf-8")
    assert drawing == kept, "stale: make screenshots"
