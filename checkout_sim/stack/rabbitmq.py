"""A private RabbitMQ: unprivileged, on loopback alone, gone with the tool, even by SIGKILL.

`start_rabbitmq` gives a `servers.Server` that is ready: an AMQP connection was opened, since its
port listens long before. It has an epmd of its own, which the broker would otherwise leave behind
as a stray daemon, and a folder of its own under the system's temporary one, where the user it
runs as can get to it. Source of the settings: rabbitmq.com, "Configuration", "Networking".
"""

import asyncio
import contextlib
import logging
import os
import secrets
import shutil
import signal
import socket
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from checkout_sim.amqp import within
from checkout_sim.model.errors import FaultNotApplied, StackDidNotStart
from checkout_sim.stack.kernel import CONFIRM_LIMIT_S, await_stopped
from checkout_sim.stack.ports import LOOPBACK, PortReservation
from checkout_sim.stack.rabbitmq_folder import configure, environment, make_folder, remove_stale
from checkout_sim.stack.rabbitmq_program import (
    RabbitProgram,
    find_rabbitmq,
    require_version,
)
from checkout_sim.stack.rabbitmq_scope import delete_scope
from checkout_sim.stack.servers import ServerName
from checkout_sim.stack.unprivileged import User, spawn, user_for

READY_LIMIT_S = 120.0  # five seconds of work, which a busy machine draws out
STOP_LIMIT_S = 8.0
_POLL_S = 0.05
_ASK_LIMIT_S = 2.0
_LAST_LINES = 8
_USER = "simulator"

# A broker that is killed on purpose resets connections: who asked is told by exception, and a
# traceback beside it on standard error would only frighten the operator.
for _name in ("aio_pika", "aiormq"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)


class RabbitMQ:
    """One broker through all its lives, on one port and one folder."""

    name: ServerName = "broker"
    host = LOOPBACK

    def __init__(self, program: RabbitProgram, folder: Path, user: User | None) -> None:
        self._program = program
        self._folder = folder
        self._user = user
        self._password = secrets.token_hex(16)
        self._ports = [PortReservation(wanted_by=what) for what in ("AMQP", "epmd", "Erlang")]
        self._epmd: asyncio.subprocess.Process | None = None
        self._process: asyncio.subprocess.Process | None = None
        self.version = program.version

    @property
    def port(self) -> int:
        """Return the port it listens on, directly, on loopback."""
        return self._ports[0].port

    @property
    def pid(self) -> int:
        """Return the process of the present life, or of the last one."""
        return 0 if self._process is None else self._process.pid

    def url_at(self, host: str, port: int, *, scope: str) -> str:  # noqa: ARG002 - names, not hosts
        """Return the AMQP URL of this broker at an address; scopes are prefixes of names."""
        return f"amqp://{_USER}:{self._password}@{host}:{port}/"

    async def open_scope(self, scope: str) -> None:
        """Do nothing: a scope is a prefix, and the services declare what begins with it."""

    async def close_scope(self, scope: str) -> None:
        """Delete the exchange and queues of one run; a broker that is down keeps them unasked."""
        if self._is_running:
            await delete_scope(self._direct_url, scope)

    async def kill(self) -> None:
        """SIGKILL; return when it is reaped."""
        process = self._running("kill")
        process.kill()
        await self._await_end(process, "kill", CONFIRM_LIMIT_S)

    async def pause(self) -> None:
        """SIGSTOP; return when the kernel calls every thread stopped."""
        process = self._running("pause")
        process.send_signal(signal.SIGSTOP)
        await await_stopped(process.pid, stopped=True, who=self.name)

    async def resume(self) -> None:
        """SIGCONT; running already, or gone: nothing to do."""
        if self._process is not None and self._is_running:
            self._process.send_signal(signal.SIGCONT)
            await await_stopped(self._process.pid, stopped=False, who=self.name)

    async def start_again(self) -> None:
        """Start on the same port and data, ready when this returns; running: nothing to do."""
        if not self._is_running:
            try:
                await self.start()
            except StackDidNotStart as error:
                raise FaultNotApplied(f"broker could not be started again: {error}") from error

    async def restart(self) -> None:
        """SIGTERM, which closes its databases, then a new start."""
        process = self._running("restart")
        process.terminate()
        await self._await_end(process, "restart", STOP_LIMIT_S)
        await self.start_again()

    async def start(self) -> None:
        """Start epmd, unless it runs, and the broker; return when it is ready."""
        amqp, epmd, _ = (reserved.port for reserved in self._ports)
        if self._epmd is None or self._epmd.returncode is not None:
            address = ["-port", str(epmd), "-address", LOOPBACK]
            self._epmd = await self._spawn([str(self._program.epmd), *address], "epmd.log")
        configure(self._folder, port=amqp, user=_USER, password=self._password)
        self._process = await self._spawn([str(self._program.server)], "console.log")
        await self._await_ready()

    async def stop(self) -> None:
        """End the broker, then its epmd, and remove the folder; a second call does nothing."""
        try:
            for process in (self._process, self._epmd):
                if process is not None and process.returncode is None:
                    await _end(process)
        finally:
            for reserved in self._ports:
                reserved.close()
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    @property
    def _is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def _direct_url(self) -> str:
        return self.url_at(LOOPBACK, self.port, scope="")

    def _running(self, deed: str) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            raise FaultNotApplied(
                f"cannot {deed} broker: it is not running; expected a running process"
            )
        return self._process

    async def _await_end(
        self, process: asyncio.subprocess.Process, deed: str, limit_s: float
    ) -> None:
        try:
            async with asyncio.timeout(limit_s):
                await process.wait()
        except TimeoutError:
            raise FaultNotApplied(
                f"{deed} of broker (pid {process.pid}): not reaped within {limit_s:.0f} s"
            ) from None

    async def _spawn(self, command: Sequence[str], log: str) -> asyncio.subprocess.Process:
        return await spawn(
            command,
            user=self._user,
            environment=environment(self._folder, *(reserved.port for reserved in self._ports)),
            folder=self._folder,
            log=log,
        )

    async def _await_ready(self) -> None:
        """Return when AMQP is spoken; StackDidNotStart with the end of the log otherwise."""
        limit = monotonic() + READY_LIMIT_S
        while self._is_running:
            listening = await asyncio.to_thread(_listens, self.port)  # spares the client's alarms
            version = await _version_at(self._direct_url) if listening else None
            if version is not None:
                self.version = version
                require_version(version)
                return
            if monotonic() > limit:
                raise StackDidNotStart(
                    f"broker (pid {self.pid}, port {self.port}) did not open AMQP within "
                    f"{READY_LIMIT_S:.0f} s; it said: {self._last_lines()}"
                )
            await asyncio.sleep(_POLL_S)
        status = None if self._process is None else self._process.returncode
        raise StackDidNotStart(
            f"broker (port {self.port}) exited with status {status} while it started; it said: "
            f"{self._last_lines()}"
        )

    def _last_lines(self) -> str:
        said: list[str] = []
        for log in (self._folder / "console.log", self._folder / "log" / "rabbit.log"):
            with contextlib.suppress(OSError):
                said += log.read_text(encoding="utf-8", errors="replace").split("\n")[-_LAST_LINES:]
        return " / ".join(line.strip() for line in said if line.strip()) or "nothing"


