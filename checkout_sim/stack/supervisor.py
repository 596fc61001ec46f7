"""Brings the processes of one stack up together, breaks and mends them by name, takes them down.

Takes Services from `topology`, a warm fork server (or its substitute) and a folder for their logs;
gives the lines the services say and a note of each thing that happened to a process. One process'
own life is `process.py`'s matter.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from checkout_sim.model.errors import FaultNotApplied, StackDidNotStart
from checkout_sim.model.seen import ProcessNote, ServiceLine
from checkout_sim.stack.fork_client import Spawner
from checkout_sim.stack.process import ServiceProcess
from checkout_sim.stack.topology import Service

__all__ = ["ProcessNote", "ServiceLine", "Supervisor"]

START_LIMIT_S = 15.0


class Supervisor:
    """One stack's processes. What ends by `stop` is not noted; every other end is.

    Callbacks run on the loop, between two statements of whoever awaits: they must be quick and
    must not raise.
    """

    def __init__(
        self,
        services: Iterable[Service],
        *,
        fork_server: Spawner,
        folder: Path,
        on_event: Callable[[ServiceLine], None],
        on_process: Callable[[ProcessNote], None],
        start_limit_s: float = START_LIMIT_S,
    ) -> None:
        self._processes = {
            (service.name, service.instance): ServiceProcess(
                service,
                spawner=fork_server,
                log=folder / f"{service.name}-{service.instance}.log",
                on_event=on_event,
                on_process=on_process,
                start_limit_s=start_limit_s,
            )
            for service in services
        }

    @property
    def gaps(self) -> tuple[str, ...]:
        """Return where a process's line counter was broken, as sentences: evidence is missing."""
        return tuple(gap for process in self._processes.values() for gap in process.gaps)

    def is_running(self, name: str, instance: int = 1) -> bool:
        """Return whether the process is there, paused or not."""
        life = self._find(name, instance).life
        return life is not None and not life.over

    async def start(self) -> None:
        """Start all in parallel; return when each is healthy and is our own child.

        The first that cannot start raises StackDidNotStart; by then the others are stopped.
        """
        try:
            async with asyncio.TaskGroup() as starting:
                for process in self._processes.values():
                    starting.create_task(process.start())
        except* StackDidNotStart as failed:
            await self.stop()
            first = failed.exceptions[0]
            raise first from first.__cause__

    async def kill(self, name: str, instance: int = 1) -> None:
        """SIGKILL; return when the process is reaped. Not running: FaultNotApplied."""
        await self._find(name, instance).kill()

    async def pause(self, name: str, instance: int = 1) -> None:
        """SIGSTOP; return when the kernel calls it stopped. Not running: FaultNotApplied."""
        await self._find(name, instance).pause()

    async def resume(self, name: str, instance: int = 1) -> None:
        """SIGCONT; return when the kernel calls it running. Not paused: nothing to do."""
        await self._find(name, instance).resume()

    async def start_again(self, name: str, instance: int = 1) -> None:
        """Start a process that ended, on its port; return when healthy. Running: nothing to do."""
        with _as_fault(f"{name} {instance} could not be started again"):
            await self._find(name, instance).start()

    async def restart(self, name: str, instance: int = 1) -> None:
        """SIGTERM, then start again on the same port. Not running: FaultNotApplied."""
        with _as_fault(f"{name} {instance} could not be restarted"):
            await self._find(name, instance).restart()

    async def start_all_again(self) -> None:
        """Resume whatever is paused and start whatever has ended, in parallel: the calm."""
        with _as_fault("not every process could be mended"):
            await asyncio.gather(*(process.mend() for process in self._processes.values()))

    async def stop(self) -> None:
        """Stop everything, the paused included; leaves no process. A second call does nothing."""
        await asyncio.gather(*(process.end() for process in self._processes.values()))

    def _find(self, name: str, instance: int) -> ServiceProcess:
        process = self._processes.get((name, instance))
        if process is None:
            have = ", ".join(f"{known} {number}" for known, number in self._processes)
            raise FaultNotApplied(f"this stack has no process {name} {instance}; it has {have}")
        return process


@contextmanager
def _as_fault(what: str) -> Iterator[None]:
    """In the middle of a run a process that does not start is a fault that was not undone."""
    try:
        yield
    except StackDidNotStart as error:
        raise FaultNotApplied(f"{what}: {error}") from error
