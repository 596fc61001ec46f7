"""Every scenario against every strategy: several runs at a time, each in its own world."""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from checkout_sim.model.errors import Problem, ScenarioInvalid
from checkout_sim.model.run import Run
from checkout_sim.model.scenario import Scenario
from checkout_sim.model.wire import DATABASE_LINKS, require_strategies
from checkout_sim.simulation.attending import Attendant
from checkout_sim.simulation.means import Means
from checkout_sim.simulation.options import DatabaseChoice, Options, Progress
from checkout_sim.simulation.single import Planned, planned_run
from checkout_sim.simulation.undisturbed import simulate_undisturbed
from checkout_sim.stack.fork_client import Child, ForkServer, can_fork
from checkout_sim.stack.hiccups import HiccupMeter
from checkout_sim.stack.launch import Launched
from checkout_sim.stack.servers import ServerName, Servers, needed
from checkout_sim.stack.subprocesses import Subprocesses
from checkout_sim.stack.topology import MODULES, Service

_DATABASE_TARGETS = frozenset({"database", *DATABASE_LINKS.values()})


def pairs(
    scenarios: Sequence[Scenario], strategies: Sequence[str] | None
) -> list[tuple[Scenario, str]]:
    """Return what is to run: every strategy a scenario expects something of, or those asked for."""
    return [
        (scenario, strategy)
        for scenario in scenarios
        for strategy in (strategies or scenario.expect)
    ]


async def simulate_all(
    scenarios: Sequence[Scenario],
    *,
    strategies: Sequence[str] | None,
    seed: int | None,
    options: Options,
    watch: Callable[[Progress], None],
    launched: Launched | None = None,
) -> AsyncIterator[Run]:
    """Yield the runs of every scenario with every strategy asked for, as `simulate_each` does."""
    require_strategies(strategies or ())
    runs = simulate_pairs(
        pairs(scenarios, strategies), seed=seed, options=options, watch=watch, launched=launched
    )
    async with contextlib.aclosing(runs):
        async for run in runs:
            yield run


async def simulate_pairs(
    asked: Sequence[tuple[Scenario, str]],
    *,
    seed: int | None,
    options: Options,
    watch: Callable[[Progress], None],
    launched: Launched | None = None,
    attend: Callable[[Planned], Attendant] | None = None,
) -> AsyncGenerator[Run, None]:
    """Yield the run of each scenario with the strategy beside it, as `simulate_each` does."""
    require_strategies([strategy for _, strategy in asked])
    planned = (planned_run(scenario, strategy=strategy, seed=seed) for scenario, strategy in asked)
    runs = simulate_each(
        planned,
        options=options,
        watch=watch,
        launched=launched,
        attend=attend,
        shared=shared_servers(asked),
    )
    async with contextlib.aclosing(runs):
        async for run in runs:
            yield run


def shared_servers(asked: Sequence[tuple[Scenario, str]]) -> frozenset[ServerName]:
    """Return which servers some of these runs will share: those that no fault of theirs strikes."""
    return frozenset(
        name
        for scenario, strategy in asked
        for name in needed(strategy, scenario.stack)
        if not any(name in getattr(fault.kind, "processes", ()) for fault in scenario.faults)
    )


def on_database(scenario: Scenario, database: DatabaseChoice) -> Scenario:
    """Return the scenario on another database.

    Raises ScenarioInvalid when it strikes one that would no longer be there.
    """
    stack = replace(scenario.stack, database=database)
    for fault in scenario.faults:
        strikes = {*getattr(fault.kind, "links", ()), *getattr(fault.kind, "processes", ())}
        if database == "sqlite" and strikes and strikes <= _DATABASE_TARGETS:
            told = (
                f'fault "{fault.name}" strikes {", ".join(sorted(strikes))}, and SQLite is a file '
                "with neither; run it without --database sqlite"
            )
            raise ScenarioInvalid((Problem(path=scenario.path, line=1, column=1, message=told),))
    return replace(scenario, stack=stack)


async def simulate_each(
    asked: Iterable[Planned],
    *,
    options: Options,
    watch: Callable[[Progress], None],
    launched: Launched | None = None,
    attend: Callable[[Planned], Attendant] | None = None,
    shared: Collection[ServerName] = (),
) -> AsyncGenerator[Run, None]:
    """Yield runs as they finish, `options.jobs` at a time over one warm fork server.

    `launched` is a fork server already on its way; `attend` gives each run its attendant;
    `shared` servers, which start slowly, are begun before the run that needs them. With
    `fail_fast` nothing new begins after a run that is not as expected. Raises what
    `simulate_undisturbed` raises, after the other worlds are down.
    """
    waiting = iter(asked)
    finished: asyncio.Queue[Run | BaseException | None] = asyncio.Queue()
    fork_server = ForkServer(launched) if can_fork() else Subprocesses()
    servers = Servers(database_url=options.database_url)
    stopping = asyncio.Event()

    async def work() -> None:
        try:
            for planned in waiting:
                run = await simulate_undisturbed(planned, means=means, watch=watch, attend=attend)
                if options.fail_fast and run.as_expected is False:
                    stopping.set()
                finished.put_nowait(run)
                if stopping.is_set():
                    return
        except BaseException as failure:
            finished.put_nowait(failure)
            raise
        finally:
            finished.put_nowait(None)

    workers: list[asyncio.Task[None]] = []
    warming = asyncio.create_task(fork_server.start(MODULES))
    means = Means(
        options=options,
        spawner=_WhenWarm(fork_server, warming),
        servers=servers,
        hiccups=HiccupMeter(),
    )
    try:
        servers.begin(shared)
        workers = [asyncio.create_task(work()) for _ in range(_at_a_time(options))]
        working = len(workers)
        while working:
            match await finished.get():
                case None:
                    working -= 1
                case Run() as run:
                    yield run
                case failure:
                    raise failure
    finally:
        for task in (warming, *workers):
            task.cancel()
        await asyncio.gather(warming, *workers, return_exceptions=True)
        await servers.close()
        await means.hiccups.close()
        await fork_server.close()


def _at_a_time(options: Options) -> int:
    """Return how many runs go on together: one where all make their links on one server."""
    attached = options.engine != "embedded" and (
        options.toxiproxy_url or os.environ.get("TOXIPROXY_URL")
    )
    return 1 if attached else max(1, options.jobs)


class _WhenWarm:
    """A spawner to hand out before the fork server has imported everything.

    Ports and the proxy server are had meanwhile; only a service has to wait.
    """

    def __init__(self, fork_server: ForkServer | Subprocesses, warming: asyncio.Task[None]) -> None:
        self._fork_server = fork_server
        self._warming = warming

    async def spawn(self, service: Service, stdout_fd: int, stderr_path: Path) -> Child:
        """Start the service once that is possible. Raises StackDidNotStart."""
        await asyncio.shield(self._warming)
        return await self._fork_server.spawn(service, stdout_fd, stderr_path)
