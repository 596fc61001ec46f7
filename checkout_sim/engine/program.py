"""The engine as a program: its socket, its stack's means, its desk, and an orderly end."""

import asyncio
import contextlib
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from socket import socket

from checkout_sim.engine.desk import Desk, Setting
from checkout_sim.engine.lifetime import watch_owner, watch_signals, watchdog
from checkout_sim.simulation.means import Means
from checkout_sim.simulation.options import Options
from checkout_sim.stack.fork_client import ForkServer, can_fork
from checkout_sim.stack.hiccups import HiccupMeter
from checkout_sim.stack.servers import Servers, needed
from checkout_sim.stack.subprocesses import Subprocesses
from checkout_sim.stack.topology import MODULES
from checkout_sim.stream.serve import serving

_VERDICT_WITHIN_S = 120.0  # calm, settle and read of the longest session; each is bounded itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What the command line asked for; `owned` engines end with their standard input.

    `listener` listens at a socket's path since before this was imported.
    """

    setting: Setting
    options: Options
    owned: bool
    listener: socket


async def run(program: Program) -> None:
    """Serve until the owner is gone, somebody closes the engine, or a signal comes."""
    path = Path(program.listener.getsockname())
    desk = Desk(program.setting)
    watch_signals(desk.closing.set)
    if program.owned:
        watch_owner(desk.closing.set)
    async with AsyncExitStack() as closing:
        await closing.enter_async_context(serving(desk.server, program.listener))
        closing.push_async_callback(desk.close)
        await _work(desk, program)
        desk.changed()
        with watchdog(path, path.with_suffix(".json")):
            await closing.aclose()
    if desk.last_verdict is not None:
        status, folder = desk.last_verdict
        with contextlib.suppress(OSError):  # who started us may be gone
            print(json.dumps({"verdict": status, "run": str(folder)}), flush=True)  # noqa: T201 - for who started us


async def _work(desk: Desk, program: Program) -> None:
    if program.setting.replay is not None:
        playing = asyncio.create_task(desk.play_back(program.setting.replay))
        await _until_closing(desk, playing)
        return
    fork_server = ForkServer() if can_fork() else Subprocesses()
    servers = Servers(database_url=program.options.database_url)
    means = Means(
        options=program.options, spawner=fork_server, servers=servers, hiccups=HiccupMeter()
    )
    try:
        servers.begin(needed(program.setting.strategy, program.setting.spec))
        await fork_server.start(MODULES)
        working = asyncio.create_task(desk.work(means))
        await _until_closing(desk, working)
    finally:
        with watchdog():
            await servers.close()
            await means.hiccups.close()
            await fork_server.close()


async def _until_closing(desk: Desk, working: asyncio.Task[None]) -> None:
    """Return when the work has ended, a verdict included if that was asked for."""
    closing = asyncio.create_task(desk.closing.wait())
    await asyncio.wait({working, closing}, return_when=asyncio.FIRST_COMPLETED)
    closing.cancel()
    desk.changed()
    if not working.done() and desk.judge_first:
        await desk.finish()
        await asyncio.wait({working}, timeout=_VERDICT_WITHIN_S)
    with watchdog():
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
