"""A private PostgreSQL: unprivileged, on loopback alone, gone with the tool, even by SIGKILL.

`start_postgresql` gives a `servers.Server` that answers. Services reach it over TCP, through their
links, with a password drawn for this server; the tool reaches it by its Unix socket, past every
link, which only the folder's owner and root can. A run has databases of its own, one per service.
It keeps what it promises (`fsync` stays on): a killed server is what some scenarios are about.

Sources: PostgreSQL manual, "initdb", "postgres", "Shutting Down the Server".
"""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from time import monotonic

from checkout_sim.model.errors import FaultNotApplied, StackDidNotStart
from checkout_sim.model.wire import DATABASE_LINKS
from checkout_sim.stack.kernel import CONFIRM_LIMIT_S, await_stopped
from checkout_sim.stack.ports import LOOPBACK, PortReservation
from checkout_sim.stack.postgresql_program import (
    PostgresProgram,
    find_postgresql,
    require_version,
)
from checkout_sim.stack.postgresql_scope import Administration, database_of
from checkout_sim.stack.servers import ServerName
from checkout_sim.stack.unprivileged import User, spawn, user_for

READY_LIMIT_S = 20.0
STOP_LIMIT_S = 5.0
_POLL_S = 0.01
_LAST_LINES = 8
_FOLDER = "checkout-sim-pg-"  # short: a socket's path has 107 bytes
_USER = "sim"

# Ends what is stopped if the tool dies meanwhile: a stopped process cannot see its parent go.
_GUARD = 'read -r told || kill -KILL "$@" 2>/dev/null'
_ADMITTED = """\
local all all trust
host all all 127.0.0.1/32 password
"""
_SETTINGS = (
    "max_connections=200",
    "shared_buffers=32MB",
    "superuser_reserved_connections=5",
    "log_min_messages=warning",
    "log_checkpoints=off",
    "timezone=UTC",
)


