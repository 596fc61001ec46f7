"""Leaving: judge and quit, or quit; both heal first, because the engine does when it closes.

Takes what the operator chose; sends `Close` and waits for the engine to end its stream, the screen
alive all the while, so that "judging" can be watched. An engine that somebody else started is left
running. Asked for a second time while it waits, it leaves at once: the engine notices that its
terminal is gone, heals and stops by itself.
"""

from typing import TYPE_CHECKING

from checkout_sim.model.command import Close
from checkout_sim.tui.dialogs.menu import Choice, Menu

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


class Leaving:
    """The way out."""

    def __init__(self, app: "CheckoutSimApp") -> None:
        self._app = app
        self.asked_to_close = False

    def ask(self) -> None:
        """Ask how to leave; leave at once where there is nothing to ask."""
        if self._app.link.ended or self.asked_to_close:
            self._app.exit(0)
            return
        if isinstance(self._app.screen, Menu):
            return  # it is being asked
        self._app.push_screen(Menu("quit, both ways heal", self._choices()), self._leave)

    def engine_ended(self) -> bool:
        """Leave if that is what was waited for; return whether it was."""
        if self.asked_to_close:
            self._app.exit(0)
        return self.asked_to_close

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
