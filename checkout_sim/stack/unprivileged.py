"""Starts a server that must not run as root: as another user then, and it dies with the tool.

Takes the users a server's own package usually makes; gives the user to become, and processes
that ask the kernel to be killed with their parent, even where that ends by SIGKILL.
"""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from checkout_sim.model.errors import StackDidNotStart

_ROOT = 0

# Becomes an unprivileged user first, then asks to die with its parent, since a change of
# credentials clears that request (prctl(2)), and then becomes the program: exec keeps both. The
# user may not be able to read this Python, so everything is imported before.
_SHIM = """
import os, signal, sys
parent, uid, gid = map(int, sys.argv[1:4])
if sys.platform == "linux":
    import ctypes
    libc = ctypes.CDLL(None)
if uid >= 0:
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
if sys.platform == "linux":
    libc.prctl(1, signal.SIGKILL)
if os.getppid() != parent:
    sys.exit(1)
os.execv(sys.argv[4], sys.argv[4:])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Whom a server started by root runs as."""

    uid: int
    gid: int


def user_for(server: str, *usual: str) -> User | None:
    """Return whom to become: the first of `usual` that exists, or nobody; None where not root.

    Raises StackDidNotStart, which names the server, where root has nobody to become.
    """
    if sys.platform == "win32" or os.geteuid() != _ROOT:
        return None
    import pwd  # noqa: PLC0415 - Unix alone, and only for root

    names = (*usual, "nobody")
    for name in names:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return User(uid=entry.pw_uid, gid=entry.pw_gid)
    raise StackDidNotStart(
        f"{server}: started by root, and there is no user {' or '.join(names)} to run it as; "
        "run checkout-sim as an ordinary user"
    )


async def spawn(
    command: Sequence[str],
    *,
    user: User | None,
    environment: Mapping[str, str],
    folder: Path,
    log: str,
) -> asyncio.subprocess.Process:
    """Start a program in `folder`, its output appended to the file `log` there.

    Call it on the main thread: a child asked to die with its parent dies with the thread that
    started it.
    """
    uid, gid = (-1, -1) if user is None else (user.uid, user.gid)
    with (folder / log).open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", "-c", _SHIM),
            *map(str, (os.getpid(), uid, gid)),
            *command,
            env=environment,
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the tool, which still has faults to lift
        )
