"""Moments: who waits for what, and waking them the instant it is seen.

A strike must land within milliseconds of its event, so waiters are futures resolved from the very
call that records the observation; nothing polls.
"""

import asyncio
from collections import Counter, defaultdict
from typing import assert_never

from checkout_sim.model.history import Observation
from checkout_sim.model.scenario import (
    AfterCheckouts,
    AfterInjected,
    AtCalm,
    AtTime,
    BeforeCheckout,
    Moment,
    OnEvent,
)
from checkout_sim.runner.ports import Clock

_Key = tuple[str, int | None]


class Moments:
    """Counts observations since the storm began and wakes those who wait for the n-th.

    Steps of one fault window meet through `injected`, checkouts and their faults through
    `about_to_start`.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: Counter[_Key] = Counter()
        self._waiting: defaultdict[_Key, list[tuple[int, asyncio.Future[None]]]] = defaultdict(list)
        self._storm_began_ms = 0.0

    def begin(self) -> None:
        """Start counting time and events: the storm begins now."""
        self._storm_began_ms = self._clock.now_ms()
        self._seen.clear()

    def observe(self, seen: Observation) -> None:
        """Count one observation, waking whoever waited for it."""
        self._count((seen.kind, None))
        if seen.checkout is not None:
            self._count((seen.kind, seen.checkout))

    def about_to_start(self, checkout: int) -> None:
        """Say that this checkout's turn has come; its faults go first."""
        self._count(("runner.about_to_start", checkout))

    def checkout_ended(self) -> None:
        """Say that one more checkout has ended, all attempts included."""
        self._count(("runner.checkout_ended", None))

    def injected(self, fault: str, window: int) -> None:
        """Say that a window of a fault is in force."""
        self._count((f"runner.injected {fault}#{window}", None))

    def calm(self) -> None:
        """Say that the storm is over."""
        self._count(("runner.calm", None))

    async def wait(self, moment: Moment, *, fault: str, window: int) -> None:
        """Return when the moment has come; `fault` and `window` say whose moment it is."""
        match moment:
            case AtTime(ms=ms):
                await self._clock.sleep_ms(self._storm_began_ms + ms - self._clock.now_ms())
            case BeforeCheckout(checkout=checkout):
                await self._nth(("runner.about_to_start", checkout), 1)
            case AfterCheckouts(count=count):
                await self._nth(("runner.checkout_ended", None), count)
            case OnEvent(event=event, checkout=checkout, nth=nth, then_ms=then_ms):
                await self._nth((event, checkout), nth)
                if then_ms:
                    await self._clock.sleep_ms(then_ms)
            case AtCalm():
                await self._nth(("runner.calm", None), 1)
            case AfterInjected(ms=ms):
                await self._nth((f"runner.injected {fault}#{window}", None), 1)
                await self._clock.sleep_ms(ms)
            case _ as unreachable:
                assert_never(unreachable)

    def _count(self, key: _Key) -> None:
        self._seen[key] += 1
        waiting = self._waiting.get(key)
        if not waiting:
            return
        count = self._seen[key]
        for nth, future in waiting:
            if nth <= count and not future.done():
                future.set_result(None)
        self._waiting[key] = [pair for pair in waiting if not pair[1].done()]

    async def _nth(self, key: _Key, nth: int) -> None:
        if self._seen[key] >= nth:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[key].append((nth, future))
        await future
