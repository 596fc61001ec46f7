"""What the stack's tests are told with: tiny services, a record of what was seen, waiting."""

import asyncio
import json
import os
import select
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from checkout_sim.model.seen import ProcessNote, ServiceLine
from checkout_sim.stack.fork_client import Spawner
from checkout_sim.stack.supervisor import Supervisor
from checkout_sim.stack.topology import Service

TINY = "tests.integration.stack.tiny"
LIMIT_S = 20.0


def tiny(name: str, *, port: int, instance: int = 1, start: str = "") -> Service:
    """Return a tiny service that poses as the service `name`."""
    prefix = name.upper()
    environment = {
        f"{prefix}_PORT": str(port),
        f"{prefix}_INSTANCE": f"test-{name}-{instance}",
        "TINY_NAME": name,
        "TINY_START": start,
    }
    return Service(name=name, module=TINY, instance=instance, port=port, environment=environment)


@dataclass
class Seen:
    """Everything a supervisor told, and a way to wait for more."""

    lines: list[ServiceLine] = field(default_factory=list)
    notes: list[ProcessNote] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def event(self, line: ServiceLine) -> None:
        self.lines.append(line)
        self.order.append(line.kind)
        self.changed.set()

    def note(self, note: ProcessNote) -> None:
        self.notes.append(note)
        self.order.append(note.kind)
        self.changed.set()

    def kinds(self, process: str) -> list[str]:
        return [note.kind for note in self.notes if note.process == process]

    def pid(self, process: str) -> int:
        return next(note.pid for note in reversed(self.notes) if note.process == process)

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until it is true, asking after each thing seen; fail after a limit."""
        async with asyncio.timeout(LIMIT_S):
            while not true():
                self.changed.clear()
                await self.changed.wait()


def supervise(
    services: list[Service],
    *,
    fork_server: Spawner,
    folder: Path,
    seen: Seen,
    start_limit_s: float = 15.0,
) -> Supervisor:
    return Supervisor(
        services,
        fork_server=fork_server,
        folder=folder,
        on_event=seen.event,
        on_process=seen.note,
        start_limit_s=start_limit_s,
    )


async def ask(port: int, path: str) -> dict[str, Any]:
    """GET a path of a tiny service; {} when it died instead of answering."""
    async with asyncio.timeout(LIMIT_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            answer = await reader.read(-1)
        except ConnectionError:
            return {}
        finally:
            writer.close()
    body = answer.partition(b"\r\n\r\n")[2]
    return json.loads(body) if body else {}


async def refuses(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return True
    writer.close()
    return False


def is_alive(pid: int) -> bool:
    """Return whether a process of ours, not yet reaped, has this pid."""
    return Path(f"/proc/{pid}").exists()


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


class Departure:
    """The end of any process, child or not, as the kernel tells it: a pidfd becomes readable.

    One that is gone already has departed.
    """

    def __init__(self, pid: int) -> None:
        try:
            self._pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            self._pidfd = -1

    def happened(self, *, within_s: float = LIMIT_S) -> bool:
        if self._pidfd < 0:
            return True
        waiting = select.poll()
        waiting.register(self._pidfd, select.POLLIN)
        gone = bool(waiting.poll(within_s * 1000))
        os.close(self._pidfd)
        return gone
