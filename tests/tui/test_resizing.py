"""A terminal is never drawn at a size it no longer has, whatever was lost on the way."""

import asyncio
from collections.abc import Callable

import pytest
from textual import _time
from textual.geometry import Size
from textual.pilot import Pilot

from checkout_sim.tui.app import CheckoutSimApp
from tests.tui.canned import Canned, running, shown, told_by
from tests.tui.stories import opened


async def drawn_at(app: CheckoutSimApp, pilot: Pilot[int], width: int, height: int) -> str:
    """Return the screen once it is laid out for a size."""
    async with asyncio.timeout(60):
        while app.screen.outer_size != Size(width, height):
            await pilot.pause()
    await pilot.pause()
    return shown(app)


async def test_a_resize_that_nobody_told_of_is_seen() -> None:
    async with running(Canned(*told_by(opened().seen))) as (app, pilot):
        app.measure = lambda: Size(40, 12)
        assert "too small to act" in await drawn_at(app, pilot, 40, 12)
        app.measure = lambda: Size(80, 24)
        assert "H heal all" in await drawn_at(app, pilot, 80, 24)


def stalling(real: Callable[[], float]) -> Callable[[], float]:
    """Return a clock of a process that is not scheduled for 10 ms after every look at it."""
    stalled = 0.0

    def now() -> float:
        nonlocal stalled
        stalled += 0.01
        return real() + stalled

    return now


async def test_a_resize_is_drawn_though_the_timer_it_waits_for_has_begun_too_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running(Canned(*told_by(opened().seen))) as (app, pilot):
        with monkeypatch.context() as patched:
            patched.setattr(_time, "get_time", stalling(_time.get_time))
            await pilot.resize_terminal(40, 12)
            assert "too small to act" in await drawn_at(app, pilot, 40, 12)
        await pilot.resize_terminal(80, 24)
        assert "H heal all" in await drawn_at(app, pilot, 80, 24)


async def test_a_dialog_and_the_view_below_it_are_both_told() -> None:
    async with running(Canned(*told_by(opened().seen))) as (app, pilot):
        await pilot.press("f")
        app.measure = lambda: Size(70, 20)
        await drawn_at(app, pilot, 70, 20)
        async with asyncio.timeout(60):
            while {screen.outer_size for screen in app.screen_stack} != {Size(70, 20)}:
                await pilot.pause()
