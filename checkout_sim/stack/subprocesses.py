"""Starts each service as an interpreter of its own, where the fork server cannot run.

The same `start`, `spawn` and `close` as `fork_client.ForkServer`; slower by the services' import
time. A child dies with the tool because it is told the tool's pid (`<PREFIX>PARENT_PID`).
"""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Sequence
from pathlib import Path

from checkout_sim.stack.forkserver import environment
from checkout_sim.stack.launch import search_path
from checkout_sim.stack.topology import Service


class InterpreterChild:
    """A child of the tool itself, reaped by asyncio's child watcher."""

    def __init__(self, process: Process) -> None:
        self.pid = process.pid
        self._process = process
        self.exited: asyncio.Future[int] = asyncio.ensure_future(process.wait())

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal; to a process that has ended it does nothing."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)


class Subprocesses:
    """Spawns `python -m <module>`; there is nothing to keep warm."""

    def __init__(self) -> None:
        self._children: list[InterpreterChild] = []

    async def start(self, modules: Sequence[str]) -> None:
        """Do nothing: each interpreter imports for itself."""

    async def spawn(self, service: Service, stdout_fd: int, stderr_path: Path) -> InterpreterChild:
        """Start the service; the caller may close `stdout_fd` afterwards."""
        told = {**service.environment, f"{service.prefix}PARENT_PID": str(os.getpid())}
        environ = environment(os.environ, prefix=service.prefix, told=told)
        with stderr_path.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # as the fork server: never the folder where the command was typed
                "-m",
                service.module,
                env=environ | {"PYTHONPATH": search_path()},
                stdin=DEVNULL,
                stdout=stdout_fd,
                stderr=log,
                process_group=0,  # the terminal's ctrl-C is the tool's to answer
            )
        child = InterpreterChild(process)
        self._children.append(child)
        return child

    async def close(self) -> None:
        """Kill every child that is left; a second call does nothing."""
        for child in self._children:
            child.send_signal(signal.SIGKILL)
        await asyncio.gather(*(child.exited for child in self._children))
        self._children.clear()
