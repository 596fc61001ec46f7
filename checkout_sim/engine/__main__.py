"""`python -m checkout_sim.engine`: what a dashboard starts, and nobody else needs to.

On standard output: one line of JSON with the path of the socket as soon as it listens, and, where
something was judged, one with the verdict before the end. Everything else goes to standard error.
The address of somebody's own PostgreSQL server comes by the environment, since it holds a password
and a command line is everybody's to read.
"""

import argparse
import asyncio
import gc
import os
import sys
from pathlib import Path

from checkout_sim.engine.desk import Setting
from checkout_sim.engine.program import Program, run
from checkout_sim.model.errors import CheckoutSimError
from checkout_sim.model.scenario import StackSpec
from checkout_sim.scenario_files.links import link_names
from checkout_sim.scenario_files.shipped import links_path
from checkout_sim.simulation.options import Options
from checkout_sim.simulation.series import require_strategies
from checkout_sim.stack.servers import DATABASE_URL_VARIABLE

_NO_STACK = 4
_HAND_OVER_S = 0.0005


def main(arguments: list[str]) -> int:
    """Run the engine that the arguments describe; return the exit status."""
    asked = _parser().parse_args(arguments)
    map_of_links = links_path()
    try:
        require_strategies([asked.strategy])
        setting = Setting(
            strategy=asked.strategy,
            spec=StackSpec(time_scale=asked.time_scale, database=asked.database or "sqlite"),
            database=asked.database,
            links=tuple(link_names(map_of_links)),
            runs_folder=asked.runs_dir,
            scenarios_folder=asked.scenarios,
            replay=asked.replay,
            speed=asked.speed,
        )
        options = Options(
            engine=asked.engine,
            toxiproxy_url=asked.toxiproxy_url,
            runs_folder=asked.runs_dir,
            jobs=1,
            links_path=map_of_links,
            database_url=os.environ.get(DATABASE_URL_VARIABLE),
        )
        _keep_the_loop_free()
        asyncio.run(run(Program(setting=setting, options=options, owned=asked.owned)))
    except CheckoutSimError as error:
        print(f"checkout-sim: {error}", file=sys.stderr)  # noqa: T201 - a program of its own
        return _NO_STACK
    return 0


def _keep_the_loop_free() -> None:
    """Keep short what stops the loop that sends shoppers and takes their times.

    The live judge's thread hands the interpreter over every half millisecond instead of five, and
    the collector leaves alone what is loaded and looks seldom at the checkouts that are kept: with
    both as Python has them the loop was 12 ms late (p99) while 60 checkouts were judged, then 5.
    """
    sys.setswitchinterval(_HAND_OVER_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="checkout_sim.engine", description=__doc__)
    parser.add_argument("--strategy", default="naive")
    parser.add_argument("--engine", default="auto", choices=("auto", "toxiproxy", "embedded"))
    parser.add_argument("--toxiproxy-url")
    parser.add_argument("--database", choices=("sqlite", "postgres"))
    parser.add_argument("--runs-dir", type=Path, default=Path(".checkout-sim"))
    parser.add_argument("--scenarios", type=Path, default=Path("scenarios"))
    parser.add_argument("--time-scale", type=float, default=1.0)
    parser.add_argument("--replay", type=Path)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--owned", action="store_true", help="end with standard input")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
