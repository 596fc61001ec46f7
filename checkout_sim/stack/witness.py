"""Reads what one process says on standard output, and hands it on line by line.

Takes the reading end of a pipe; gives ServiceLines in order. It is on the hot path of every
checkout, about twelve lines each. What is no event goes, with a note, to the service's own log.
"""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic_core import from_json  # a quarter of json's time; the scenario parser loads it anyway

from checkout_sim.model.seen import ServiceLine

__all__ = ["ServiceLine", "Witness", "open_pipe"]

PIPE_BYTES = 1024 * 1024  # the most an unprivileged process may ask for (pipe(7))
# Below malloc's threshold for mapping memory: a larger buffer costs each read ten times as much.
_READ_BYTES = 64 * 1024
_LONGEST_LINE_BYTES = 1024 * 1024
_NOTHING: dict[str, Any] = {}


def open_pipe() -> tuple[int, int]:
    """Return (reading end, writing end); the reading end never blocks, and holds much.

    A full pipe would make a service wait for the tool in the middle of a checkout.
    """
    reader, writer = os.pipe()
    os.set_blocking(reader, False)  # os's own signature
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):  # the user's share of pipe memory may be spent
            fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return reader, writer


class Witness:
    """One process's lines. What its counter says is missing goes to `on_gap`, as a sentence.

    `listening` resolves at `process.listening`, or when the pipe ends. A line torn by SIGKILL has
    no newline: it is dropped when the pipe ends, and logged.
    """

    def __init__(
        self,
        source: str,
        instance: int,
        *,
        reader: int,
        log: Path,
        on_event: Callable[[ServiceLine], None],
        on_gap: Callable[[str], None],
    ) -> None:
        self.listening: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._on_gap = on_gap
        self._source = source
        self._instance = instance
        self._reader = reader
        self._log = log
        self._on_event = on_event
        self._rest = b""
        self._n = 0
        self._heard = False

    def start(self) -> None:
        """Begin to read, on the running loop."""
        asyncio.get_running_loop().add_reader(self._reader, self.read)

    def read(self) -> bool:
        """Hand on the whole lines that are waiting; False when there was nothing, or no more."""
        if self._reader < 0:
            return False
        try:
            chunk = os.read(self._reader, _READ_BYTES)
        except BlockingIOError:
            return False
        if not chunk:
            self.close()
            return False
        self._take(chunk)
        return True

    def drain(self) -> None:
        """Hand on everything a process said before it ended, then close."""
        while self.read():
            pass
        self.close()

    def close(self) -> None:
        """Stop reading; what is left of an unfinished line goes to the log."""
        if self._reader < 0:
            return
        asyncio.get_running_loop().remove_reader(self._reader)
        os.close(self._reader)
        self._reader = -1
        self.listening.cancel()  # does nothing when it is resolved
        if self._rest:
            self._complain("a torn last line", self._rest)
            self._rest = b""

    def _take(self, chunk: bytes) -> None:
        lines = (self._rest + chunk).split(b"\n") if self._rest else chunk.split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            self._understand(line)
        if len(self._rest) > _LONGEST_LINE_BYTES:
            self._complain("a line without end", self._rest[:200])
            self._rest = b""

    def _understand(self, line: bytes) -> None:
        try:
            said = from_json(line, cache_strings="keys")
            n, kind, data = said["n"], said["kind"], said.get("data") or _NOTHING
            if type(n) is not int or type(kind) is not str or type(data) is not dict:
                raise TypeError("not the contract's types")  # noqa: TRY301  # one way out
            event = ServiceLine(
                self._source,
                self._instance,
                n,
                said["ms"],
                kind,
                said.get("order"),
                said.get("key"),
                data,
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            if line:
                self._complain("not an event", line)
            return
        if n != self._n + 1:
            self._miss(n)
        self._n = n
        if not self._heard and kind == "process.listening":
            self._heard = True
            self.listening.set_result(None)
        self._on_event(event)

    def _miss(self, n: int) -> None:
        gap = f"{self._source} {self._instance}: line {n} followed line {self._n}"
        self._on_gap(gap)
        self._complain("a gap in the counter", gap.encode())

    def _complain(self, what: str, line: bytes) -> None:
        with self._log.open("ab") as log:
            log.write(b"checkout-sim: standard output held " + what.encode() + b": " + line + b"\n")
