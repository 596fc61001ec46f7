"""The tool's end of the fork server: asks for warm processes, holds each by its pidfd.

Takes the modules to preload and Services to start; gives Children. One fork server serves every
stack of a command, one after another or side by side. Where there is no fork server (macOS, the
BSDs) `stack/subprocesses.py` starts whole interpreters behind the same two methods.
"""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from checkout_sim.model.errors import StackDidNotStart
from checkout_sim.stack.launch import Launched, launch
from checkout_sim.stack.topology import Service

PRELOAD_LIMIT_S = 30.0
SPAWN_LIMIT_S = 10.0
CLOSE_LIMIT_S = 2.0
_MESSAGE_BYTES = 4096
_LOST = -signal.SIGKILL  # what the kernel does to the children of a fork server that ended


class Child(Protocol):
    """A process of ours: `exited` resolves to its exit status once it is reaped."""

    @property
    def pid(self) -> int:
        """Return its process id."""

    @property
    def exited(self) -> asyncio.Future[int]:
        """Return what resolves to the exit status, negative for a signal."""

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal; to a process that has ended it does nothing."""


class Spawner(Protocol):
    """Whatever starts a service as a process."""

    async def spawn(self, service: Service, stdout_fd: int, stderr_path: Path) -> Child:
        """Start the service with this standard output, its standard error added to a file."""


class ForkedChild:
    """A child of the fork server. Signals go through a pidfd, so never to a stranger's pid."""

    def __init__(self, pid: int, pidfd: int) -> None:
        self.pid = pid
        self.exited: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._pidfd = pidfd

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal; to a process that has ended it does nothing."""
        if self._pidfd >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def ended(self, exit_status: int) -> None:
        """Record that the process is reaped; the first report counts."""
        if not self.exited.done():
            self.exited.set_result(exit_status)
            os.close(self._pidfd)
            self._pidfd = -1


class ForkServer:
    """One warm fork server. `start`, `spawn` as often as wanted, `close`."""

    def __init__(self, launched: Launched | None = None) -> None:
        self._launched = launched
        self._ids = itertools.count(1)
        self._asked: dict[int, asyncio.Future[ForkedChild]] = {}
        self._children: dict[int, ForkedChild] = {}
        self._ready: asyncio.Future[None] | None = None
        self._gone: asyncio.Future[None] | None = None

    async def start(self, modules: Sequence[str]) -> None:
        """Launch it, unless that was done before, and wait until it has imported everything.

        A module that cannot be imported raises StackDidNotStart with the fork server's own words;
        it is closed by then.
        """
        loop = asyncio.get_running_loop()
        if self._launched is None:
            self._launched = launch(modules)
        self._ready, self._gone = loop.create_future(), loop.create_future()
        self._launched.control.setblocking(False)  # noqa: FBT003  # the socket's own signature
        loop.add_reader(self._launched.control, self._receive)
        try:
            async with asyncio.timeout(PRELOAD_LIMIT_S):
                await self._ready
        except TimeoutError:
            failure = self._failure(f"did not preload within {PRELOAD_LIMIT_S:.0f} s")
            self._launched.process.kill()
            await self.close()
            raise failure from None
        except StackDidNotStart:
            await self.close()
            raise

    async def spawn(self, service: Service, stdout_fd: int, stderr_path: Path) -> ForkedChild:
        """Fork the service; the caller may close `stdout_fd` afterwards.

        A fork server that is gone or silent raises StackDidNotStart.
        """
        if self._launched is None or self._gone is None or self._gone.done():
            raise self._failure(f"is not running, so {service.name} cannot be started")
        number = next(self._ids)
        request = {
            "id": number,
            "module": service.module,
            "name": f"{service.name}.{service.instance}",
            "prefix": service.prefix,
            "told": dict(service.environment),
            "late": list(service.late),
        }
        answer: asyncio.Future[ForkedChild] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        log = os.open(stderr_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            message = json.dumps(request).encode()
            socket.send_fds(self._launched.control, [message], [stdout_fd, log])
            async with asyncio.timeout(SPAWN_LIMIT_S):
                return await answer
        except asyncio.CancelledError:
            if answer.done() and not answer.cancelled() and answer.exception() is None:
                answer.result().send_signal(signal.SIGKILL)  # it came, but nobody takes it
            raise
        except TimeoutError:
            raise self._failure(f"did not fork {service.name} in {SPAWN_LIMIT_S:.0f} s") from None
        except OSError as error:
            raise self._failure(f"could not be asked for {service.name} ({error})") from error
        finally:
            os.close(log)
            self._asked.pop(number, None)

    async def close(self) -> None:
        """End the fork server and with it every child it still has; a second call does nothing."""
        if self._launched is None:
            return
        with contextlib.suppress(OSError):  # it may be gone already
            self._launched.control.shutdown(socket.SHUT_WR)
        if self._gone is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._gone), CLOSE_LIMIT_S)
            asyncio.get_running_loop().remove_reader(self._launched.control)
        self._end()
        _bury(self._launched)
        self._launched = None

    def _receive(self) -> None:
        """Read what the fork server says: several messages may be waiting."""
        assert self._launched is not None
        while True:
            try:
                message, fds, _, _ = socket.recv_fds(self._launched.control, _MESSAGE_BYTES, 1)
            except BlockingIOError:
                return
            except OSError:
                message = b""
            if not message:
                asyncio.get_running_loop().remove_reader(self._launched.control)
                self._end()
                return
            self._understand(json.loads(message), fds)

    def _understand(self, said: dict[str, Any], descriptors: list[int]) -> None:
        match said:
            case {"ready": _}:
                if self._ready is not None and not self._ready.done():
                    self._ready.set_result(None)
            case {"id": number, "pid": pid}:
                child = self._children[pid] = ForkedChild(pid, descriptors[0])
                answer = self._asked.get(number)
                if answer is None or answer.done():
                    child.send_signal(signal.SIGKILL)  # nobody waits for it any more
                else:
                    answer.set_result(child)
            case {"pid": pid, "exit_status": status}:
                self._children.pop(pid).ended(status)

    def _end(self) -> None:
        """Settle everything that waits on a fork server which will say nothing more."""
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)
        for waiting in (self._ready, *self._asked.values()):
            if waiting is not None and not waiting.done():
                waiting.set_exception(self._failure("ended"))
        for child in self._children.values():
            child.ended(_LOST)
        self._children.clear()

    def _failure(self, what: str) -> StackDidNotStart:
        words = ""
        if self._launched is not None:
            words = os.pread(self._launched.complaints, _MESSAGE_BYTES, 0).decode(errors="replace")
        said = f"; it said:\n{words[-2000:]}" if words else ""
        return StackDidNotStart(f"the fork server {what}{said}")


def _bury(launched: Launched) -> None:
    """Reap the fork server, which has been asked to end, and close what the tool held of it."""
    launched.control.close()
    try:
        launched.process.wait(timeout=CLOSE_LIMIT_S)
    except subprocess.TimeoutExpired:
        launched.process.kill()
        launched.process.wait()
    os.close(launched.complaints)


def can_fork() -> bool:
    """Return whether this system has what the fork server needs (Linux 5.3 with pidfds)."""
    return sys.platform == "linux" and hasattr(os, "pidfd_open")
