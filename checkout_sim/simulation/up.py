"""A stack that stays up on its fixed ports, for curl and the curious."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from checkout_sim.model.errors import StackDidNotStart
from checkout_sim.model.run import Engine
from checkout_sim.model.scenario import StackSpec
from checkout_sim.model.seen import ProcessNote
from checkout_sim.model.wire import require_strategies
from checkout_sim.simulation.means import Means
from checkout_sim.simulation.options import DatabaseChoice, Options
from checkout_sim.simulation.world import Listeners, LiveWorld, live_world
from checkout_sim.stack.fork_client import ForkServer, can_fork
from checkout_sim.stack.hiccups import HiccupMeter
from checkout_sim.stack.servers import Servers, needed
from checkout_sim.stack.subprocesses import Subprocesses
from checkout_sim.stack.topology import MODULES


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningStack:
    """A stack that is up, until `stop`."""

    urls: Mapping[str, str]
    engine: Engine
    folder: Path
    _closing: AsyncExitStack

    async def stop(self) -> None:
        """Bring everything down; a second call does nothing."""
        await self._closing.aclose()


async def bring_up(
    strategy: str,
    *,
    options: Options,
    on_note: Callable[[str], None],
    database: DatabaseChoice = "sqlite",
) -> RunningStack:
    """Bring the stack up on the ports of toxiproxy.json; `on_note` hears of children that die.

    Its databases and logs live in a folder of their own under the runs folder. Raises
    StackDidNotStart, naming a port that is taken and who holds it.
    """
    require_strategies([strategy])
    folder = _make_folder(options.runs_folder)
    async with AsyncExitStack() as closing:
        removing = closing.enter_context(ExitStack())
        removing.callback(_remove_unused, folder)
        fork_server = ForkServer() if can_fork() else Subprocesses()
        closing.push_async_callback(fork_server.close)
        servers = Servers(database_url=options.database_url)
        closing.push_async_callback(servers.close)
        spec = StackSpec(database=database)
        servers.begin(needed(strategy, spec))
        await fork_server.start(MODULES)
        live = await closing.enter_async_context(
            live_world(
                strategy=strategy,
                spec=spec,
                folder=folder,
                means=Means(
                    options=options, spawner=fork_server, servers=servers, hiccups=HiccupMeter()
                ),
                listeners=Listeners(
                    on_event=lambda _: None, on_process=lambda note: _tell(on_note, note)
                ),
                fixed_ports=True,
            )
        )
        watching = asyncio.create_task(_watch_proxy_server(live, on_note))
        closing.callback(watching.cancel)
        on_note(live.note)
        on_note(f"databases and logs: {folder}")
        removing.pop_all()
        return RunningStack(
            urls={**live.urls, "toxiproxy": live.proxy_server.server.url},
            engine=live.engine,
            folder=folder,
            _closing=closing.pop_all(),
        )
    raise AssertionError  # the stack above swallows nothing


def _make_folder(runs_folder: Path) -> Path:
    try:
        runs_folder.mkdir(parents=True, exist_ok=True)
        return Path(mkdtemp(prefix="up-", dir=runs_folder)).resolve()
    except OSError as error:
        raise StackDidNotStart(
            f"{runs_folder}: cannot keep databases and logs here: {error.strerror}; "
            "make room or choose another folder with --runs-dir"
        ) from error


def _remove_unused(folder: Path) -> None:
    """Remove the folder of a stack that did not start, unless it holds a log to read."""
    with suppress(OSError):
        folder.rmdir()


def _tell(on_note: Callable[[str], None], note: ProcessNote) -> None:
    if note.kind == "process.exited" and not note.asked:
        last = "\n  ".join(note.last_lines)
        said = f"; it said last:\n  {last}" if last else ""
        on_note(f"{note.process} (pid {note.pid}) ended with status {note.exit_status}{said}")


async def _watch_proxy_server(live: LiveWorld, on_note: Callable[[str], None]) -> None:
    await live.proxy_server.wait_died()
    on_note(f"the proxy server (pid {live.proxy_server.pid}) ended; no link carries anything now")
