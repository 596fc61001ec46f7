"""An engine that ends by itself, or whose stack never comes up: why, in place, and on leaving."""

import asyncio

from textual.pilot import Pilot

from checkout_sim.model.answer import EngineState
from checkout_sim.model.errors import EngineGone, StackDidNotStart
from checkout_sim.tui.app import CheckoutSimApp
from checkout_sim.tui.options import Options
from tests.tui.canned import Canned, drawn, opening, running, shown, told_by
from tests.tui.stories import opened

DIED = "exit status 1; it said last:\n  Traceback\n    in a line\n  here\n  RuntimeError: boom"
TROUBLE = (
    "no Toxiproxy answers at http://127.0.0.1:1: GET http://127.0.0.1:1/version: refused. Start it "
    "there, or go without --toxiproxy-url and TOXIPROXY_URL"
)


async def told(app: CheckoutSimApp, pilot: Pilot[int]) -> str:
    """Wait until something wrong is told, and return the words on the screen."""
    async with asyncio.timeout(60):
        while not app.told.wrong:
            await pilot.pause()
    app.draw_now()
    await pilot.pause()  # the status takes the rows it needs
    return " ".join(shown(app).split())


async def test_how_it_ended_its_last_words_and_what_to_do_stand_on_the_screen() -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned, Options(why_ended=lambda: DIED)) as (app, pilot):
        canned.end()
        screen = await told(app, pilot)

        assert "the engine has ended: exit status 1" in screen
        assert "RuntimeError: boom" in screen
        assert "`checkout-sim tui` starts" in screen
        assert "LIVE" not in screen
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert not app.is_running
        assert isinstance(app.leaving.wrong, EngineGone)
        assert str(app.leaving.wrong) == "the engine has ended: exit status 1"


async def test_an_engine_that_was_closed_is_nobodys_error() -> None:
    canned = Canned(*told_by(opened().seen), EngineState(phase="closing", strategy="naive"))
    async with running(canned, Options(why_ended=lambda: DIED)) as (app, pilot):
        canned.end()
        screen = await told(app, pilot)

        assert "it was closed by who started it, or from another screen" in screen
        assert app.leaving.wrong is None


async def test_a_screen_that_joined_says_who_knows_why_the_engine_ended() -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned, Options(owns_engine=False)) as (app, pilot):
        canned.end()
        screen = await told(app, pilot)

        assert "who started it has been told why" in screen
        assert isinstance(app.leaving.wrong, EngineGone)


async def test_a_stack_that_does_not_come_up_is_told_whole_and_is_an_error_on_leaving() -> None:
    trouble = EngineState(phase="starting", strategy="naive", message=TROUBLE)
    canned = Canned(*opening(phase="starting"), trouble)
    async with running(canned) as (app, pilot):
        screen = await told(app, pilot)

        assert f"{TROUBLE}; v on screen 6 tries again" in screen
        assert isinstance(app.leaving.wrong, StackDidNotStart)
        assert str(app.leaving.wrong) == TROUBLE
        canned.tell(EngineState(phase="storm", strategy="naive"))
        await drawn(app, pilot, canned)
        assert app.leaving.wrong is None, "it came up after all"
