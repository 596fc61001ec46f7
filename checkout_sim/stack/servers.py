"""The servers a stack borrows: a message broker, a database. Started late, shared, never harmed.

A server is started when the first run needs it and serves all runs of one command, each under a
scope of its own (a prefix of queue names, a database name). A run whose faults strike the server
itself gets a private one. `Processes` lets the injector treat it like any service's process.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Literal, Protocol, assert_never

from checkout_sim.model.errors import FaultNotApplied, StackDidNotStart
from checkout_sim.model.scenario import StackSpec
from checkout_sim.model.seen import ProcessKind, ProcessNote
from checkout_sim.stack.supervisor import Supervisor

ServerName = Literal["broker", "database"]
DATABASE_URL_VARIABLE = "CHECKOUT_SIM_DATABASE_URL"  # how a program is told of somebody's own
Start = Callable[[], Awaitable["Server"]]

# What starts each; `rabbitmq.py` and `postgresql.py` enter themselves by name, so that neither is
# imported where nobody needs it.
STARTED_BY: Mapping[ServerName, tuple[str, str]] = {
    "broker": ("checkout_sim.stack.rabbitmq", "start_rabbitmq"),
    "database": ("checkout_sim.stack.postgresql", "start_postgresql"),
}


class Server(Protocol):
    """One running server. Deeds return when the kernel (or the server) has confirmed them."""

    @property
    def name(self) -> ServerName:
        """Return which process of a scenario this is."""
        ...

    @property
    def host(self) -> str:
        """Return where it listens, directly: on loopback, unless it is somebody else's."""
        ...

    @property
    def port(self) -> int:
        """Return the port it listens on, directly."""
        ...

    @property
    def pid(self) -> int:
        """Return the present process."""
        ...

    @property
    def version(self) -> str:
        """Return what it says it is."""
        ...

    def url_at(self, host: str, port: int, *, scope: str) -> str:
        """Return the URL a client uses to reach this server at an address, a link's for example."""
        ...

    async def open_scope(self, scope: str) -> None:
        """Make room for one run, or one service of it. Raises StackDidNotStart."""
        ...

    async def close_scope(self, scope: str) -> None:
        """Remove what a run left; a server that is down has nothing left to remove."""
        ...

    async def kill(self) -> None:
        """SIGKILL, reaped. Raises FaultNotApplied."""
        ...

    async def pause(self) -> None:
        """SIGSTOP."""
        ...

    async def resume(self) -> None:
        """SIGCONT; running already: nothing to do."""
        ...

    async def start_again(self) -> None:
        """Start on the same port and data, ready when this returns; running: nothing to do."""
        ...

    async def restart(self) -> None:
        """Stop in order, then start again."""
        ...

    async def stop(self) -> None:
        """End it and all that belongs to it; a second call does nothing."""
        ...


class Servers:
    """The servers of one command, started on first need, stopped together by `close`.

    With a `database_url` the shared database is the server there, which is used and left alone.
    """

    def __init__(self, *, database_url: str | None = None) -> None:
        self._database_url = database_url
        self._reviving = asyncio.Lock()
        self._shared: dict[ServerName, asyncio.Task[Server]] = {}

    @asynccontextmanager
    async def borrow(self, name: ServerName, *, private: bool) -> AsyncIterator[Server]:
        """Yield the shared server, or one of the borrower's own, stopped afterwards.

        A shared one that has died meanwhile is started again: one run's misfortune is not the
        next one's. Raises StackDidNotStart when it is not installed or does not come up.
        """
        if private:
            server = await start(name)
            try:
                yield server
            finally:
                await server.stop()
            return
        self.begin([name])
        server = await asyncio.shield(self._shared[name])
        async with self._reviving:
            try:
                await server.start_again()
            except FaultNotApplied as dead:
                raise StackDidNotStart(str(dead)) from dead
        yield server

    def begin(self, names: Iterable[ServerName]) -> None:
        """Begin to start the shared servers of these names that are not begun: side by side.

        Whoever borrows one waits the less, and is who hears what went wrong; a start that failed
        is begun anew, for what was missing may have been installed meanwhile.
        """
        for name in names:
            begun = self._shared.get(name)
            if begun is None or _failed(begun):
                self._shared[name] = asyncio.create_task(self._start(name))

    async def close(self) -> None:
        """Stop every shared server, one that is still starting included."""
        starting, self._shared = list(self._shared.values()), {}
        for task in starting:
            if not task.done():
                task.cancel()
        for started in await asyncio.gather(*starting, return_exceptions=True):
            if not isinstance(started, BaseException):
                await started.stop()

    async def _start(self, name: ServerName) -> Server:
        if name != "database" or self._database_url is None:
            return await start(name)
        # psycopg is none of those who run on SQLite.
        from checkout_sim.stack.postgresql_external import use_postgresql  # noqa: PLC0415

        return await use_postgresql(self._database_url)


