"""Undo and redo of what an operator did to the world, by name.

Pure: takes what was done together with what would revert it; gives what to do now. One list per
engine: where two operators share one, they share their mistakes.
"""

from collections.abc import Callable
from dataclasses import dataclass

from checkout_sim.model.command import Adjust, Inject, Kill, LiftFault, Pause, Resume, Start

Deed = Inject | Adjust | LiftFault | Kill | Pause | Resume | Start
MOST_REMEMBERED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One thing an operator did: what people call it, how it is reverted, how it is done again.

    A kill is reverted by a start: what died with the process stays lost.
    """

    title: str
    undo: tuple[Deed, ...]
    redo: tuple[Deed, ...]


class UndoList:
    """What was done, the newest last, and what was undone since."""

    def __init__(self) -> None:
        self._done: list[Done] = []
        self._undone: list[Done] = []

    def did(self, done: Done) -> None:
        """Remember one thing; what was undone before cannot be done again after it."""
        self._done = [*self._done, done][-MOST_REMEMBERED:]
        self._undone.clear()

    def undo(self, possible: Callable[[Deed], bool]) -> Done | None:
        """Return the newest thing that still can be reverted, or None.

        What ended by itself meanwhile is passed over: a fault whose window closed is not lifted.
        """
        while self._done:
            done = self._done.pop()
            if any(possible(deed) for deed in done.undo):
                self._undone.append(done)
                return done
        return None

    def redo(self, possible: Callable[[Deed], bool]) -> Done | None:
        """Return the thing undone last, if it can be done again, or None."""
        while self._undone:
            done = self._undone.pop()
            if any(possible(deed) for deed in done.redo):
                self._done.append(done)
                return done
        return None

    def next_undo(self, possible: Callable[[Deed], bool]) -> str:
        """Return the title of what `undo` would revert, or nothing."""
        return _first(self._done, lambda done: any(possible(deed) for deed in done.undo))

    def next_redo(self, possible: Callable[[Deed], bool]) -> str:
        """Return the title of what `redo` would do, or nothing."""
        return _first(self._undone, lambda done: any(possible(deed) for deed in done.redo))


def _first(done: list[Done], fits: Callable[[Done], bool]) -> str:
    return next((one.title for one in reversed(done) if fits(one)), "")
