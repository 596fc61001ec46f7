"""Ports that stay ours for the life of a stack, though the process behind one dies and returns.

A reservation is a socket bound with SO_REUSEADDR that never listens. On Linux a child may bind the
same port, also with SO_REUSEADDR, and listen; while it is dead nobody listens, so callers are
refused, which a listener inherited from the parent would hide (socket(7), ip(7)). Neither
`bind(0)` nor `connect()` of any other process is given a port that somebody has bound.
"""

import contextlib
import errno
import socket
from types import TracebackType
from typing import Self

from checkout_sim.model.errors import StackDidNotStart

LOOPBACK = "127.0.0.1"


class PortReservation:
    """Holds one loopback port until `close`; `port` None takes any free one.

    A fixed port that somebody listens on raises StackDidNotStart, naming who, where the system
    says it.
    """

    def __init__(self, port: int | None = None, *, wanted_by: str = "the stack") -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((LOOPBACK, port or 0))
        except OSError as error:
            self._socket.close()
            raise StackDidNotStart(_refusal(error, port, wanted_by)) from error
        self.port: int = self._socket.getsockname()[1]

    def close(self) -> None:
        """Give the port back; a second call does nothing."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _refusal(error: OSError, port: int | None, wanted_by: str) -> str:
    if error.errno != errno.EADDRINUSE or port is None:
        return f"{LOOPBACK}:{port or 0}: {wanted_by} cannot have this port ({error.strerror})"
    return (
        f"{LOOPBACK}:{port}: the port {wanted_by} needs is taken{holder(port)}; "
        "stop that process, or use a command that takes free ports"
    )


def holder(port: int) -> str:
    """Return ` by pid 812 (postgres)`, or nothing where the system does not tell."""
    import psutil  # noqa: PLC0415  # needed only to explain a failure: 20 ms of every start

    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections(kind="tcp"):
            local = connection.laddr
            listening = connection.status == psutil.CONN_LISTEN
            if listening and local and local.port == port and connection.pid is not None:
                return f" by pid {connection.pid} ({psutil.Process(connection.pid).name()})"
    return ""
