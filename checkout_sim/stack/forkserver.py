"""Program: imports the services once, then forks one process per request, warm.

    python -m checkout_sim.stack.forkserver --socket FD --parent PID MODULE…

Takes requests on a SOCK_SEQPACKET unix socket, one JSON message each, and answers likewise:

    → {"id": 1, "module": "services.order", "name": "order.1", "prefix": "ORDER_", "told": {…},
       "late": [MODULE…]}                     + [stdout, stderr]
    ← {"ready": [MODULE…]}                    once, when everything is imported
    ← {"id": 1, "pid": 4711}                  + [pidfd]
    ← {"pid": 4711, "exit_status": -9}        once per child, after it is reaped

It preloads imports only: no loop, no thread, no connection, so that fork is safe. It has one
thread and one blocking wait. Nothing outlives it: the kernel kills it when the thread that
started it ends, and kills each child when it ends itself (prctl(2), PR_SET_PDEATHSIG); the end of
its socket means the same, should that signal be missed. Linux only.
"""

import contextlib
import ctypes
import gc
import importlib
import importlib.util
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

MESSAGE_BYTES = 256 * 1024
_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
# What libraries import only once they are used: each child would import it anew at every start.
_LATE = (
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.lifespan.on",
    "pydantic.v1",  # by FastAPI, at its first route
    "stripe._stripe_client",
)
# Imported where they happen to be installed, and used by no service: httpx's command line, with it
# rich and pygments, and what the SDK of Stripe would send with if payment did not say what with.
_NEVER = ("httpx._main", "requests")
_libc = ctypes.CDLL(None, use_errno=True)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent ends; end now if it has ended already."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def environment(
    inherited: Mapping[str, str], *, prefix: str, told: Mapping[str, str]
) -> dict[str, str]:
    """Return a service's whole environment: what is inherited, less stray settings of its own.

    An exported ORDER_LEASE_MS of the operator's shell would otherwise alter every run.
    """
    kept = {key: value for key, value in inherited.items() if not key.startswith(prefix)}
    return kept | dict(told)


def preload(modules: Sequence[str]) -> None:
    """Import each module and its `__main__`, where it has one, and what these will import late."""
    gc.disable()  # imports make no garbage worth a collection; children turn it on again
    for module in _NEVER:
        sys.modules[module] = None  # type: ignore[assignment]  # importing it is an ImportError
    for module in modules:
        is_package = hasattr(importlib.import_module(module), "__path__")
        if is_package and importlib.util.find_spec(f"{module}.__main__") is not None:
            importlib.import_module(f"{module}.__main__")
    for module in _LATE:
        if module.partition(".")[0] in sys.modules:
            with contextlib.suppress(ImportError):  # another version's name: children may know it
                importlib.import_module(module)
    gc.freeze()  # what is loaded stays shared: no child's collector writes to these pages


def preload_late(modules: Sequence[str]) -> None:
    """Import what only some strategies need, once, when the first of them is to be forked.

    One that cannot be imported is the child's to report: it tries as well, and says why.
    """
    missing = [module for module in modules if module not in sys.modules]
    for module in missing:
        with contextlib.suppress(Exception):
            importlib.import_module(module)
    if missing:
        gc.freeze()


class ForkServer:
    """Forks, reaps and reports; `serve` returns when the other end of the socket is closed."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children: dict[int, int] = {}  # pidfd → pid
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)

    def serve(self) -> None:
        """Answer requests until the tool is gone."""
        while True:
            for descriptor, _ in self._poll.poll():
                if descriptor in self._children:
                    self._reap(descriptor)
                elif not self._answer():
                    return

    def _answer(self) -> bool:
        """Handle one request; False at the end of the socket."""
        message, descriptors, _, _ = socket.recv_fds(self._control, MESSAGE_BYTES, 2)
        if not message:
            return False
        request = json.loads(message)
        preload_late(request.get("late", ()))
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            become(request, parent=parent, stdout=descriptors[0], stderr=descriptors[1])
        for descriptor in descriptors:
            os.close(descriptor)
        pidfd = os.pidfd_open(pid)
        self._children[pidfd] = pid
        self._poll.register(pidfd, select.POLLIN)
        reply = json.dumps({"id": request["id"], "pid": pid}).encode()
        socket.send_fds(self._control, [reply], [pidfd])
        return True

    def _reap(self, pidfd: int) -> None:
        pid = self._children.pop(pidfd)
        self._poll.unregister(pidfd)
        os.close(pidfd)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        self._control.send(json.dumps({"pid": pid, "exit_status": status}).encode())


def become(request: Mapping[str, Any], *, parent: int, stdout: int, stderr: int) -> None:
    """Turn the fork just made into the service: never returns."""
    status = 70
    try:
        _settle_in(request["name"], parent=parent, stdout=stdout, stderr=stderr)
        told = environment(os.environ, prefix=request["prefix"], told=request["told"])
        status = _run(request["module"], told)
    except SystemExit as ended:
        status = _exit_status(ended.code)
    except BaseException:  # noqa: BLE001  # the outermost boundary of a process
        traceback.print_exc()
        status = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)  # atexit and finally blocks above belong to the fork server


def _settle_in(name: str, *, parent: int, stdout: int, stderr: int) -> None:
    """Take the descriptors, and keep nothing of the fork server's but its imports."""
    die_with(parent)
    os.setpgid(0, 0)
    _libc.prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)  # what ps and top show
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    highest = max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())
    os.closerange(3, highest + 1)
    sys.stdout = open(1, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115
    signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.enable()


def _run(module: str, environ: Mapping[str, str]) -> int:
    """Call `main(environ)` of the module's `__main__`, in that environment."""
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = [module]
    ended = importlib.import_module(f"{module}.__main__").main(os.environ)
    return _exit_status(ended)


def _exit_status(code: object) -> int:
    """Return what the interpreter would make of this argument to sys.exit."""
    if code is None or isinstance(code, int):
        return (code or 0) & 0xFF
    sys.stderr.write(f"{code}\n")
    return 1


def main(arguments: Sequence[str]) -> None:
    """Preload, say so, and serve."""
    _, descriptor, _, parent, *modules = arguments
    die_with(int(parent))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Closed by the kernel alone, so that a traceback is written before the tool hears of the end.
    control = socket.socket(fileno=int(descriptor))
    preload(modules)
    control.send(json.dumps({"ready": modules}).encode())
    ForkServer(control).serve()
    os._exit(0)  # nothing of the services' imports needs an orderly end


if __name__ == "__main__":
    main(sys.argv[1:])
