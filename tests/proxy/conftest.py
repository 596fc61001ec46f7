"""One suite, two servers: every test here runs against the embedded server and the real one.

The real one is TOXIPROXY_SERVER, else toxiproxy-server on PATH, else the verified cached copy
(`checkout-sim toxiproxy install`). Without it that half is skipped and the summary says so;
CHECKOUT_SIM_REQUIRE_TOXIPROXY=1 makes its absence a failure.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from checkout_sim.stack.proxy_install import find_toxiproxy
from tests.proxy.world import Server, Upstream, World

REQUIRED = os.environ.get("CHECKOUT_SIM_REQUIRE_TOXIPROXY") == "1"


def real_program() -> Path | None:
    named = os.environ.get("TOXIPROXY_SERVER")
    return Path(named) if named else find_toxiproxy().program


def command_of(kind: str) -> list[str]:
    """Give the command that starts a server of this kind; skips or fails where there is none."""
    if kind == "embedded":
        return [sys.executable, "-m", "checkout_sim.proxy"]
    program = real_program()
    if program is None or shutil.which(program) is None:
        if REQUIRED:
            found = find_toxiproxy().explained()
            pytest.fail(f"CHECKOUT_SIM_REQUIRE_TOXIPROXY=1, but no real toxiproxy-server: {found}")
        pytest.skip("REAL HALF NOT RUN: no toxiproxy-server by TOXIPROXY_SERVER, PATH or cache")
    return [str(program)]


@pytest.fixture(scope="session", params=["embedded", "real"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def command(engine: str) -> list[str]:
    return command_of(engine)


@pytest.fixture(scope="session")
def server(
    engine: str, command: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    log = tmp_path_factory.mktemp(engine) / "proxy.log"
    started = Server.start(engine, command, log=log)
    yield started
    started.process.terminate()
    try:
        started.process.wait(5)
    except subprocess.TimeoutExpired:
        started.process.kill()
        started.process.wait()
        raise


@pytest.fixture
async def world(server: Server) -> AsyncIterator[World]:
    """Proxies and upstreams of one test, gone after it."""
    made = World(server)
    yield made
    await made.close()


@pytest.fixture
async def upstream(world: World) -> Upstream:
    return await world.upstream()
