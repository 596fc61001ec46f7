"""From what the engine's command line says to the engine that runs.

Takes parsed arguments and the socket it listens at. Imported once the socket
listens: this is where everything that an engine runs with comes in.
"""

import argparse
import asyncio
import gc
import os
import sys
from socket import socket

from checkout_sim.engine.desk import Setting
from checkout_sim.engine.program import Program, run
from checkout_sim.model.scenario import StackSpec
from checkout_sim.scenario_files.links import link_names
from checkout_sim.scenario_files.shipped import links_path
from checkout_sim.simulation.options import Options
from checkout_sim.stack.servers import DATABASE_URL_VARIABLE

_HAND_OVER_S = 0.0005


def begin(asked: argparse.Namespace, listener: socket) -> None:
    """Run the engine until its end. Raises CheckoutSimError for what it cannot be run with."""
    map_of_links = links_path()
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
    program = Program(setting=setting, options=options, owned=asked.owned, listener=listener)
    asyncio.run(run(program))


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
