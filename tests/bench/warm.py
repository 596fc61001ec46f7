"""What a measured run is made with: everything warm before, nothing left after."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from checkout_sim.simulation.means import Means
from checkout_sim.simulation.options import Options
from checkout_sim.stack.fork_client import ForkServer
from checkout_sim.stack.hiccups import HiccupMeter
from checkout_sim.stack.servers import Servers
from checkout_sim.stack.topology import MODULES


@asynccontextmanager
async def warm_means(options: Options) -> AsyncIterator[Means]:
    """Yield means with a warm fork server; servers are started by the first run that needs one."""
    spawner = ForkServer()
    means = Means(options=options, spawner=spawner, servers=Servers(), hiccups=HiccupMeter())
    await spawner.start(MODULES)
    try:
        yield means
    finally:
        await means.servers.close()
        await means.hiccups.close()
        await spawner.close()
