"""What a checkout's latency pays for being watched: headless, in an engine, under the dashboard.

`python -m tests.bench.live [--rounds 3] [--checkouts 200]`. The same load three ways, in turn and
each first in its turn, so that what else the machine does falls on all of them: a run as
`checkout-sim run` makes it; a live session that nobody watches; and one with the real dashboard in
a terminal of 160x48. Ten a second, hardened, nothing broken. A session judges as it goes and fills
each cart between two purchases, a run does both at other times: that difference is the session's
own, and is shown apart.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from checkout_sim.archive.recorder import HISTORY_NAME
from checkout_sim.model.claims import CORE
from checkout_sim.model.command import Buy, Close
from checkout_sim.model.scenario import Expectation, Load, Scenario, Settle
from checkout_sim.ndjson import read_history
from checkout_sim.simulation.options import Options
from checkout_sim.simulation.undisturbed import simulate
from checkout_sim.stream.connect import connect
from tests.bench.table import Figure, show
from tests.bench.tui import dashboard_on
from tests.bench.warm import warm_means
from tests.integration.engine.engine import CART, an_engine, an_operator

ROOT = Path(__file__).parents[2]
STRATEGY, RATE_PER_S = "hardened", 10.0
_WARM = 20  # checkouts that open connections and warm caches, in every one of the three
_REST_S = 4.0  # after the last was sent: far more than a checkout takes, so that all have ended

Watching = Callable[[Path, Path], AbstractAsyncContextManager[object]]


async def measure(*, rounds: int, checkouts: int) -> list[Figure]:
    """Return p50 and p99 of each way, and by how much the dashboard changes a run's."""
    ways: list[tuple[str, Callable[[], Awaitable[list[float]]]]] = [
        ("headless", lambda: _headless(checkouts)),
        ("engine alone", lambda: _session(checkouts, _nobody)),
        ("TUI open", lambda: _session(checkouts, dashboard_on)),
    ]
    took: dict[str, list[float]] = {name: [] for name, _ in ways}
    for turn in range(rounds):
        first = turn % len(ways)  # each comes first as often: what went before leaves its traces
        for name, way in ways[first:] + ways[:first]:
            took[name] += await way()
    about = f"{STRATEGY}, {RATE_PER_S:g}/s, {rounds} x {checkouts} in turn"
    figures = [
        Figure(name=f"checkout {way}, {name}", value=_share(values, share), unit="ms", note=about)
        for name, share in (("p50", 0.5), ("p99", 0.99))
        for way, values in took.items()
    ]
    return [*figures, *_differences(took)]


def _differences(took: dict[str, list[float]]) -> list[Figure]:
    figures: list[Figure] = []
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        watched = _share(took["TUI open"], share)
        for way in ("headless", "engine alone"):
            before = _share(took[way], share)
            figures.append(
                Figure(
                    name=f"checkout TUI open against {way}, {name}",
                    value=(watched / before - 1) * 100,
                    unit="%",
                    target=5.0,
                    note=f"{watched - before:+.1f} ms",
                )
            )
    return figures


async def _headless(checkouts: int) -> list[float]:
    """Return how long each checkout of a run took, in ms."""
    scenario = Scenario(
        name="watched",
        why="The load of a live session, as a run.",
        path="bench",
        digest="",
        load=Load(checkouts=checkouts, rate_per_s=RATE_PER_S),
        settle=Settle(quiet_for_ms=100, stalled_for_ms=6000),
        invariants=CORE,
        expect={STRATEGY: Expectation(verdict="valid")},
    )
    with tempfile.TemporaryDirectory() as made:
        options = Options(runs_folder=Path(made), links_path=ROOT / "toxiproxy.json")
        async with warm_means(options) as means:
            run = await simulate(
                scenario, strategy=STRATEGY, seed=1, means=means, watch=lambda _: None
            )
            return _latencies(run.folder / HISTORY_NAME)


async def _session(checkouts: int, watching: Watching) -> list[float]:
    """Return how long each checkout of a live session took, in ms."""
    with tempfile.TemporaryDirectory(prefix="cs-", dir="/tmp") as made:  # a socket's path is short
        folder = Path(made)
        async with an_engine(folder, "--strategy", STRATEGY) as engine:
            async with an_operator(engine) as operator:
                await operator.until_phase("storm")
            async with watching(engine.socket, folder), connect(engine.socket) as asking:
                await asking.send(Buy(lines=CART, count=checkouts, rate_per_s=RATE_PER_S))
                await asyncio.sleep(checkouts / RATE_PER_S + _REST_S)
                await asking.send(Close())
                await engine.gone()
        [history] = engine.histories
        return _latencies(history)


@asynccontextmanager
async def _nobody(_socket: Path, _folder: Path) -> AsyncIterator[None]:
    yield


def _latencies(history: Path) -> list[float]:
    ended = [one for one in read_history(history) if one.kind == "client.ended"]
    by_checkout = {one.checkout or 0: float(one.data["duration_ms"]) for one in ended}
    return [took for checkout, took in by_checkout.items() if checkout > _WARM]


def _share(values: Sequence[float], share: float) -> float:
    if share == 0.5:
        return statistics.median(values)
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--checkouts", type=int, default=200)
    asked = parser.parse_args()
    print("measuring what being watched costs …", file=sys.stderr)
    show(asyncio.run(measure(rounds=asked.rounds, checkouts=asked.checkouts)))


if __name__ == "__main__":
    main()
