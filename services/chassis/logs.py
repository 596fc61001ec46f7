"""The event log: one JSON object per line, written before the next statement runs.

The form is wire contract (services/README.md, "Events"). One `os.write` per event and no buffer:
a SIGKILL a microsecond later cannot take the line back, which crash points rely on.
"""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic_core import to_json

from .clock import Clock


class Event(NamedTuple):
    """What an event says, besides its number and time."""

    kind: str
    order: str | None
    key: str | None
    data: Mapping[str, Any]


Listener = Callable[[Mapping[str, Any]], None]


class EventLog:
    """Writes events to a file descriptor and shows them to an in-process listener.

    With `fd=None` and no listener an event costs next to nothing and is not numbered. Threads may
    share it: store functions tell of their writes from the database's.
    """

    __slots__ = ("_clock", "_fd", "_lock", "_n", "listener")

    def __init__(
        self, clock: Clock, *, fd: int | None = 1, listener: Listener | None = None
    ) -> None:
        self._clock = clock
        self._fd = fd
        self._n = 0
        self._lock = threading.Lock()  # an uncontended one costs 50 ns
        self.listener = listener

    def emit(
        self, kind: str, *, order: str | None = None, key: str | None = None, **data: Any
    ) -> None:
        """Write the event `kind` now; `n` counts 1, 2, 3 … without gaps in this process.

        A reader that went away (closed pipe) silences the log instead of ending the service.
        """
        self.emit_all([Event(kind=kind, order=order, key=key, data=data)])

    def emit_all(self, events: Sequence[Event]) -> None:
        """Write events between which nothing happened now, in one write: each wakes the reader."""
        if not events or (self._fd is None and self.listener is None):
            return
        with self._lock:
            ms = round(self._clock.monotonic_ms(), 3)
            numbered = [
                {"n": n, "ms": ms, "kind": kind, "order": order, "key": key, "data": data}
                for n, (kind, order, key, data) in enumerate(events, self._n + 1)
            ]
            self._n += len(numbered)
            if self._fd is not None:
                try:
                    os.write(
                        self._fd,
                        b"".join([to_json(event, fallback=str) + b"\n" for event in numbered]),
                    )
                except BrokenPipeError:
                    self._fd = None
        if self.listener is not None:
            for event in numbered:
                self.listener(event)
