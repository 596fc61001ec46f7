"""Runs one service: its own socket, uvicorn on uvloop and httptools, an orderly end.

    def main(environ: Mapping[str, str] | None = None) -> int:
        return serve(create_app, OrderSettings.from_environ(environ))

The socket is bound here at every start, never inherited: a parent's listener would turn a crash
into a wait in its backlog, where a dead service must refuse. Importing this module starts nothing.
"""

import asyncio
import ctypes
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import TypeVar

import stamina.instrumentation
import uvicorn
import uvloop
from starlette.types import ASGIApp

from .clock import Clock, SystemClock
from .errors import ServiceError
from .gathering import GatheringProtocol
from .ids import Ids
from .logs import EventLog
from .settings import ServiceSettings

EXIT_PARENT_GONE = 3
EXIT_PORT_TAKEN = 4
SHUTDOWN_SECONDS = 2
KEEPALIVE_SECONDS = 75  # above the clients' 15 s, so that no server hangs up on a reused connection
BACKLOG = 2048
# Requests leave almost no cycles behind; with Python's own 700 a pass came every third request
# and took 4 % of all CPU.
GC_THRESHOLDS = (20_000, 20, 50)
_PR_SET_PDEATHSIG = 1

SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What an app is given besides its settings: time, chance and the event log."""

    clock: Clock
    ids: Ids
    events: EventLog


AppFactory = Callable[[SettingsT, Surroundings], ASGIApp]


def serve(app_factory: AppFactory[SettingsT], settings: SettingsT) -> int:
    """Serve until SIGTERM or SIGINT and return the exit code.

    `app_factory(settings, surroundings)` is called inside the loop. Returns 0 after an orderly
    end (requests get 2 s to finish), 3 when the parent is gone, 4 when the port is taken, 1 when
    the app could not start; each but 0 with one line on stderr.
    """
    if settings.parent_pid is not None and not _die_with(settings.parent_pid):
        sys.stderr.write(f"{settings.service}: parent {settings.parent_pid} is gone\n")
        return EXIT_PARENT_GONE
    try:
        listener = _bind(settings.host, settings.port)
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        sys.stderr.write(
            f"{settings.service}: cannot listen on {where}: {error.strerror}; "
            "stop what holds the port or choose another\n"
        )
        return EXIT_PORT_TAKEN
    with listener, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(app_factory, settings, listener))


async def _serve(
    app_factory: AppFactory[SettingsT], settings: SettingsT, listener: socket.socket
) -> int:
    stamina.instrumentation.set_on_retry_hooks(())  # the default prints to stdout, our event log
    clock = SystemClock()
    events = settings.event_log(clock)
    surroundings = Surroundings(clock=clock, ids=settings.ids(), events=events)
    try:
        app = app_factory(settings, surroundings)
    except ServiceError as error:  # the database file cannot be used
        sys.stderr.write(f"{settings.service}: {error.error}\n")
        return 1
    config = uvicorn.Config(
        app,
        http=GatheringProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEPALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        backlog=BACKLOG,
    )
    server = _Server(config, events)
    await server.serve(sockets=[listener])
    return 0 if server.started else 1


class _Server(uvicorn.Server):
    """uvicorn's server, saying when it listens and ending with 0 on SIGTERM.

    The base class raises the signal again after an orderly end, so that the exit looks like a
    crash to a supervisor.
    """

    def __init__(self, config: uvicorn.Config, events: EventLog) -> None:
        super().__init__(config)
        self._events = events

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            gc.collect()
            gc.freeze()  # the imports' objects are never garbage: keep them out of every pass
            gc.set_threshold(*GC_THRESHOLDS)
            port = sockets[0].getsockname()[1]
            self._events.emit("process.listening", port=port, pid=os.getpid())

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's names
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True


def _bind(host: str, port: int) -> socket.socket:
    """Return a bound socket; listening on it is what uvicorn does once the app has started."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # A restart must not wait for TIME_WAIT; Linux still refuses a port that is listened on.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def _die_with(parent_pid: int) -> bool:
    """Ask Linux to kill this process when its parent ends; return whether the parent is there.

    The parent may have died before the request was in force, so it is looked up afterwards
    (prctl(2)). Elsewhere than on Linux only that look remains.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    return os.getppid() == parent_pid
