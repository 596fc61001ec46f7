"""What a service tells of the link to its database: the transactions that were slow, or failed.

As `call.started` and `call.ended` of services/README.md, so that a fault on that link leaves a
witness like on any other. All of them would be five calls a checkout that nobody reads; a healthy
transaction stays untold. So does a slow read: reconcilers look every tick, and on a busy machine
their telling of it would pass for something still going on.
"""

import itertools

from .clock import SystemClock
from .logs import Event, EventLog

SLOW_MS = 20.0


class Calls:
    """Tells of one link; threads may share it."""

    def __init__(self, link: str, events: EventLog | None) -> None:
        self._link = link
        self._events = events
        self._numbers = itertools.count(1)
        self._clock = SystemClock()

    def now_ms(self) -> float:
        """Return when a call that `tell` will be told of begins."""
        return self._clock.monotonic_ms()

    def tell(self, *, reads: bool, began_ms: float, error: str | None) -> None:
        """Tell of a call that began then, if there is anything to tell."""
        duration_ms = self.now_ms() - began_ms
        well = error is None and (reads or duration_ms < SLOW_MS)
        if self._events is None or well:
            return
        about = {
            "link": self._link,
            "call_id": f"{self._link}-{next(self._numbers)}",
            "attempt": 1,
            "operation": "read" if reads else "commit",
        }
        ended = {**about, "http_status": None, "error": error, "duration_ms": round(duration_ms, 3)}
        self._events.emit_all(
            [
                Event(kind="call.started", order=None, key=None, data=about),
                Event(kind="call.ended", order=None, key=None, data=ended),
            ]
        )