async def start_rabbitmq() -> RabbitMQ:
    """Start a broker and return it ready; StackDidNotStart when there is none or it fails.

    Call it on the main thread: a child asked to die with its parent dies with the thread that
    started it.
    """
    program, user = find_rabbitmq(), user_for("broker", "rabbitmq")
    await asyncio.to_thread(remove_stale)
    folder = await asyncio.to_thread(make_folder, program, user)
    broker = RabbitMQ(program, folder, user)
    try:
        await broker.start()
    except BaseException:
        await broker.stop()
        raise
    return broker


def _listens(port: int) -> bool:
    with socket.socket() as asking:
        asking.settimeout(_ASK_LIMIT_S)
        return asking.connect_ex((LOOPBACK, port)) == 0


async def _version_at(url: str) -> str | None:
    """Return the version the broker tells once AMQP is open and answers; None while it does not."""
    import aio_pika  # noqa: PLC0415 - 60 ms that no other strategy needs to pay

    try:
        return await within(_ASK_LIMIT_S, _ask_version(url))
    except (OSError, aio_pika.exceptions.AMQPError):
        return None


async def _ask_version(url: str) -> str:
    import aio_pika  # noqa: PLC0415 - as above

    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.declare_exchange("amq.topic", "topic", passive=True, durable=True)
        transport = connection.transport
        told = {} if transport is None else transport.connection.server_properties
        version = told.get("version", b"")
        return version.decode() if isinstance(version, bytes) else str(version)


async def _end(process: asyncio.subprocess.Process) -> None:
    """SIGCONT for a paused one, SIGTERM, 8 s of grace, SIGKILL."""
    with contextlib.suppress(ProcessLookupError):
        # Not by the process object, which would first reap a dead one behind asyncio's back.
        os.kill(process.pid, signal.SIGCONT)
        os.kill(process.pid, signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_LIMIT_S):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
