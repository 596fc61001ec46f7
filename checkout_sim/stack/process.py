"""One service instance through all its lives: started, killed, paused, resumed, started again.

Takes a Service and whatever spawns it; tells events and process notes to its callbacks. Every deed
is confirmed by the kernel before it is noted: killed means reaped, paused means every thread is
stopped, started means our own pid answered /health.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from checkout_sim.model.errors import FaultNotApplied, StackDidNotStart
from checkout_sim.model.seen import ProcessKind, ProcessNote, ServiceLine
from checkout_sim.stack import health
from checkout_sim.stack.fork_client import Child, Spawner
from checkout_sim.stack.kernel import CONFIRM_LIMIT_S, await_stopped
from checkout_sim.stack.topology import Service
from checkout_sim.stack.witness import Witness, open_pipe

TERM_LIMIT_S = 2.5  # services promise to end within 2 s
_LAST_LINES = 20
_LAST_BYTES = 16 * 1024


class Life:
    """One process, from spawn to reaping. `asked` says that its end is our own doing."""

    def __init__(
        self, service: Service, child: Child, witness: Witness, *, log: Path, log_begins: int
    ) -> None:
        self.service = service
        self.child = child
        self.witness = witness
        self.ready = False
        self.asked = False
        self.paused = False
        self._log = log
        self._log_begins = log_begins

    @property
    def over(self) -> bool:
        """Return whether the process is reaped."""
        return self.child.exited.done()

    async def end(self, *signals: signal.Signals, within_s: float) -> bool:
        """Send the signals and wait so long for the end; what it said before is handed on first.

        Returns whether it ended. `asyncio.wait`, unlike a timeout, leaves the future alone.
        """
        self.asked = True
        for number in signals:
            self.child.send_signal(number)
        await asyncio.wait([self.child.exited], timeout=within_s)
        if self.over:
            self.witness.drain()
        return self.over

    def last_lines(self) -> tuple[str, ...]:
        """Return the end of what this life, not an earlier one, wrote on standard error."""
        with contextlib.suppress(OSError), self._log.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(self._log_begins, size - _LAST_BYTES))
            return tuple(log.read().decode(errors="replace").splitlines()[-_LAST_LINES:])
        return ()


class ServiceProcess:
    """The instance. Its deeds exclude one another; `end` alone may interrupt them."""

    def __init__(
        self,
        service: Service,
        *,
        spawner: Spawner,
        log: Path,
        on_event: Callable[[ServiceLine], None],
        on_process: Callable[[ProcessNote], None],
        start_limit_s: float,
    ) -> None:
        self.service = service
        self.gaps: list[str] = []
        self.life: Life | None = None
        self._who = f"{service.name} {service.instance}"
        self._spawner = spawner
        self._log = log
        self._tell = (on_event, on_process)
        self._turn = asyncio.Lock()
        self._start_limit_s = start_limit_s
        self._lives = 0
        self._closed = False

    async def start(self) -> None:
        """Start it, unless it runs; return when our own child answers /health.

        A child that dies or is not healthy in time raises StackDidNotStart, and is gone then.
        """
        async with self._turn:
            if self.life is not None and not self.life.over:
                return
            await self._start()

    async def kill(self) -> None:
        """SIGKILL; return when it is reaped."""
        async with self._turn:
            life = self._running("kill")
            if not await life.end(signal.SIGKILL, within_s=CONFIRM_LIMIT_S):
                raise self._unconfirmed("kill", "it was not reaped")
            self._note("process.killed", life)

    async def pause(self) -> None:
        """SIGSTOP; return when the kernel calls every thread stopped."""
        async with self._turn:
            life = self._running("pause")
            life.child.send_signal(signal.SIGSTOP)
            await await_stopped(life.child.pid, stopped=True, who=self._who)
            life.paused = True
            self._note("process.paused", life)

    async def resume(self) -> None:
        """SIGCONT, where it is paused; one that has died meanwhile has nothing to resume."""
        async with self._turn:
            life = self.life
            if life is None or life.over or not life.paused:
                return
            life.child.send_signal(signal.SIGCONT)
            await await_stopped(life.child.pid, stopped=False, who=self._who)
            life.paused = False
            self._note("process.resumed", life)

    async def mend(self) -> None:
        """Undo whatever was done to it: resume it or start it, as it needs."""
        await self.resume()
        await self.start()

    async def restart(self) -> None:
        """SIGTERM, 2.5 s of grace, then a new start on the same port."""
        async with self._turn:
            life = self._running("restart")
            gone = await life.end(signal.SIGTERM, signal.SIGCONT, within_s=TERM_LIMIT_S)
            if not gone and not await life.end(signal.SIGKILL, within_s=CONFIRM_LIMIT_S):
                raise self._unconfirmed("restart", "the old process was not reaped")
            self._note_exit(life)
            await self._start()

    async def end(self) -> None:
        """Stop for good, quietly: SIGTERM, 2.5 s, SIGKILL; a second call does nothing."""
        self._closed = True
        life = self.life
        if life is None:
            return
        try:
            if not life.over:
                await life.end(signal.SIGTERM, signal.SIGCONT, within_s=TERM_LIMIT_S)
        finally:
            # Also when stopping is itself interrupted: a second ctrl-C leaves nothing behind.
            life.child.send_signal(signal.SIGKILL)
        await life.end(within_s=CONFIRM_LIMIT_S)
        life.witness.close()

    async def _start(self) -> None:
        life = await self._spawn()
        try:
            async with asyncio.timeout(self._start_limit_s):
                await self._await_ready(life)
        except TimeoutError:
            why = (await health.ask(life.service, pid=life.child.pid)).why
            await life.end(signal.SIGKILL, within_s=CONFIRM_LIMIT_S)
            limit = f"was not healthy within {self._start_limit_s:g} s: {why}"
            raise self._did_not_start(life, limit) from None
        life.ready = True
        if life.over:
            raise self._did_not_start(life, "died as soon as it was healthy")
        self._note("process.started", life)

    async def _spawn(self) -> Life:
        self._lives += 1
        service = self.service.in_life(self._lives)
        reader, writer = open_pipe()
        try:
            log_begins = self._log.stat().st_size if self._log.exists() else 0
            child = await self._spawner.spawn(service, writer, self._log)
        except BaseException:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        witness = Witness(
            self.service.name,
            self.service.instance,
            reader=reader,
            log=self._log,
            on_event=self._tell[0],
            on_gap=self.gaps.append,
        )
        self.life = life = Life(service, child, witness, log=self._log, log_begins=log_begins)
        witness.start()
        child.exited.add_done_callback(lambda _: self._reaped(life))
        if self._closed:
            await self.end()
            raise StackDidNotStart(f"{self._who} was stopped while it was being started")
        return life

    async def _await_ready(self, life: Life) -> None:
        """Return when our child answers /health; asking begins when it says that it listens."""
        listening = life.witness.listening
        either: list[asyncio.Future[Any]] = [life.child.exited, listening]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if listening.cancelled():  # its output ended first: the process is about to be reaped
            await asyncio.wait([life.child.exited])
        while not life.over:
            if (await health.ask(life.service, pid=life.child.pid)).ready:
                return
            await asyncio.wait([life.child.exited], timeout=health.POLL_S)
        raise self._did_not_start(life, f"exited with status {life.child.exited.result()}")

    def _reaped(self, life: Life) -> None:
        """Note an end that nobody asked for, after everything the process had said."""
        life.witness.drain()
        if life.ready and not life.asked:
            self._note_exit(life)

    def _running(self, deed: str) -> Life:
        if self.life is None:
            raise FaultNotApplied(f"cannot {deed} {self._who}: it was never started")
        if self.life.over:
            status = self.life.child.exited.result()
            raise FaultNotApplied(
                f"cannot {deed} {self._who}: it is not running (pid {self.life.child.pid} ended "
                f"with status {status}); expected a running process"
            )
        return self.life

    def _note(self, kind: ProcessKind, life: Life) -> None:
        who = self.service
        pid = life.child.pid
        note = ProcessNote(
            kind=kind, process=who.name, instance=who.instance, pid=pid, port=who.port
        )
        self._tell[1](note)

    def _note_exit(self, life: Life) -> None:
        note = ProcessNote(
            kind="process.exited",
            process=self.service.name,
            instance=self.service.instance,
            pid=life.child.pid,
            port=self.service.port,
            exit_status=life.child.exited.result(),
            asked=life.asked,
            last_lines=life.last_lines(),
        )
        self._tell[1](note)

    def _unconfirmed(self, deed: str, what: str) -> FaultNotApplied:
        return FaultNotApplied(
            f"{deed} of {self._who}: within {CONFIRM_LIMIT_S:.0f} s of the signal {what}"
        )

    def _did_not_start(self, life: Life, what: str) -> StackDidNotStart:
        life.asked = True
        said = "\n".join(f"    {line}" for line in life.last_lines())
        last = f"its last lines on standard error:\n{said}" if said else "it said nothing"
        return StackDidNotStart(
            f"{self._who} (pid {life.child.pid}, port {self.service.port}) {what}; expected "
            f"/health to answer as {life.service.token}; {self._log}: {last}"
        )
