"""Which runs are in use: a lock on the run's own folder, held by whoever writes or reads it.

Takes folders, gives context managers. The locks are flock(2) on the folder itself: the kernel
lets them go when their holder dies, even by SIGKILL, so none is ever stale. `<root>/.lock` closes
the gap between making a folder and locking it.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_LOCK_NAME = ".lock"


@contextmanager
def using(folder: Path) -> Iterator[None]:
    """Keep a run from being pruned while the block goes on; any number may use it at once.

    A file system without locks goes without: there `prune` takes no run away at all.
    """
    with ExitStack() as held:
        _hold(held, folder, fcntl.LOCK_SH)
        yield


@contextmanager
def beginning(root: Path, make: Callable[[], Path]) -> Iterator[Path]:
    """Make a run's folder and use it from its very first moment."""
    with ExitStack() as held:
        folder: Path
        with ExitStack() as gate:
            _hold(gate, root / _LOCK_NAME, fcntl.LOCK_SH)
            folder = make()
            _hold(held, folder, fcntl.LOCK_SH)
        yield folder


@contextmanager
def nothing_begins(root: Path) -> Iterator[None]:
    """Let no run begin while the block goes on; a second pruner waits here too."""
    with ExitStack() as gate:
        _hold(gate, root / _LOCK_NAME, fcntl.LOCK_EX)
        yield


def in_use(folder: Path) -> bool:
    """Return whether somebody writes or reads this run now; also True where nobody can tell."""
    try:
        held = os.open(folder, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(held)
    return False


def _hold(held: ExitStack, path: Path, how: int) -> None:
    """Lock as well as the file system can; whoever needs to write here says what is wrong."""
    try:
        # A lock file is made where there is none; a folder is there already.
        how_to_open = os.O_RDONLY if path.is_dir() else os.O_RDONLY | os.O_CREAT
        descriptor = os.open(path, how_to_open, 0o644)
    except OSError:
        return
    held.callback(os.close, descriptor)
    with suppress(OSError):  # no locks on some network file systems; `in_use` then says True
        fcntl.flock(descriptor, how)
