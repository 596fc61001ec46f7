"""A canned engine: a stream told by hand, and a sender that remembers what it was asked.

canned = Canned(*stretch_of("naive"), *tale.seen)
app = CheckoutSimApp(canned, Options())
async with app.run_test(size=(80, 24)) as pilot:
    await drawn(app, pilot)                  # everything told so far is on the screen
    await pilot.press("H")
    assert canned.sent == [LiftAll()]
    canned.tell(Ack(command_id="c1"))        # the engine says more
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from textual.pilot import Pilot

from checkout_sim.model.answer import EngineState, Streamed, Stretch
from checkout_sim.model.command import Command, Subscribe
from checkout_sim.model.errors import EngineGone
from checkout_sim.model.history import Observation
from checkout_sim.tui.screen_text import screen_text

if TYPE_CHECKING:
    from checkout_sim.tui.app import CheckoutSimApp
    from checkout_sim.tui.options import Options


class Canned:
    """What `stream.connect` gives, without an engine behind it."""

    def __init__(self, *items: Streamed) -> None:
        self._queue: asyncio.Queue[Streamed | None] = asyncio.Queue()
        self.asked: list[Command] = []
        self.told = 0
        self.gone = False
        for item in items:
            self.tell(item)

    @property
    def sent(self) -> list[Command]:
        """What was asked for, apart from the stream itself."""
        return [command for command in self.asked if not isinstance(command, Subscribe)]

    @property
    def last_id(self) -> str:
        """The id of the command that was sent last."""
        return f"c{len(self.asked)}"

    def tell(self, *items: Streamed) -> None:
        """The engine says this."""
        for item in items:
            self.told += 1
            self._queue.put_nowait(item)

    def end(self) -> None:
        """The engine closes its stream and takes no more commands."""
        self.gone = True
        self._queue.put_nowait(None)

    async def send(self, command: Command) -> str:
        if self.gone:
            raise EngineGone("the engine does not listen any more")
        self.asked.append(command)
        return self.last_id

    async def __aiter__(self) -> AsyncIterator[Streamed]:
        while (item := await self._queue.get()) is not None:
            yield item


def opening(strategy: str = "naive", *, phase: str = "storm") -> tuple[Streamed, ...]:
    """What an engine says when a live session of a strategy begins."""
    return (
        Stretch(run_id="7c1e", folder="/runs/7c1e", scenario="", strategy=strategy, live=True),
        EngineState(phase=phase, strategy=strategy),
    )


def told_by(seen: Iterable[Observation], strategy: str = "naive") -> tuple[Streamed, ...]:
    """A session and what was observed in it."""
    return (*opening(strategy), *seen)


@asynccontextmanager
async def running(
    canned: Canned, options: "Options | None" = None, *, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple["CheckoutSimApp", Pilot[int]]]:
    """An app over a canned engine, drawn for the first time."""
    from checkout_sim.tui.app import CheckoutSimApp  # noqa: PLC0415 - takes Textual with it

    app = CheckoutSimApp(canned, options)
    async with app.run_test(size=size) as pilot:
        await drawn(app, pilot, canned)
        yield app, pilot


def shown(app: "CheckoutSimApp") -> str:
    """The topmost screen as text."""
    app.draw_now()
    return screen_text(app.screen)


async def drawn(app: "CheckoutSimApp", pilot: Pilot[int], canned: Canned) -> None:
    """Wait until everything that was told so far has been read, and draw it."""
    async with asyncio.timeout(20):
        while app.link.received < canned.told:
            await pilot.pause()
    app.draw_now()
    await pilot.pause()
