"""One session's stack: a fork server and an event loop that every run of a worker shares.

Takes pytest's configuration, gives a blocking `run`. Runs go one after another: pytest-xdist is
what runs several at a time, each worker with a stack of its own.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from checkout_sim.model.errors import StackDidNotStart
from checkout_sim.model.run import Run
from checkout_sim.model.scenario import Scenario
from checkout_sim.model.wire import require_strategies
from checkout_sim.scenario_files.shipped import links_path
from checkout_sim.simulation.means import Means
from checkout_sim.simulation.options import EngineChoice, Options
from checkout_sim.simulation.undisturbed import simulate
from checkout_sim.stack.fork_client import ForkServer, can_fork
from checkout_sim.stack.hiccups import HiccupMeter
from checkout_sim.stack.launch import launch
from checkout_sim.stack.servers import Servers
from checkout_sim.stack.subprocesses import Subprocesses
from checkout_sim.stack.topology import MODULES


class CheckoutStack:
    """A warm fork server, the loop it is heard on, and the options of every run.

    Made on the thread that pytest runs tests on: the kernel ends the fork server with the thread
    that launched it (`stack/launch.py`), which is why no thread is kept for the loop.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.spawner = ForkServer(launch(MODULES)) if can_fork() else Subprocesses()
        self.servers = Servers()
        self.hiccups = HiccupMeter()
        # A loop of our own making is never set as the thread's: pytest-asyncio's stays in place.
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._warm = False

    def run(
        self,
        scenario: Scenario,
        *,
        strategy: str,
        seed: int | None = None,
        engine: EngineChoice | None = None,
    ) -> Run:
        """Run a scenario once and return what came of it, archived and judged.

        Without a seed it is the scenario's own; without an engine, the session's. Raises
        StackDidNotStart saying what to do next, StrategyUnknown, or RunNotKept.
        """
        require_strategies([strategy])
        options = self.options if engine is None else replace(self.options, engine=engine)
        try:
            return self._wait_for(self._simulated(scenario, strategy, seed, options))
        except StackDidNotStart as failure:
            raise StackDidNotStart(
                f"{failure}\n`checkout-sim doctor` says what is missing here; "
                "--checkout-engine embedded needs no Toxiproxy"
            ) from failure

    def close(self) -> None:
        """End the servers and the fork server, and with it all that is left of any run."""
        try:
            self._runner.run(self._ended())
        finally:
            self._runner.close()

    async def _ended(self) -> None:
        await self.servers.close()
        await self.hiccups.close()
        await self.spawner.close()

    async def _simulated(
        self, scenario: Scenario, strategy: str, seed: int | None, options: Options
    ) -> Run:
        try:
            if not self._warm:
                await self.spawner.start(MODULES)
                self._warm = True
            return await simulate(
                scenario,
                strategy=strategy,
                seed=seed,
                means=Means(
                    options=options,
                    spawner=self.spawner,
                    servers=self.servers,
                    hiccups=self.hiccups,
                ),
                watch=lambda _: None,
            )
        except StackDidNotStart:
            # It may be the fork server that ended; the next run gets a new one.
            self._warm = False
            await self.spawner.close()
            raise

    def _wait_for(self, running: Coroutine[Any, Any, Run]) -> Run:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._runner.run(running)
        running.close()
        raise pytest.UsageError(
            "checkout_run waits for its run on an event loop of its own, so it cannot be called "
            "while another loop runs; call it from a plain `def` test or fixture, not `async def`"
        )


_STACK = pytest.StashKey[CheckoutStack]()


def stack_of(config: pytest.Config) -> CheckoutStack:
    """Return the session's stack, launched at the first call and closed as pytest ends."""
    if _STACK not in config.stash:
        chosen: Path | None = config.getoption("--checkout-runs-dir")
        stack = CheckoutStack(
            Options(
                engine=config.getoption("--checkout-engine"),
                runs_folder=chosen.absolute() if chosen else new_folder(config, "checkout-sim"),
                links_path=links_path().absolute(),
            )
        )
        config.stash[_STACK] = stack
        config.add_cleanup(stack.close)
    return config.stash[_STACK]


def new_folder(config: pytest.Config, name: str) -> Path:
    """Return a new folder in this worker's temporary folder, kept as long as pytest keeps those."""
    # Items that are no functions cannot ask for the fixture tmp_path_factory; this is its value.
    factory: pytest.TempPathFactory = config._tmp_path_factory  # type: ignore[attr-defined]  # noqa: SLF001
    return factory.mktemp(name)