class PostgreSQL:
    """One server through all its lives, on one port and one folder."""

    name: ServerName = "database"
    host = LOOPBACK

    def __init__(self, program: PostgresProgram, folder: Path, user: User | None) -> None:
        self._program = program
        self.folder = folder
        self._user = user
        self._password = secrets.token_hex(16)
        self._reserved = PortReservation(wanted_by="PostgreSQL")
        self._process: asyncio.subprocess.Process | None = None
        self._guard: asyncio.subprocess.Process | None = None
        self._stopped: tuple[int, ...] = ()
        self.administration = Administration(
            f"host={folder} port={self._reserved.port} user={_USER} dbname=postgres"
        )
        self.version = ""

    @property
    def port(self) -> int:
        """Return the port it listens on, directly, on loopback."""
        return self._reserved.port

    @property
    def pid(self) -> int:
        """Return the process of the present life, or of the last one."""
        return 0 if self._process is None else self._process.pid

    def url_at(self, host: str, port: int, *, scope: str) -> str:
        """Return the URL of a scope's database at an address; no TLS, which a toxic would cut."""
        database = database_of(scope)
        who = f"{_USER}:{self._password}"
        return f"postgresql://{who}@{host}:{port}/{database}?sslmode=disable&gssencmode=disable"

    async def open_scope(self, scope: str) -> None:
        """Create the databases of one run, one per service."""
        await self.administration.create([f"{scope}-{service}" for service in DATABASE_LINKS])

    async def close_scope(self, scope: str) -> None:
        """Drop the databases of one run; a server that is down keeps them until it is stopped."""
        if self._is_running:
            await self.administration.drop([f"{scope}-{service}" for service in DATABASE_LINKS])

    async def kill(self) -> None:
        """SIGKILL it with all its children, as a power cut would; return when it is reaped."""
        process = self._running("kill")
        family = tuple(_family(process.pid))
        _signal(family, signal.SIGKILL)
        await self._await_end(process, "kill", CONFIRM_LIMIT_S)
        # A child still holding the shared memory would keep the next life from starting.
        await _await_gone(family)

    async def pause(self) -> None:
        """SIGSTOP it with all its children; return when the kernel calls every one stopped."""
        process = self._running("pause")
        process.send_signal(signal.SIGSTOP)  # first, so that it makes no more children
        await await_stopped(process.pid, stopped=True, who=self.name)
        family = tuple(_family(process.pid))
        self._guard = await _guard(family)
        _signal(family, signal.SIGSTOP)
        self._stopped = family
        for pid in filter(_is_alive, family):  # one that had just ended stays unreaped
            await await_stopped(pid, stopped=True, who=self.name)

    async def resume(self) -> None:
        """SIGCONT; running already, or gone: nothing to do."""
        stopped, self._stopped = self._stopped, ()
        _signal(stopped, signal.SIGCONT)
        if stopped and self._is_running:
            await await_stopped(self.pid, stopped=False, who=self.name)
        await self._dismiss_guard()

    async def start_again(self) -> None:
        """Start on the same port and data, ready when this returns; running: nothing to do."""
        if not self._is_running:
            try:
                await self.start()
            except StackDidNotStart as error:
                raise FaultNotApplied(f"database could not be started again: {error}") from error

    async def restart(self) -> None:
        """SIGINT, PostgreSQL's fast shutdown, then a new start."""
        process = self._running("restart")
        process.send_signal(signal.SIGINT)
        await self._await_end(process, "restart", STOP_LIMIT_S)
        await self.start_again()

    async def prepare(self) -> None:
        """Make the data folder, once in the server's life."""
        password = self.folder / "password"
        password.write_text(self._password, encoding="ascii")
        if self._user is not None:
            os.chown(password, self._user.uid, self._user.gid)
        options = ["-D", str(self._data), "-U", _USER, "-E", "UTF8", "--locale=C", "--no-sync"]
        options += ["--auth=trust", f"--pwfile={password}"]
        making = await self._spawn([str(self._program.initdb), *options], "initdb.log")
        status = await making.wait()
        if status != 0:
            raise StackDidNotStart(
                f"database: {self._program.initdb} exited with status {status}; it said: "
                f"{self._last_lines('initdb.log')}"
            )
        password.unlink()
        (self._data / "pg_hba.conf").write_text(_ADMITTED, encoding="ascii")

    async def start(self) -> None:
        """Start the server; return when it answers."""
        options = ["-D", str(self._data), "-p", str(self.port)]
        for setting in (
            f"listen_addresses={LOOPBACK}",
            f"unix_socket_directories={self.folder}",
            *_SETTINGS,
        ):
            options += ["-c", setting]
        self._process = await self._spawn([str(self._program.postgres), *options], "postgres.log")
        await self._await_ready()

    async def stop(self) -> None:
        """End the server and remove its folder; a second call does nothing."""
        try:
            await self.resume()
            if self._process is not None and self._process.returncode is None:
                await self._end(self._process)
        finally:
            self._reserved.close()
            await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def _running(self, deed: str) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            raise FaultNotApplied(
                f"cannot {deed} database: it is not running; expected a running process"
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
                f"{deed} of database (pid {process.pid}): not reaped within {limit_s:.0f} s"
            ) from None

    async def _spawn(self, command: Sequence[str], log: str) -> asyncio.subprocess.Process:
        return await spawn(
            command,
            user=self._user,
            environment={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
            folder=self.folder,
            log=log,
        )

    async def _await_ready(self) -> None:
        """Return when it answers; StackDidNotStart with the end of its log otherwise."""
        limit = monotonic() + READY_LIMIT_S
        while self._is_running:
            version = await self.administration.version()
            if version is not None:
                self.version = version
                require_version(version)
                return
            if monotonic() > limit:
                raise StackDidNotStart(
                    f"database (pid {self.pid}, port {self.port}) did not answer within "
                    f"{READY_LIMIT_S:.0f} s; it said: {self._last_lines('postgres.log')}"
                )
            await asyncio.sleep(_POLL_S)
        status = None if self._process is None else self._process.returncode
        raise StackDidNotStart(
            f"database (port {self.port}) exited with status {status} while it started; it said: "
            f"{self._last_lines('postgres.log')}"
        )

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        """SIGINT, PostgreSQL's fast shutdown, 5 s of grace, SIGKILL."""
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        try:
            async with asyncio.timeout(STOP_LIMIT_S):
                await process.wait()
        except TimeoutError:
            _signal(tuple(_family(process.pid)), signal.SIGKILL)
            await process.wait()

    async def _dismiss_guard(self) -> None:
        guard, self._guard = self._guard, None
        if guard is not None:
            await guard.communicate(b"resumed\n")

    def _last_lines(self, log: str) -> str:
        with contextlib.suppress(OSError):
            said = (self.folder / log).read_text(encoding="utf-8", errors="replace")
            lines = [line.strip() for line in said.splitlines() if line.strip()]
            return " / ".join(lines[-_LAST_LINES:]) or "nothing"
        return "nothing"


async def start_postgresql() -> PostgreSQL:
    """Start a server and return it ready; StackDidNotStart when there is none or it fails.

    Call it on the main thread: a child asked to die with its parent dies with the thread that
    started it.
    """
    program, user = find_postgresql(), user_for("database", "postgres")
    await asyncio.to_thread(_remove_stale)
    server = PostgreSQL(program, await asyncio.to_thread(_make_folder, user), user)
    try:
        await server.prepare()
        await server.start()
    except BaseException:
        await server.stop()
        raise
    return server


def _make_folder(user: User | None) -> Path:
    """Make the server's folder, for its owner's eyes, named after this process."""
    folder = Path(mkdtemp(prefix=f"{_FOLDER}{os.getpid()}-"))
    if user is not None:
        os.chown(folder, user.uid, user.gid)
    return folder


def _remove_stale() -> None:
    """Remove what a tool killed by SIGKILL could not: folders whose process is gone."""
    for folder in Path(gettempdir()).glob(f"{_FOLDER}*"):
        owner = folder.name.removeprefix(_FOLDER).partition("-")[0]
        if not owner.isdigit():
            continue
        try:
            os.kill(int(owner), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue


def _family(pid: int) -> Iterator[int]:
    """Yield the server and its children, each of which leads a session of its own."""
    import psutil  # noqa: PLC0415 - 20 ms that only a fault on the server needs to pay

    yield pid
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(pid).children(recursive=True):
            yield child.pid


def _signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


async def _await_gone(pids: Sequence[int]) -> None:
    """Wait until none of them is alive; FaultNotApplied beyond the limit."""
    try:
        async with asyncio.timeout(CONFIRM_LIMIT_S):
            while any(map(_is_alive, pids)):  # noqa: ASYNC110 - the kernel wakes nobody
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise FaultNotApplied(
            f"kill of database: a child of it is still there after {CONFIRM_LIMIT_S:.0f} s"
        ) from None


def _is_alive(pid: int) -> bool:
    import psutil  # noqa: PLC0415 - as above

    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


async def _guard(pids: Sequence[int]) -> asyncio.subprocess.Process:
    """Start what kills `pids` when the tool's end of its standard input closes."""
    return await asyncio.create_subprocess_exec(
        *("/bin/sh", "-c", _GUARD, "guard"),
        *map(str, pids),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
