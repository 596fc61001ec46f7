"""What every run of one command is made with, and shares."""

from dataclasses import dataclass

from checkout_sim.simulation.options import Options
from checkout_sim.stack.fork_client import Spawner
from checkout_sim.stack.hiccups import HiccupMeter
from checkout_sim.stack.servers import Servers


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """The caller's choices, the warm fork server, the servers that stacks borrow, the meter."""

    options: Options
    spawner: Spawner
    servers: Servers
    hiccups: HiccupMeter
