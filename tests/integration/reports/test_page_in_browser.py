"""The HTML page as a browser has it. Skipped, by name, only where no Chromium is installed."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from checkout_sim.archive.chapters import chapter_of
from checkout_sim.reports.page import page
from tests.archived import a_tale, answered, archive, lifted, lost, swallowing
from tests.integration.reports.browser import NAMES, Page, browsing, found

pytestmark = pytest.mark.skipif(
    found() is None, reason=f"no browser: none of {', '.join(NAMES)} is on PATH"
)

LUMINANCE = """
(() => {
  const rgb = getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number);
  return (rgb[0] + rgb[1] + rgb[2]) / 3;
})()
"""
SHOWN = "document.querySelector('details.order figure').checkVisibility()"


@pytest_asyncio.fixture
async def shown(tmp_path: Path) -> AsyncIterator[Page]:
    """Open the page of a run with three violated orders."""
    path = await asyncio.to_thread(_written, tmp_path)
    async with browsing(tmp_path / "profile") as browser:
        await browser.resize(1280)
        await browser.show(path.as_uri())
        yield browser


def _written(root: Path) -> Path:
    tale = a_tale()
    answered(tale, 1)
    for checkout in (2, 3, 4):
        swallowing(tale, checkout)
        lost(tale, checkout)
        lifted(tale, checkout)
    path = root / "report.html"
    path.write_text(page([chapter_of(archive(tale, root))]), encoding="utf-8")
    return path


async def test_the_page_asks_for_nothing_but_itself_and_complains_of_nothing(shown: Page) -> None:
    await shown.evaluate("document.body.offsetHeight")

    assert [url.rpartition("/")[2] for url in shown.requested] == ["report.html"]
    assert shown.complaints == []


async def test_the_first_ladder_is_in_view_without_scrolling(shown: Page) -> None:
    top = await shown.evaluate("document.querySelector('#lead figure').getBoundingClientRect().top")

    assert 0 < top < 500


@pytest.mark.parametrize("width", [1280, 400, 320])
async def test_the_page_never_scrolls_sideways_only_its_drawings_do(
    shown: Page, width: int
) -> None:
    await shown.resize(width)

    assert await shown.evaluate("document.documentElement.scrollWidth") <= width


async def test_words_of_a_ladder_stay_clear_of_lanes_and_bands(shown: Page) -> None:
    overlapping = await shown.evaluate(
        """
        (() => {
          const svg = document.querySelector('#lead svg');
          const boxes = [...svg.querySelectorAll('.lane-name')].map(t => t.getBoundingClientRect());
          const words = [...svg.querySelectorAll('.words')].map(t => t.getBoundingClientRect());
          const edge = svg.getBoundingClientRect().right;
          const names = boxes.filter((a, i) => boxes.some((b, j) => i < j
            && a.left < b.right && b.left < a.right));
          const bands = [...svg.querySelectorAll('.band')].map(t => t.getBoundingClientRect());
          const hidden = words.filter(w => w.right > edge + 1
            || bands.some(b => b.right > w.left));
          return names.length + hidden.length;
        })()
        """
    )

    assert overlapping == 0


async def test_a_reader_who_prefers_dark_gets_dark(shown: Page) -> None:
    light = await shown.evaluate(LUMINANCE)
    await shown.prefer("dark")
    dark = await shown.evaluate(LUMINANCE)

    assert light > 200
    assert dark < 60


async def test_on_paper_every_order_is_open_and_the_ground_is_white(shown: Page) -> None:
    assert await shown.evaluate(SHOWN) is False

    await shown.prefer("dark", media="print")

    assert await shown.evaluate(SHOWN) is True
    assert await shown.evaluate(LUMINANCE) == 255
    assert (await shown.paper()).startswith(b"%PDF")


async def test_the_keyboard_reaches_and_opens_an_order(shown: Page) -> None:
    for _ in range(40):
        await shown.press("Tab")
        if await shown.evaluate("document.activeElement.matches('details.order > summary')"):
            break
    await shown.press("Enter")

    assert await shown.evaluate("document.activeElement.parentElement.open") is True


async def test_the_first_stop_of_the_keyboard_skips_to_the_runs(shown: Page) -> None:
    await shown.press("Tab")

    assert await shown.evaluate("document.activeElement.textContent") == "Skip to the runs"


async def test_a_link_into_a_closed_order_opens_it(shown: Page) -> None:
    await shown.evaluate(
        "document.querySelectorAll('svg a')[1].dispatchEvent("
        "new MouseEvent('click', {bubbles: true, cancelable: true}))"
    )

    async with asyncio.timeout(20):
        while not await shown.evaluate("document.querySelector('details.order').open"):
            pass
