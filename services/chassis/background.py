"""Endless work beside an app, and its end.

Takes coroutines that run until they are cancelled; whoever starts one also ends it here, since a
cancellation can be lost on its way: aiormq turns that of whoever waits for a connection which just
broke into the connection's error (aiormq/abc.py, `TaskWrapper`), and the worker tries again.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

_CANCELLATIONS_MAX = 5
_AGAIN_AFTER_S = 1.0  # only a broken connection takes longer to close, and need not be closed


@asynccontextmanager
async def background(*workers: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run endless workers beside the block, for an app's lifespan, and end them with it.

    A worker that dies is a bug and is written to stderr at once; workers catch what they expect.
    """
    tasks = [asyncio.create_task(worker) for worker in workers]
    for task in tasks:
        task.add_done_callback(_tell_if_dead)
    try:
        yield
    finally:
        await ended(*tasks)


async def ended(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks again and again until each has ended; one that never does is told on stderr."""
    left = {task for task in tasks if not task.done()}
    for _ in range(_CANCELLATIONS_MAX):
        for task in left:
            task.cancel()
        if left:
            _, left = await asyncio.wait(left, timeout=_AGAIN_AFTER_S)
    for task in left:
        sys.stderr.write(f"a background worker does not end: {task!r}\n")
    await asyncio.gather(*(set(tasks) - left), return_exceptions=True)  # each was heard


def _tell_if_dead(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        sys.stderr.write(f"a background worker died: {error!r}\n")
