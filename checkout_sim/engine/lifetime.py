"""How long an engine lives: as long as the terminal that started it.

Whoever owns an engine holds the other end of its standard input. When that end is gone, by a quit,
a crash or a SIGKILL, the engine lifts every fault and stops its stack within five seconds; a
watchdog sees to the five seconds. Its children die with it in any case (prctl(2),
PR_SET_PDEATHSIG), so the hard way leaves no process either.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

STOP_WITHIN_S = 4.5
_OUT_OF_TIME = 70  # EX_SOFTWARE


def watch_owner(gone: Callable[[], None]) -> None:
    """Call `gone` when standard input ends; what is written to it says nothing."""
    loop = asyncio.get_running_loop()
    descriptor = sys.stdin.fileno()

    def readable() -> None:
        if not os.read(descriptor, 4096):
            loop.remove_reader(descriptor)
            gone()

    os.set_blocking(descriptor, False)
    loop.add_reader(descriptor, readable)


def watch_signals(gone: Callable[[], None]) -> None:
    """Call `gone` on SIGINT, SIGTERM and SIGHUP."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, gone)


@contextmanager
def watchdog(*left_behind: Path) -> Iterator[None]:
    """End the process if the block takes too long; these files would be left behind."""

    def bark() -> None:
        for path in left_behind:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        os._exit(_OUT_OF_TIME)

    dog = threading.Timer(STOP_WITHIN_S, bark)
    dog.daemon = True
    dog.start()
    try:
        yield
    finally:
        dog.cancel()
