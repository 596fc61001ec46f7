"""The command line of the embedded proxy server: the real one's options, JSON lines on stdout.

With CHECKOUT_SIM_PARENT_PID in the environment it dies with that process, even by SIGKILL.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

from checkout_sim.proxy import addresses
from checkout_sim.proxy.api import VERSION, Api
from checkout_sim.proxy.http_server import HttpConnection

PR_SET_PDEATHSIG = 1
API_BACKLOG = 1024


def main() -> int:
    """Serve until SIGTERM or SIGINT: 0. The API's port is taken: 1."""
    options = _options().parse_args()
    if options.version:
        sys.stdout.write(f"toxiproxy-server version {VERSION}\n")
        return 0
    parent = os.environ.get("CHECKOUT_SIM_PARENT_PID", "")
    if parent.isdigit() and not _die_with(int(parent)):
        return 1
    _raise_descriptor_limit()
    config = _read(options.config) if options.config is not None else None
    try:
        import uvloop  # noqa: PLC0415 absent on some systems, where asyncio's own loop does
    except ImportError:
        return asyncio.run(_serve(options, config))
    return uvloop.run(_serve(options, config))


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m checkout_sim.proxy", description=__doc__)
    parser.add_argument("-host", "--host", default="127.0.0.1", help="the API's address")
    parser.add_argument("-port", "--port", default="8474", help="the API's port")
    parser.add_argument("-config", "--config", type=Path, help="proxies to create, as /populate")
    parser.add_argument("-seed", "--seed", type=int, help="for toxicity below 1")
    parser.add_argument("-version", "--version", action="store_true", help="print the version")
    return parser


def _die_with(parent: int) -> bool:
    """Ask to be killed with the parent; False if it is gone already (prctl(2))."""
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 only where it is needed: start-up time

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    return os.getppid() == parent


def _raise_descriptor_limit() -> None:
    """Allow as many descriptors as the system lets us: a connection takes two."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 not on Windows

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _read(config: Path) -> bytes | None:
    try:
        return config.read_bytes()
    except OSError as error:  # only said, as the real server does
        say({"level": "error", "error": str(error), "message": "Error reading config file"})
        return None


def say(line: dict[str, Any]) -> None:
    """Write one JSON line to stdout at once."""
    sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")
    sys.stdout.flush()


async def _serve(options: argparse.Namespace, config: bytes | None) -> int:
    loop = asyncio.get_running_loop()
    chance = SystemRandom() if options.seed is None else Random(options.seed)  # noqa: S311
    api = Api(chance=chance, say=say)
    address = addresses.join(options.host, options.port)
    try:
        bound = addresses.listen(address, backlog=API_BACKLOG)
    except addresses.AddressError as error:
        say({"level": "error", "error": str(error), "message": "Server finished with error"})
        return 1
    if config is not None:
        say({"level": "info", "message": await api.populate_from(config)})
    server = await loop.create_server(lambda: HttpConnection(api.handle), sock=bound)
    say({"level": "info", "address": address, "message": "Starting Toxiproxy HTTP server"})
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
    server.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
