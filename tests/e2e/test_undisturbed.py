"""A run is made again when the machine stood still under it, and only then."""

import asyncio
from pathlib import Path

import pytest

from checkout_sim.archive.runs import read_verdict
from checkout_sim.cli.exits import Exit, of_run
from checkout_sim.scenario_files.load import link_names, load_scenario
from checkout_sim.simulation.means import Means
from checkout_sim.simulation.options import Options, Progress
from checkout_sim.simulation.undisturbed import MOST_REPETITIONS, simulate
from checkout_sim.stack.fork_client import ForkServer
from checkout_sim.stack.hiccups import HiccupMeter
from checkout_sim.stack.servers import Servers
from tests.integration.stack.standing_still import a_meter, stand_still

LINKS = Path(__file__).parents[2] / "toxiproxy.json"
# What it expects never happens, so that every run of it surprises.
NEVER = """
version: 1
name: never
why: Nobody buys anything, it says.
load: {checkouts: 1}
settle: {quiet_for: 1s, stalled_for: 3s, within: 20s}
expect:
  hardened: {verdict: valid, confirmed: 0}
"""


class Disturbing:
    """Stops the meter in the storm of the first runs, as a host would stop everything."""

    def __init__(self, runs: int) -> None:
        self.told: list[str] = []
        self._left = runs
        self._deeds: set[asyncio.Task[None]] = set()

    def __call__(self, progress: Progress) -> None:
        if progress.kind == "again":
            self.told.append(progress.note)
        if progress.kind == "phase" and progress.phase == "storm" and self._left:
            self._left -= 1
            self._deeds.add(asyncio.create_task(self._disturb()))

    async def _disturb(self) -> None:
        process = await a_meter()
        await stand_still(process, 200)


@pytest.fixture
def means(fork_server: ForkServer, servers: Servers, hiccups: HiccupMeter, tmp_path: Path) -> Means:
    return Means(
        options=Options(engine="embedded", runs_folder=tmp_path, links_path=LINKS),
        spawner=fork_server,
        servers=servers,
        hiccups=hiccups,
    )


@pytest.fixture
def never(tmp_path: Path) -> Path:
    path = tmp_path / "never.yaml"
    path.write_text(NEVER)
    return path


@pytest.mark.asyncio(loop_scope="session")
async def test_a_disturbed_run_is_made_again_and_the_next_one_counts(
    means: Means, never: Path
) -> None:
    disturbing = Disturbing(runs=1)
    run = await simulate(
        load_scenario(never, links=link_names(LINKS)),
        strategy="hardened",
        seed=None,
        means=means,
        watch=disturbing,
    )

    assert len(run.in_place_of) >= 1  # the machine may add a disturbance of its own
    assert disturbing.told[0].startswith("the machine stood still for ")
    first = read_verdict(run.folder.parent / run.in_place_of[0])
    assert first is not None
    assert first["surprise_keys"] == ["disturbed"]
    assert first["timings"]["longest_hiccup_ms"] >= 150
    kept = read_verdict(run.folder)
    assert kept is not None
    assert kept["in_place_of"] == list(run.in_place_of)


@pytest.mark.asyncio(loop_scope="session")
async def test_a_machine_that_is_never_still_enough_leaves_the_run_undecided(
    means: Means, never: Path
) -> None:
    run = await simulate(
        load_scenario(never, links=link_names(LINKS)),
        strategy="hardened",
        seed=None,
        means=means,
        watch=Disturbing(runs=1 + MOST_REPETITIONS),
    )

    assert len(run.in_place_of) == MOST_REPETITIONS
    assert run.disturbed
    assert not run.as_expected
    assert of_run(run) is Exit.UNKNOWN
