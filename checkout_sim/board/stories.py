"""The stories: observations kept by checkout, for ladders, and what concerns every checkout.

Bounded: the newest 2,000 checkouts and whatever was suspect when they were about to leave. An order
that has left is told from its run's folder: `checkout-sim explain ORDER`.
"""

from collections.abc import Container
from typing import Self

from checkout_sim.model.history import Observation

MOST_STORIES = 2_000
MOST_RUN_WIDE = 4_000
_RUN_WIDE = ("run.opened", "phase.entered", "fault.", "process.", "operator.", "machine.")


class Stories:
    """What was seen of each checkout, and of the run as a whole."""

    def __init__(self) -> None:
        self._of: dict[int, list[Observation]] = {}
        self._kept: dict[int, list[Observation]] = {}
        self._run_wide: list[Observation] = []

    def snapshot(self) -> Self:
        """Return a copy; its lists are shared and only ever grow, so it may tell a little more."""
        copy = type(self)()
        copy._of = dict(self._of)  # noqa: SLF001 - its own kind
        copy._kept = dict(self._kept)  # noqa: SLF001 - its own kind
        copy._run_wide = self._run_wide  # noqa: SLF001 - its own kind
        return copy

    def add(self, one: Observation, worth_keeping: Container[int]) -> None:
        """Keep an observation; of the oldest checkouts only those worth keeping stay."""
        if one.checkout is not None:
            story = self._of.get(one.checkout) or self._kept.get(one.checkout)
            if story is None:
                story = self._of[one.checkout] = []
                if len(self._of) > MOST_STORIES:
                    self._leave(worth_keeping)
            story.append(one)
        elif one.kind.startswith(_RUN_WIDE):
            self._run_wide.append(one)
            if len(self._run_wide) > 2 * MOST_RUN_WIDE:
                self._run_wide = [self._run_wide[0], *self._run_wide[-MOST_RUN_WIDE:]]

    def of(self, checkout: int) -> list[Observation]:
        """Return what was seen of a checkout, in the order of seeing; empty once it has left."""
        return list(self._of.get(checkout) or self._kept.get(checkout) or ())

    def about(self, checkout: int) -> list[Observation]:
        """Return its story and what concerns every checkout, in order, as a ladder wants it."""
        return sorted((*self._run_wide, *self.of(checkout)), key=lambda one: one.id)

    def _leave(self, worth_keeping: Container[int]) -> None:
        oldest = next(iter(self._of))
        story = self._of.pop(oldest)
        if oldest in worth_keeping and len(self._kept) < MOST_STORIES:
            self._kept[oldest] = story
