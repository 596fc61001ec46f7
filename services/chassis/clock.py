"""The door for time: the only module of the services that reads a clock.

`now_ms` is wall time for what is stored; `monotonic_ms` measures; both in milliseconds.
"""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What a service may ask about time."""

    def now_ms(self) -> int:
        """Return the wall clock in milliseconds since the epoch."""
        ...

    def monotonic_ms(self) -> float:
        """Return a clock that never goes back, in milliseconds from an arbitrary start."""
        ...

    async def sleep_ms(self, ms: float) -> None:
        """Let `ms` milliseconds pass."""
        ...


class SystemClock:
    """The real clocks of this host."""

    def now_ms(self) -> int:
        """Return the wall clock in milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> float:
        """Return CLOCK_MONOTONIC in milliseconds; comparable between processes of one host."""
        return time.monotonic_ns() / 1_000_000

    async def sleep_ms(self, ms: float) -> None:
        """Let `ms` milliseconds pass on the running loop."""
        await asyncio.sleep(ms / 1000)


async def sleep_or_wake(clock: Clock, ms: float, wake: asyncio.Event) -> None:
    """Wait for `ms` of the clock, or until `wake` is set if that comes first; it stays set."""
    asleep = asyncio.ensure_future(clock.sleep_ms(ms))
    woken = asyncio.ensure_future(wake.wait())
    try:
        await asyncio.wait({asleep, woken}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        asleep.cancel()
        woken.cancel()
