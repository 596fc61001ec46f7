"""What each strategy costs a single shopper when nothing fails: time, and rows left behind.

`python -m tests.bench.strategies [--checkouts 200]`. One shopper at a time, every link proxied,
SQLite FULL; checkouts per second are `tests.bench.throughput`'s. Rows are counted in the services'
own databases after the run, the gateway's journal included.
"""

import argparse
import asyncio
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from checkout_sim.model.claims import CORE
from checkout_sim.model.run import Run
from checkout_sim.model.scenario import Expectation, Load, Scenario, Settle
from checkout_sim.model.wire import STRATEGIES
from checkout_sim.simulation.options import Options
from checkout_sim.simulation.undisturbed import simulate
from tests.bench.table import Figure, show
from tests.bench.warm import warm_means

ROOT = Path(__file__).parents[2]


async def measure(*, checkouts: int, engine: str = "auto") -> list[Figure]:
    """Return latency and rows per checkout, strategy by strategy."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as made:
        options = Options(
            engine=engine,  # type: ignore[arg-type] # argparse knows the choices
            runs_folder=Path(made),
            links_path=ROOT / "toxiproxy.json",
        )
        async with warm_means(options) as means:
            for strategy in STRATEGIES:
                run = await simulate(
                    _calm(strategy, checkouts),
                    strategy=strategy,
                    seed=1,
                    means=means,
                    watch=lambda _: None,
                )
                figures += _figures(strategy, run, checkouts)
    return figures


def _calm(strategy: str, checkouts: int) -> Scenario:
    return Scenario(
        name="cost",
        why="What a checkout costs when nothing fails.",
        path="bench",
        digest="",
        load=Load(checkouts=checkouts, concurrency=1),
        settle=Settle(quiet_for_ms=100, stalled_for_ms=6000),
        invariants=CORE,
        expect={strategy: Expectation(verdict="valid")},
    )


def _figures(strategy: str, run: Run, checkouts: int) -> list[Figure]:
    note = "" if run.verdict.status == "valid" else f"verdict {run.verdict.status}"
    rows = sum(_rows(file) for file in run.folder.glob("*.db") if file.name != "evidence.db")
    return [
        Figure(
            name=f"{strategy}, one shopper at a time, p50",
            value=run.timings.checkout_p50_ms or 0.0,
            unit="ms",
            note=note,
        ),
        Figure(
            name=f"{strategy}, one shopper at a time, p99",
            value=run.timings.checkout_p99_ms or 0.0,
            unit="ms",
            note=note,
        ),
        Figure(name=f"{strategy}, rows per checkout", value=rows / checkouts, unit="rows"),
    ]


def _rows(file: Path) -> int:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        counts = (
            database.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0]
            for (name,) in tables
            if not name.startswith("sqlite_")
        )
        return sum(counts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkouts", type=int, default=200)
    parser.add_argument("--engine", choices=["auto", "toxiproxy", "embedded"], default="auto")
    asked = parser.parse_args()
    print("measuring what each strategy costs …", file=sys.stderr)
    show(asyncio.run(measure(checkouts=asked.checkouts, engine=asked.engine)))


if __name__ == "__main__":
    main()
