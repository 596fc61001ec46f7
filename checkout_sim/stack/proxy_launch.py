"""Starts a proxy server as a child that is proved to be ours and dies with us, even by SIGKILL.

Takes the command of the real server or of the embedded one, which have the same options; gives
the running process and its API. Its output goes to a file in the run's folder.
"""

import asyncio
import json
import os
import secrets
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Literal

from checkout_sim.model.errors import StackDidNotStart
from checkout_sim.stack.ports import holder
from checkout_sim.stack.proxy_api import ProxyApi, ProxyApiError

READY_LIMIT_S = 3.0
READY_POLL_S = 0.005
TRIES = 3

# Go's program cannot ask to die with its parent, so this asks and then becomes it: prctl(2)
# PR_SET_PDEATHSIG survives an exec. The parent may have died before: hence the look afterwards.
EXEC_SHIM = """
import os, signal, sys
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A proxy server that can be started, and why it is this one."""

    kind: Literal["toxiproxy", "embedded"]
    command: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """A proxy server that is ready."""

    process: asyncio.subprocess.Process
    api: ProxyApi
    version: str
    log: Path


async def launch(program: Program, *, folder: Path, api_port: int | None) -> Launched:
    """Start the program; on a port it does not get, try another unless one was asked for.

    Raises StackDidNotStart, naming the port and what the program said.
    """
    if api_port is not None and not _is_free(api_port):
        raise StackDidNotStart(
            f"127.0.0.1:{api_port}: the port the proxy server's API needs is taken"
            f"{holder(api_port)}; stop that process, or use a command that takes free ports"
        )
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    for _ in range(TRIES if api_port is None else 1):
        port = api_port or free_port()
        probe = f"probe-{secrets.token_hex(8)}"
        process = await _spawn(program, folder=folder, port=port, probe=probe)
        api = ProxyApi(f"http://127.0.0.1:{port}")
        try:
            if await _ready(process, api, probe):
                await api.delete(probe)
                version, _ = await api.version()
                log = _log_path(folder)
                return Launched(process=process, api=api, version=version, log=log)
        except ProxyApiError:
            pass  # ready, and silent again: try another
        except BaseException:
            await _end(process)
            raise
        await _end(process)
    where = f"port {api_port}" if api_port is not None else f"any of {TRIES} free ports"
    raise StackDidNotStart(
        f"proxy server {' '.join(program.command)}: not ready within {READY_LIMIT_S:.0f} s on "
        f"{where}; it said: {_log_tail(folder) or 'nothing'}. See {_log_path(folder)}"
    )


def _is_free(port: int) -> bool:
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Give a port that is free now; someone else may still take it first."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def _log_path(folder: Path) -> Path:
    return folder / "proxy-server.log"


def _log_tail(folder: Path) -> str:
    lines = _log_path(folder).read_text(encoding="utf-8", errors="replace").splitlines()
    errors = [line for line in lines if '"error"' in line]
    return " ".join((errors or lines)[-3:])


async def _spawn(
    program: Program, *, folder: Path, port: int, probe: str
) -> asyncio.subprocess.Process:
    """Start the program with a disabled proxy of a name only this child can know."""
    config = folder / "proxy-server.json"
    entry = {"name": probe, "listen": "127.0.0.1:0", "upstream": "127.0.0.1:1", "enabled": False}
    config.write_text(json.dumps([entry]), encoding="utf-8")
    options = ["-host", "127.0.0.1", "-port", str(port), "-config", str(config)]
    command = [*program.command, *options]
    environment = dict(os.environ)
    if program.kind == "toxiproxy":
        command = [sys.executable, "-I", "-S", "-c", EXEC_SHIM, str(os.getpid()), *command]
    else:
        environment["CHECKOUT_SIM_PARENT_PID"] = str(os.getpid())
        here = str(Path(__file__).parents[2])
        environment["PYTHONPATH"] = os.pathsep.join(
            [here, *filter(None, [environment.get("PYTHONPATH")])]
        )
    with _log_path(folder).open("wb") as log:  # a file: an unread pipe would block the server
        return await asyncio.create_subprocess_exec(
            *command,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the tool, which still has faults to lift
        )


async def _ready(process: asyncio.subprocess.Process, api: ProxyApi, probe: str) -> bool:
    """Whether our child, and no stranger on its port, answers within the limit."""
    limit = monotonic() + READY_LIMIT_S
    while monotonic() < limit and process.returncode is None:
        try:
            if await api.find(probe) is not None:
                return process.returncode is None
        except ProxyApiError:
            pass  # not listening yet, or a stranger that speaks something else
        await asyncio.sleep(READY_POLL_S)
    return False


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()
