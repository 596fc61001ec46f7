"""One warm fork server per worker, though every run has its own world; stories to go wrong in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from checkout_sim.stack.fork_client import ForkServer
from checkout_sim.stack.hiccups import HiccupMeter
from checkout_sim.stack.servers import Servers
from checkout_sim.stack.topology import MODULES

STORY = """
version: 1
name: story
why: Long enough for something to go wrong in it.
load: {checkouts: 6}
settle: {quiet_for: QUIET, stalled_for: 1s, within: 20s}
faults:
  - name: slow
    link: payment_to_gateway
    toxic: latency
    stream: downstream
    attributes: {latency: 300ms}
expect:
  hardened: valid
"""
QUICK = """
version: 1
name: quick
why: Nothing fails.
load: {checkouts: 2}
expect:
  hardened: valid
"""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def fork_server() -> AsyncIterator[ForkServer]:
    server = ForkServer()
    await server.start(MODULES)
    yield server
    await server.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def servers() -> AsyncIterator[Servers]:
    shared = Servers()
    yield shared
    await shared.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def hiccups() -> AsyncIterator[HiccupMeter]:
    meter = HiccupMeter()
    yield meter
    await meter.close()


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder as a person has it: empty but for a story of their own."""
    (tmp_path / "story.yaml").write_text(STORY.replace("QUIET", "300ms"))
    patient = STORY.replace("QUIET", "15s").replace("name: story", "name: patient")
    (tmp_path / "quick.yaml").write_text(QUICK)
    (tmp_path / "patient.yaml").write_text(patient.replace(": 6}", ": 1}"))
    return tmp_path