def _failed(starting: asyncio.Task[Server]) -> bool:
    return starting.done() and (starting.cancelled() or starting.exception() is not None)


async def start(name: ServerName) -> Server:
    """Start a server of this name. Raises StackDidNotStart with how to install it."""
    from importlib import import_module  # noqa: PLC0415 - beside its only use

    module, function = STARTED_BY[name]
    try:
        starter: Start = getattr(import_module(module), function)
    except ModuleNotFoundError as error:
        raise StackDidNotStart(f"{name}: nothing here can start one ({error})") from error
    return await starter()


def unavailable(name: ServerName) -> str | None:
    """Return why a server of this name cannot be started here, None if nothing speaks against."""
    try:
        match name:
            case "broker":
                from checkout_sim.stack.rabbitmq_program import find_rabbitmq  # noqa: PLC0415

                find_rabbitmq()
            case "database":
                from checkout_sim.stack.postgresql_program import find_postgresql  # noqa: PLC0415

                find_postgresql()
            case _:
                assert_never(name)
    except StackDidNotStart as missing:
        return str(missing)
    return None


def needed(strategy: str, spec: StackSpec) -> tuple[ServerName, ...]:
    """Return which servers a run of this strategy on this stack borrows."""
    broker: tuple[ServerName, ...] = ("broker",) if strategy == "choreographed" else ()
    database: tuple[ServerName, ...] = ("database",) if spec.database == "postgres" else ()
    return broker + database


@asynccontextmanager
async def borrowed(
    servers: Servers, names: tuple[ServerName, ...], *, struck: frozenset[str], scope: str
) -> AsyncIterator[Mapping[ServerName, Server]]:
    """Yield the servers a run needs, its scope opened; those its faults strike are its own."""
    async with AsyncExitStack() as closing:
        lent: dict[ServerName, Server] = {}
        servers.begin(name for name in names if name not in struck)
        for name in names:
            borrowing = servers.borrow(name, private=name in struck)
            lent[name] = await closing.enter_async_context(borrowing)
            await lent[name].open_scope(scope)
            closing.push_async_callback(lent[name].close_scope, scope)
        yield lent


class Processes:
    """Services and servers by name, as the injector wants them; deeds on servers are noted."""

    def __init__(
        self,
        supervisor: Supervisor,
        servers: Mapping[ServerName, Server],
        on_process: Callable[[ProcessNote], None],
    ) -> None:
        self._supervisor = supervisor
        self._servers: Mapping[str, Server] = dict(servers.items())
        self._on_process = on_process
        self._down: set[str] = set()
        self._paused: set[str] = set()

    def announce(self) -> None:
        """Note that the servers of our own are up: they were started before anybody listened."""
        for server in self._servers.values():
            if server.pid:  # somebody else's is nobody's to strike
                self._note("process.started", server, server.pid)

    async def kill(self, name: str, instance: int = 1) -> None:
        """SIGKILL."""
        server = self._servers.get(name)
        if server is None:
            return await self._supervisor.kill(name, instance)
        pid = server.pid
        await server.kill()
        self._down.add(name)
        return self._note("process.killed", server, pid)

    async def pause(self, name: str, instance: int = 1) -> None:
        """SIGSTOP."""
        server = self._servers.get(name)
        if server is None:
            return await self._supervisor.pause(name, instance)
        await server.pause()
        self._paused.add(name)
        return self._note("process.paused", server, server.pid)

    async def resume(self, name: str, instance: int = 1) -> None:
        """SIGCONT; not paused: nothing to do."""
        server = self._servers.get(name)
        if server is None:
            return await self._supervisor.resume(name, instance)
        if name not in self._paused:
            return None
        await server.resume()
        self._paused.discard(name)
        return self._note("process.resumed", server, server.pid)

    async def start_again(self, name: str, instance: int = 1) -> None:
        """Start what was killed; running: nothing to do."""
        server = self._servers.get(name)
        if server is None:
            return await self._supervisor.start_again(name, instance)
        if name not in self._down:
            return None
        await server.start_again()
        self._down.discard(name)
        return self._note("process.started", server, server.pid)

    async def restart(self, name: str, instance: int = 1) -> None:
        """Stop in order, then start again."""
        server = self._servers.get(name)
        if server is None:
            return await self._supervisor.restart(name, instance)
        await server.restart()
        return self._note("process.started", server, server.pid)

    def _note(self, kind: ProcessKind, server: Server, pid: int) -> None:
        self._on_process(
            ProcessNote(kind=kind, process=server.name, instance=1, pid=pid, port=server.port)
        )
