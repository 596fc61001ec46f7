"""Leaving and letting things out: quitting, copying, exporting."""

import asyncio
import os
from pathlib import Path

import pytest

from checkout_sim.model.command import Close
from checkout_sim.tui.options import Options
from tests.tui.canned import Canned, drawn, running, shown, told_by
from tests.tui.stories import busy, opened


@pytest.mark.parametrize(("key", "judge"), [("j", True), ("q", False)])
async def test_quitting_asks_and_closes_the_engine_and_waits_for_it(
    key: str, *, judge: bool
) -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned) as (app, pilot):
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert "judge and quit" in shown(app)
        assert app.is_running
        await pilot.press(key)
        await pilot.pause()
        assert canned.sent == [Close(judge=judge)]
        assert "healing and stopping" in shown(app)
        canned.end()
        async with asyncio.timeout(20):
            while app.is_running and app.return_value is None:
                await pilot.pause()
    assert app.return_value == 0


async def test_escape_stays() -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned) as (app, pilot):
        await pilot.press("ctrl+q", "escape")
        await pilot.pause()
        assert app.scope == "dashboard"
    assert canned.sent == []


async def test_an_attached_screen_leaves_the_engine_running() -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned, Options(owns_engine=False)) as (app, pilot):
        await pilot.press("ctrl+q", "q")
        await pilot.pause()
    assert canned.sent == []
    assert app.return_value == 0


async def test_a_field_does_not_swallow_ctrl_q() -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned) as (app, pilot):
        await pilot.press("slash", "ctrl+q")
        await pilot.pause()
        assert "judge and quit" in shown(app)


async def test_copying_writes_a_file_as_well(tmp_path: Path) -> None:
    clip = tmp_path / "deep" / "clip.txt"
    canned = Canned(*told_by(busy().seen))
    async with running(canned, Options(clip=clip)) as (app, pilot):
        await pilot.press("y", "i")
        await drawn(app, pilot, canned)
        assert "copied order id, also to" in app.told.text
        assert app.clipboard == "ord_12"
    assert clip.read_text(encoding="utf-8") == "ord_12"


async def test_a_clip_that_cannot_be_written_is_told_and_the_screen_lives(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("", encoding="utf-8")
    canned = Canned(*told_by(busy().seen))
    async with running(canned, Options(clip=in_the_way / "clip.txt")) as (app, pilot):
        await pilot.press("y", "i")
        await pilot.pause()
        assert "cannot be written" in app.told.text
        assert app.clipboard == "ord_12"


async def test_exports_replace_nothing(tmp_path: Path) -> None:
    canned = Canned(*told_by(busy().seen))
    async with running(canned, Options(exports=tmp_path)) as (_, pilot):
        await pilot.press("e", "t", "e", "t", "e", "s")
        await pilot.pause()
        await pilot.press("enter", "e", "m")
        await pilot.pause()
    written = sorted(os.listdir(tmp_path))  # noqa: PTH208 - names are all it needs
    assert written == ["dashboard-2.txt", "dashboard.svg", "dashboard.txt", "order-12.md"]
    assert "LIVE storm" in (tmp_path / "dashboard.txt").read_text(encoding="utf-8")
    assert "POST /order/place" in (tmp_path / "order-12.md").read_text(encoding="utf-8")
