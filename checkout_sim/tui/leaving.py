"""Leaving: judge and quit, or quit; both heal first, because the engine does when it closes.

Takes what the operator chose; sends `Close` and waits for the engine to end its stream, the screen
alive all the while, so that "judging" can be watched. An engine that somebody else started is left
running. Asked for a second time while it waits, it leaves at once: the engine notices that its
terminal is gone, heals and stops by itself.

An engine that ends by itself is told in place, with how it ended and what it said last; whoever
leaves then leaves with an error, and so does who leaves an engine whose stack never came up.
"""

import asyncio
from typing import TYPE_CHECKING

from checkout_sim.model.command import Close
from checkout_sim.model.errors import (
    CheckoutSimError,
    EngineGone,
    HistoryUnreadable,
    StackDidNotStart,
)
from checkout_sim.tui.dialogs.menu import Choice, Menu
from checkout_sim.tui.link import CLOSED

if TYPE_CHECKING:
    from checkout_sim.tui.app import CheckoutSimApp

_OWN = (
    Choice("j", "judge and quit", "judge"),
    Choice("q", "quit without a verdict", "quit"),
)
_ATTACHED = (
    Choice("q", "leave, the engine goes on", "detach"),
    Choice("j", "judge and end the engine", "judge"),
    Choice("x", "end the engine without a verdict", "quit"),
)
_WATCHING = (Choice("q", "leave", "detach"),)
_CLOSED = "it was closed by who started it, or from another screen"
_NO_WORD = "it closed its stream without a word; who started it has been told why"
_LAST_WORDS = 3  # lines of them in place; all are told on leaving


class Leaving:
    """The way out."""

    def __init__(self, app: "CheckoutSimApp") -> None:
        self._app = app
        self.asked_to_close = False
        self._lost = ""  # why the engine is gone, where nobody closed it

    @property
    def wrong(self) -> CheckoutSimError | None:
        """Return what this screen is left with an error for; None where all is well."""
        if self._lost:
            return EngineGone(f"the engine has ended: {self._lost}")
        session = self._app.live.session
        trouble = session.state.message
        if not trouble or not self._app.options.owns_engine:
            return None
        recorded = session.stretch is not None and not session.stretch.live
        return HistoryUnreadable(trouble) if recorded else StackDidNotStart(trouble)

    def ask(self) -> None:
        """Ask how to leave; leave at once where there is nothing to ask."""
        if self._app.link.ended or self.asked_to_close:
            self._app.exit(0)
            return
        if isinstance(self._app.screen, Menu):
            return  # it is being asked
        self._app.push_screen(Menu("quit, both ways heal", self._choices()), self._leave)

    async def engine_ended(self, why: str) -> None:
        """Leave if that is what was waited for; else say why it ended and what can be done."""
        if self.asked_to_close:
            self._app.exit(0)
            return
        if self._app.live.session.state.phase == "closing":
            self._app.tell(f"the engine has ended: {_CLOSED}; ctrl+q leaves", wrong=True)
            return
        if why == CLOSED:
            why = await asyncio.to_thread(self._app.options.why_ended) or _NO_WORD
        how, *words = why.splitlines()
        self._lost = how.removesuffix("; it said last:")
        said = [
            f"the engine has ended: {how}",
            *words[-_LAST_WORDS:],
            "what it had started ended with it; ctrl+q leaves, `checkout-sim tui` starts another",
        ]
        self._app.tell("\n".join(said), wrong=True)

    def _choices(self) -> tuple[Choice, ...]:
        if self._app.standpoint.read_only:
            return _WATCHING
        return _OWN if self._app.options.owns_engine else _ATTACHED

    async def _leave(self, choice: Choice | None) -> None:
        if choice is None:
            return
        if choice.value == "detach":
            self._app.exit(0)
            return
        self.asked_to_close = True
        sent = await self._app.send(Close(judge=choice.value == "judge"))
        if sent is None:
            self._app.exit(0)
            return
        self._app.tell("healing and stopping; ctrl+q again leaves at once")
