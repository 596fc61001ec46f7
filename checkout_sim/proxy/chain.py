"""The chain of toxics on one direction of one connection: stages that pass chunks along.

A stage takes chunks from the one before it and gives them to the one ahead; the last gives to
the socket. It follows `link.go` and `toxics/toxic.go` of Shopify/toxiproxy 2.12.0, without
goroutines: what blocks there is a full inbox here, and what an interrupt does there is `release`.
Chunks are (bytes, monotonic seconds of their reading); None stands for the end of the stream.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import ClassVar, NamedTuple, Protocol


class Chunk(NamedTuple):
    """What one read gave, and when, in monotonic seconds."""

    data: bytes
    read_at: float


@dataclass(slots=True, kw_only=True)
class Toxic:
    """A toxic as the API knows it; its attributes change under PATCH, its stages look here."""

    name: str
    kind: str
    stream: str
    toxicity: float
    attributes: dict[str, int] = field(default_factory=dict)

    @property
    def upstream(self) -> bool:
        """Whether it works on what the client sends; the API ignores the case of `stream`."""
        return self.stream.lower() == "upstream"


class Ahead(Protocol):
    """What a stage gives its chunks to: another stage, or the socket at the end."""

    def has_room(self) -> bool:
        """Whether another chunk is welcome now."""
        ...

    def offer(self, chunk: Chunk | None) -> None:
        """Take a chunk, welcome or not; None ends the stream."""
        ...


class Timer:
    """Calls back after a delay, never before it.

    uvloop rounds to milliseconds and may fire up to one early; a promised latency is a lower bound.
    """

    __slots__ = ("_call", "_due", "_handle", "_loop")

    def __init__(self, delay_s: float, call: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._call = call
        self._due = monotonic() + delay_s
        self._handle = self._loop.call_later(delay_s, self._fire)

    def _fire(self) -> None:
        left_s = self._due - monotonic()
        if left_s > 0:
            self._handle = self._loop.call_later(max(left_s, 0.001), self._fire)
        else:
            self._call()

    def cancel(self) -> None:
        """Never call back."""
        self._handle.cancel()


class Stage:
    """One toxic at work on one direction of one connection.

    `draw` is this stage's share of chance in [0, 1): the toxic acts when it is below the toxicity.
    """

    kind: ClassVar[str]
    attribute_names: ClassVar[tuple[str, ...]] = ()
    capacity: ClassVar[int] = 1
    resets: ClassVar[bool] = False  # close with RST what was opened while this toxic was there

    def __init__(self, toxic: Toxic, *, draw: float, on_hit: Callable[[Toxic], None]) -> None:
        self.toxic = toxic
        self.ahead: Ahead
        self.behind: Callable[[], None]
        self.closed = False
        self._draw = draw
        self._on_hit = on_hit
        self._was_hit = False
        self._inbox: deque[Chunk | None] = deque()
        self._timer: Timer | None = None
        self._stalled: Callable[[], None] | None = None
        self._advancing = False

    # -- what a toxic says of itself

    @classmethod
    def refusal(cls, attributes: dict[str, int]) -> str | None:
        """Say why these attributes cannot be had, or None."""
        del attributes
        return None

    def took(self, chunk: Chunk) -> None:
        """Work on a chunk: emit it, hold it, or drop it."""
        self.emit(chunk)

    def ended(self) -> None:
        """Answer the end of the stream."""
        self.close()

    def started(self) -> None:
        """Begin, or begin again after a change; a clock that needs no data starts here."""

    def let_go(self) -> None:
        """Emit at once whatever is held (the toxic was interrupted)."""

    def busy(self) -> bool:
        """Whether a chunk is held, so that the next must wait."""
        return False

    # -- what the chain asks of it

    @property
    def active(self) -> bool:
        """Whether chance let this toxic work on this connection."""
        return self._draw < self.toxic.toxicity

    def has_room(self) -> bool:
        """Whether another chunk is welcome now."""
        return self.closed or len(self._inbox) < self.capacity

    def offer(self, chunk: Chunk | None) -> None:
        """Take a chunk into the inbox and work on it as soon as possible."""
        if not self.closed:
            self._inbox.append(chunk)
            self.advance()

    def advance(self) -> None:
        """Work on as many chunks as neither hold up nor find the stage ahead full."""
        if self._advancing:
            return
        self._advancing = True
        try:
            if self._stalled is not None and self.ahead.has_room():
                call, self._stalled = self._stalled, None
                call()
            while self._inbox and not self.closed and not self.busy() and self.ahead.has_room():
                self._work_on(self._inbox.popleft())
        finally:
            self._advancing = False
        if self.has_room():
            self.behind()

    def _work_on(self, chunk: Chunk | None) -> None:
        if self.active and not self._was_hit:
            self._was_hit = True
            self._on_hit(self.toxic)
        if chunk is None:
            if self.active:
                self.ended()
            else:
                self.close()
        elif not self.active:
            self.emit(chunk)
        else:
            self.took(chunk)

    def release(self) -> None:
        """Let what is held pass now; what waits behind it is worked on anew."""
        self.cancel_timer()
        self.let_go()

    def changed(self) -> None:
        """Follow a PATCH: held data passes at once, then the new attributes hold."""
        self.release()
        self.resume()

    def resume(self) -> None:
        """Work on, after an interruption."""
        if not self.closed:
            self.started()
            self.advance()

    def removed(self) -> bool:
        """Leave the chain: all that was kept passes now. False: it has to stay to the end."""
        if self.closed:
            return False
        self.release()
        while self._inbox:
            chunk = self._inbox.popleft()
            if chunk is None:
                self.close()
                return False
            self.emit(chunk)
        return True

    def dispose(self) -> None:
        """Forget everything: the connection is gone."""
        self.cancel_timer()
        self._inbox.clear()
        self.closed = True

    # -- what a toxic may do

    def emit(self, chunk: Chunk | None) -> None:
        """Pass a chunk on."""
        if not self.closed:
            self.ahead.offer(chunk)

    def close(self) -> None:
        """End the stream: whatever still comes is dropped, and the socket ahead closes."""
        if not self.closed:
            self.cancel_timer()
            self._inbox.clear()
            self.closed = True
            self.ahead.offer(None)

    def after(self, delay_s: float, call: Callable[[], None]) -> None:
        """Call back after a delay, and then only once the stage ahead has room."""
        self._timer = Timer(delay_s, lambda: self._when_room(call))

    def close_after(self, delay_s: float) -> None:
        """End the stream after a delay, whether or not the stage ahead has room."""
        self._timer = Timer(delay_s, self.close)

    def _when_room(self, call: Callable[[], None]) -> None:
        self._timer = None
        if self.ahead.has_room():
            call()
            self.advance()
        else:
            self._stalled = call

    def cancel_timer(self) -> None:
        """Forget what was to be called back."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._stalled = None

    def put_back(self, chunk: Chunk | None) -> None:
        """Return a chunk to the front of the inbox, to be worked on anew."""
        self._inbox.appendleft(chunk)
