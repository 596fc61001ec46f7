"""Draws runs out of a simulation until they end, fail, or somebody presses Ctrl-C.

Takes an asynchronous source of runs, gives an Outcome: what finished is never lost to what did
not. The source is closed before this returns, so that its stack is down by then.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from checkout_sim.cli.exits import Exit, of_error, of_run, worst
from checkout_sim.model.run import Run


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of all runs asked for; `seconds` is how long they took together."""

    runs: list[Run] = field(default_factory=list)
    error: Exception | None = None
    interrupted: bool = False
    seconds: float = 0.0

    @property
    def complete(self) -> bool:
        """Return whether nothing cut it short."""
        return self.error is None and not self.interrupted

    def exit_code(self, *, strict: bool) -> Exit:
        """Return the one code that speaks for everything that happened."""
        codes = [of_run(run, strict=strict) for run in self.runs]
        codes += [of_error(self.error)] if self.error else []
        codes += [Exit.INTERRUPTED] if self.interrupted else []
        if not codes:
            return Exit.USAGE  # green with nothing run would be a lie
        return worst(codes)


def conduct(source: Callable[[], AsyncIterator[Run]], *, on_run: Callable[[Run], None]) -> Outcome:
    """Run the source to its end; errors and interruptions are kept, not raised.

    SIGTERM and SIGHUP are treated as SIGINT is: the source is cancelled and cleans up. A second
    SIGINT does not wait for that.
    """
    outcome = Outcome()
    began = time.monotonic()
    try:
        asyncio.run(_draw(source, outcome, on_run))
    except (KeyboardInterrupt, asyncio.CancelledError):
        outcome.interrupted = True
    except Exception as error:  # noqa: BLE001 - kept for the boundary, which reports every kind
        outcome.error = error
    outcome.seconds = time.monotonic() - began
    return outcome


async def _draw(
    source: Callable[[], AsyncIterator[Run]], outcome: Outcome, on_run: Callable[[Run], None]
) -> None:
    task = asyncio.current_task()
    assert task is not None, "asyncio.run made one"
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    runs = source()
    try:
        async for run in runs:
            outcome.runs.append(run)
            on_run(run)
    finally:
        # Cleaning up may fail as well, and hide that it was Ctrl-C that asked for it.
        outcome.interrupted = task.cancelling() > 0
        # Only a generator has something to close; a plain iterator holds no stack open.
        close = getattr(runs, "aclose", None)
        if close is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await close()
