"""A program like the tool: brings two tiny services up, says so in one line, and waits.

    python -m tests.integration.stack.parent FOLDER

Ctrl-C stops the stack and ends with status 130. Used by tests that kill the tool.
"""

import asyncio
import json
import sys
from pathlib import Path

from checkout_sim.model.seen import ProcessNote
from checkout_sim.stack.fork_client import ForkServer
from checkout_sim.stack.ports import PortReservation
from checkout_sim.stack.supervisor import Supervisor
from tests.integration.stack.world import TINY, tiny


async def run(folder: Path) -> None:
    reserved = [PortReservation(), PortReservation()]
    services = [
        tiny("order", port=reserved[0].port),
        tiny("payment", port=reserved[1].port),
    ]
    pids: dict[str, int] = {}

    def note(seen: ProcessNote) -> None:
        pids[seen.process] = seen.pid

    fork_server = ForkServer()
    await fork_server.start([TINY])
    supervisor = Supervisor(
        services,
        fork_server=fork_server,
        folder=folder,
        on_event=lambda _: None,
        on_process=note,
    )
    try:
        await supervisor.start()
        await supervisor.pause("payment")  # the hardest to be rid of
        up = {"pids": pids, "ports": [each.port for each in reserved]}
        sys.stdout.write(json.dumps(up) + "\n")
        sys.stdout.flush()
        await asyncio.Event().wait()
    finally:
        await supervisor.stop()
        await fork_server.close()


if __name__ == "__main__":
    try:
        asyncio.run(run(Path(sys.argv[1])))
    except KeyboardInterrupt:
        sys.exit(130)
