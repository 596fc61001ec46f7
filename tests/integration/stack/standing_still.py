"""A standstill made on purpose: the kernel stops the meter, as a host stops a processor."""

import asyncio
import time
from collections.abc import Callable, Collection

import psutil

from checkout_sim.stack.hiccup_meter import processors

_LIMIT_S = 20.0


def meters() -> list[psutil.Process]:
    """Return the meters this process has started; other tests' may be among them."""
    return [
        one
        for one in psutil.Process().children()
        if any("hiccup_meter" in word for word in one.cmdline())
    ]


async def a_meter(*, but: Collection[psutil.Process] = ()) -> psutil.Process:
    """Return the meter this process has started, once it watches every processor."""
    found: list[psutil.Process] = []

    def look() -> bool:
        found[:] = [one for one in meters() if one not in but]
        return bool(found) and found[0].num_threads() > len(processors())

    await until(look)
    return found[0]


async def stand_still(process: psutil.Process, ms: float) -> None:
    """Stop a process for so long, counted from when the kernel says that it is stopped."""
    process.suspend()
    await until(lambda: process.status() == psutil.STATUS_STOPPED)
    began = time.monotonic()
    await until(lambda: (time.monotonic() - began) * 1000 >= ms)
    process.resume()


async def until(seen: Callable[[], bool]) -> None:
    """Wait for an observation, with a limit."""
    async with asyncio.timeout(_LIMIT_S):
        while not seen():  # noqa: ASYNC110 - the kernel tells nobody
            await asyncio.sleep(0.01)
