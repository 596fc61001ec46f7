"""What the kernel says of a process: the read-back of every signal sent.

Linux is read from /proc (proc_pid_stat(5)), other systems through psutil.
"""

import asyncio
import sys
from pathlib import Path

from checkout_sim.model.errors import FaultNotApplied

CONFIRM_LIMIT_S = 5.0
_POLL_S = 0.001


def is_stopped(pid: int) -> bool:
    """Return whether every thread of the process is stopped by a signal; False once it is gone."""
    if sys.platform != "linux":
        return _psutil_says_stopped(pid)
    try:
        threads = [thread.joinpath("stat").read_text() for thread in _threads(pid)]
    except OSError:
        return False
    # The state follows the command in parentheses, which may hold anything, also parentheses.
    return bool(threads) and all(stat.rpartition(")")[2].split()[0] == "T" for stat in threads)


def _threads(pid: int) -> list[Path]:
    return list(Path(f"/proc/{pid}/task").iterdir())


def _psutil_says_stopped(pid: int) -> bool:
    import psutil  # noqa: PLC0415  # not needed on Linux: 20 ms of every start

    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return False


async def await_stopped(pid: int, *, stopped: bool, who: str) -> None:
    """Wait until the process is stopped, or no longer is; FaultNotApplied after 5 s.

    The kernel tells only a parent, so this asks every millisecond.
    """
    try:
        async with asyncio.timeout(CONFIRM_LIMIT_S):
            while is_stopped(pid) is not stopped:  # noqa: ASYNC110  # /proc wakes nobody
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        wanted = "stopped" if stopped else "running"
        raise FaultNotApplied(
            f"{who} (pid {pid}): sent the signal, but within {CONFIRM_LIMIT_S:.0f} s the kernel "
            f"did not call it {wanted}; is something else signalling it?"
        ) from None
