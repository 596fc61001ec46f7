"""The very first thing a cold command does: start the fork server, while the tool still imports.

Imports next to nothing, asyncio least of all, so that a command may call `launch` before its own
imports: the fork server then loads the services' modules on the second core meanwhile.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# What every strategy runs, spelled out: the model's own import would delay the launch. What only
# some run is preloaded with the first of them (`Service.late`).
MODULES: tuple[str, ...] = (
    "services.order",
    "services.payment",
    "services.gateway",
)
_ROOT = Path(__file__).parents[2]  # where checkout_sim and services are found


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """A fork server on its way: its process, the tool's end of its socket, its standard error.

    `complaints` is a memory file, to be read when it ends before its time.
    """

    process: subprocess.Popen[bytes]
    control: socket.socket
    complaints: int


def launch(modules: Sequence[str]) -> Launched:
    """Start the fork server, which preloads `modules` and their `__main__`; returns at once.

    Call it from the main thread: Linux sends PR_SET_PDEATHSIG when the creating *thread* ends
    (prctl(2)), and with that thread would end every stack.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    complaints = os.memfd_create("fork-server-stderr")
    # -P: a folder named `services` where the command was typed must not become the stack.
    command = [sys.executable, "-P", "-m", "checkout_sim.stack.forkserver"]
    command += ["--socket", str(theirs.fileno()), "--parent", str(os.getpid()), *modules]
    with theirs:
        process = subprocess.Popen(  # noqa: S603  # our own program
            command,
            env={**os.environ, "PYTHONPATH": search_path()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            pass_fds=(theirs.fileno(),),
            process_group=0,  # the terminal's ctrl-C is the tool's to answer
        )
    return Launched(process=process, control=ours, complaints=complaints)


def search_path() -> str:
    """Return PYTHONPATH as it is, followed by where this package was found."""
    return os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(_ROOT))))
