"""A view on the screen, ready for keys: what the tests of single screens begin with.

async with standing("2", *told_by(busy().seen)) as at:
    await at.press("s")
    assert at.sent == [inject(SLOW, LINK)]
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from textual.pilot import Pilot

from checkout_sim.model.answer import Streamed
from checkout_sim.model.command import Command
from checkout_sim.tui.app import CheckoutSimApp
from checkout_sim.tui.options import Options
from checkout_sim.tui.screens.view import View
from checkout_sim.tui.widgets.line import Block
from tests.tui.canned import Canned, drawn

SMALL, WIDE = (80, 24), (120, 40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An app with a view shown."""

    app: CheckoutSimApp
    pilot: Pilot[int]
    canned: Canned

    @property
    def sent(self) -> list[Command]:
        """What was asked of the engine."""
        return self.canned.sent

    @property
    def view(self) -> View:
        """The view that is shown."""
        view = self.app.screen
        assert isinstance(view, View), view
        return view

    @property
    def told(self) -> str:
        """What stands in the status row."""
        return self.app.told.text

    async def press(self, *keys: str) -> None:
        """Press keys, one after another, each one drawn."""
        for key in keys:
            await self.pilot.press(key)
            await self.draw()

    async def tell(self, *items: Streamed) -> None:
        """The engine says more, and it is drawn."""
        self.canned.tell(*items)
        await drawn(self.app, self.pilot, self.canned)

    async def draw(self) -> None:
        """Draw whatever has changed."""
        await self.pilot.pause()
        self.app.draw_now()
        await self.pilot.pause()

    def text(self, selector: str) -> str:
        """What a block shows now."""
        return self.view.query_one(selector, Block).text


@asynccontextmanager
async def standing(
    key: str,
    *items: Streamed,
    size: tuple[int, int] = SMALL,
    options: Options | None = None,
) -> AsyncIterator[Standing]:
    """Show the view behind a key, everything told so far drawn."""
    canned = Canned(*items)
    app = CheckoutSimApp(canned, options or Options())
    async with app.run_test(size=size) as pilot:
        await drawn(app, pilot, canned)
        await pilot.press(key)
        at = Standing(app=app, pilot=pilot, canned=canned)
        await at.draw()
        yield at
