"""What is to be known of aiormq where the tool itself speaks AMQP: it loses cancellations.

Takes one deed on a connection, gives its result or a failure by name, in time. aiormq turns the
cancellation of whoever waits for a connection that is opening or has just broken into that
connection's error (aiormq/abc.py, `TaskWrapper`). With it a deadline is lost: one in twenty-six of
`asyncio.timeout` around a question to a broker was (23 of 600, measured), and whoever then asks
again asks for ever. The services' chassis has the same cure (`services/chassis/background.py`).
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_END_LIMIT_S = 1.0  # only a broken connection takes longer to close, and need not be closed


async def within(limit_s: float, deed: Coroutine[Any, Any, T]) -> T:
    """Return what a deed returns, and raise what it raises; it runs in a task of its own.

    Raises TimeoutError when it takes longer, and ConnectionError where aiormq raises a bare
    `Exception`, as it does of a connection that has just broken (aiormq/base.py, FutureStore).
    """
    task = asyncio.ensure_future(deed)
    task.add_done_callback(_heard)
    try:
        done, _ = await asyncio.wait({task}, timeout=limit_s)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_END_LIMIT_S)
    if not done:
        raise TimeoutError(f"no answer within {limit_s:g} s")
    try:
        return task.result()
    except Exception as error:
        if type(error) is Exception:
            raise ConnectionError("the connection has just broken") from error
        raise


def _heard(task: asyncio.Task[Any]) -> None:
    """Take what a deed raised: who waited for it may have been cancelled in the same moment."""
    if not task.cancelled():
        task.exception()
