"""`make bench`: every figure the project promises, beside its target, in one table.

Takes about ten minutes. `--quick` runs one round of each. Nothing here asserts; a figure that falls
short is printed as SHORT.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench import (
    archive,
    judge_million,
    live,
    proxy_hop,
    reports,
    start,
    strategies,
    throughput,
    tui,
)
from tests.bench.table import Figure, show


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of each")
    throughput.arguments(parser)
    asked = parser.parse_args()
    if asked.quick:
        asked.rounds, asked.checkouts = 1, 300
    os.chdir(Path(__file__).parents[2])
    measures: dict[str, Callable[[], list[Figure]]] = {
        "start": lambda: start.measure(rounds=1 if asked.quick else 3),
        "proxy hop": lambda: proxy_hop.figures(rounds=1 if asked.quick else 5),
        "judging": lambda: judge_million.figures(100_000 if asked.quick else 1_000_000),
        "archive": lambda: archive.figures(runs=100 if asked.quick else 1000),
        "reports": lambda: reports.figures(rounds=1 if asked.quick else 3),
        "costs": lambda: asyncio.run(
            strategies.measure(checkouts=50 if asked.quick else 200, engine=asked.engine)
        ),
        "dashboard": lambda: tui.figures(seconds=5.0 if asked.quick else 15.0),
        "watched": lambda: asyncio.run(
            live.measure(rounds=1 if asked.quick else 3, checkouts=100 if asked.quick else 200)
        ),
        "throughput": lambda: asyncio.run(throughput.measure(asked)),
    }
    figures: list[Figure] = []
    for name, measure in measures.items():
        print(f"measuring {name} …", file=sys.stderr)
        figures += measure()
    show(figures)


if __name__ == "__main__":
    main()
