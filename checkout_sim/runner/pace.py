"""A plan's own time: it stands still while it is held, and lets single actions through.

Takes the world's clock; gives a clock for the plan's moments, and a turn that every action waits
for before it begins. What has begun goes on, and so do the services: only the plan is held.
"""

import asyncio
from collections.abc import Callable

from checkout_sim.runner.ports import Clock


class Pace:
    """Running, held, or running until one more action has begun; milliseconds are the plan's.

    `stepped` hears that a step was taken and the plan is held again.
    """

    def __init__(self, clock: Clock, *, stepped: Callable[[], None] = lambda: None) -> None:
        self._clock = clock
        self._stepped = stepped
        self._behind_ms = 0.0  # for how long it has been held in all
        self._held_at_ms: float | None = None
        self._one_only = False
        self._running = asyncio.Event()
        self._running.set()

    @property
    def held(self) -> bool:
        """Return whether it stands still."""
        return self._held_at_ms is not None

    def now_ms(self) -> float:
        """Return the plan's time."""
        now_ms = self._clock.now_ms() if self._held_at_ms is None else self._held_at_ms
        return now_ms - self._behind_ms

    async def sleep_ms(self, duration_ms: float) -> None:
        """Return when so much of the plan's time has passed, which while it is held never does."""
        due_ms = self.now_ms() + duration_ms
        while (left_ms := due_ms - self.now_ms()) > 0:
            await self._clock.sleep_ms(left_ms)
            await self._running.wait()

    async def turn(self) -> None:
        """Return when an action may begin; after the one a step lets through, it is held again."""
        while self.held:
            await self._running.wait()
        if self._one_only:
            self.hold()
            self._stepped()

    def hold(self) -> None:
        """Begin nothing more, and let no time pass."""
        self._one_only = False
        if self._held_at_ms is None:
            self._held_at_ms = self._clock.now_ms()
            self._running.clear()

    def step(self) -> None:
        """Go on until the next action has begun; it may already be waiting."""
        self.release()
        self._one_only = True

    def release(self) -> None:
        """Go on from where it was held."""
        self._one_only = False
        if self._held_at_ms is not None:
            self._behind_ms += self._clock.now_ms() - self._held_at_ms
            self._held_at_ms = None
            self._running.set()
