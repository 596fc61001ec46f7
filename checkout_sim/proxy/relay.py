"""Carries bytes between a client and its upstream: straight through, or along a chain of toxics.

A connection has two ends (sockets) and two links (directions). While a link has no toxics, what
is read is written to the other socket at once: no task, no queue. End of stream and the order of
events follow `link.go` of Shopify/toxiproxy 2.12.0: the end of one direction closes the whole
socket it leads to, which ends the other direction; there is no half-close.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from time import monotonic
from typing import cast

from checkout_sim.proxy.chain import Ahead, Chunk, Stage, Toxic

READ_SIZE = 32 * 1024  # one chunk at most, as Go's io.Copy reads
RST_ON_CLOSE = struct.pack("ii", 1, 0)


def discard(data: bytes) -> None:
    """Take data nobody is there for."""
    del data


class End(asyncio.Protocol):
    """One socket of a connection: the source of one link and the destination of the other."""

    __slots__ = (
        "_early",
        "_ended_early",
        "connected",
        "forward",
        "gone",
        "incoming",
        "lost",
        "outgoing",
        "over",
        "transport",
    )

    def __init__(self, connected: "Callable[[End], None]") -> None:
        self.connected = connected
        self.forward: Callable[[bytes], None] = self._keep  # what data_received does, kept current
        self._early: list[bytes] = []
        self._ended_early = False
        self.transport: asyncio.Transport
        self.outgoing: Link | None = None  # carries what is read here
        self.incoming: Link | None = None  # brings what is written here
        self.gone = False  # nothing more is read or written, though a close may still be flushing
        self.over = False  # the socket is closed
        self.lost: Callable[[], None] = lambda: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Tell the connection."""
        self.transport = cast("asyncio.Transport", transport)
        self.connected(self)

    def _keep(self, data: bytes) -> None:
        """Keep what comes before the other end is there.

        Pausing in connection_made would be simpler, but uvloop starts reading after it.
        """
        self._early.append(data)
        self.transport.pause_reading()

    def begin(self, outgoing: "Link", incoming: "Link") -> None:
        """Carry data from now on, what came early first."""
        self.outgoing, self.incoming = outgoing, incoming
        early, self._early = self._early, []
        if early:
            self.transport.resume_reading()
        for data in early:
            self.forward(data)
        if self._ended_early:
            outgoing.end()

    def data_received(self, data: bytes) -> None:
        """Pass on what was read, the shortest way there is."""
        self.forward(data)

    def eof_received(self) -> bool:
        """Send the end along the chain; keep this socket open for what is still to be written."""
        if self.outgoing is not None:
            self.outgoing.end()
        else:
            self._ended_early = True
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """End both links: one lost its source, the other its destination."""
        del exc
        self.gone = self.over = True
        self.forward = discard
        if self.incoming is not None:
            self.incoming.lose_destination()
        if self.outgoing is not None:
            self.outgoing.end()
        self.lost()

    def pause_writing(self) -> None:
        """Stop taking from the chain: this socket's buffer is full."""
        if self.incoming is not None:
            self.incoming.destination_full(full=True)

    def resume_writing(self) -> None:
        """Take from the chain again."""
        if self.incoming is not None:
            self.incoming.destination_full(full=False)


class Link:
    """One direction of one connection: from `source` through `stages` to `destination`.

    It is itself what the last stage gives its chunks to.
    """

    __slots__ = (
        "_draw",
        "_ended",
        "_full",
        "_on_hit",
        "_paused",
        "destination",
        "source",
        "stages",
    )

    def __init__(
        self,
        source: End,
        destination: End,
        *,
        draw: Callable[[], float],
        on_hit: Callable[[Toxic], None],
    ) -> None:
        self.source = source
        self.destination = destination
        self.stages: list[Stage] = []
        self._draw = draw
        self._on_hit = on_hit
        self._ended = False  # the end of the source was passed on
        self._full = False  # the destination's buffer is
        self._paused = False  # the source is
        self._choose_way()

    # -- data

    def _choose_way(self) -> None:
        if self.destination.gone:
            self.source.forward = discard
        elif self.stages:
            self.source.forward = self._feed
        else:
            self.source.forward = self.destination.transport.write

    def _feed(self, data: bytes) -> None:
        read_at = monotonic()
        first = self.stages[0]
        if len(data) <= READ_SIZE:
            first.offer(Chunk(data, read_at))
        else:
            for start in range(0, len(data), READ_SIZE):
                first.offer(Chunk(data[start : start + READ_SIZE], read_at))
        self.room_behind()

    def end(self) -> None:
        """Send the end of the source along the chain, once."""
        if self._ended:
            return
        self._ended = True
        if self.stages:
            self.stages[0].offer(None)
        else:
            self.offer(None)

    def has_room(self) -> bool:
        """Whether the destination's buffer has room."""
        return not self._full

    def offer(self, chunk: Chunk | None) -> None:
        """Write to the destination; the end of the stream closes it in both directions."""
        if self.destination.gone:
            return
        if chunk is not None:
            self.destination.transport.write(chunk.data)
        else:
            self.destination.gone = True
            self._choose_way()
            self.destination.transport.close()

    def lose_destination(self) -> None:
        """Drop what is held for a destination that is gone; go on reading, for the end."""
        for stage in self.stages:
            stage.dispose()
        self._full = False
        self._choose_way()
        self.room_behind()

    # -- back-pressure

    def destination_full(self, *, full: bool) -> None:
        """Note whether the destination's buffer is full; the last stage or the source waits."""
        self._full = full
        if self.stages and not full:
            self.stages[-1].advance()
        self.room_behind()

    def room_behind(self) -> None:
        """Read from the source exactly while the chain has room."""
        first: Ahead = self.stages[0] if self.stages else self
        paused = not first.has_room()
        if paused != self._paused and not self.source.gone:
            self._paused = paused
            if paused:
                self.source.transport.pause_reading()
            else:
                self.source.transport.resume_reading()

    # -- toxics

    def add(self, stage_type: type[Stage], toxic: Toxic) -> None:
        """Put a toxic at the end of the chain; what the last one held passes it by."""
        stage = stage_type(toxic, draw=self._draw(), on_hit=self._on_hit)
        stage.ahead = self
        last = self.stages[-1] if self.stages else None
        if self.destination.gone or (last.closed if last else self._ended):
            stage.closed = True  # the end has passed already
        if last is not None:
            last.release()
            last.ahead = stage
        stage.behind = self.room_behind if last is None else last.advance
        self.stages.append(stage)
        self._choose_way()
        stage.resume()
        if last is not None:
            last.resume()

    def change(self, toxic: Toxic) -> None:
        """Let a toxic's new attributes hold."""
        for stage in self.stages:
            if stage.toxic is toxic:
                stage.changed()

    def remove(self, toxic: Toxic) -> None:
        """Take a toxic out; what it and the one before it held passes at once."""
        index = next((i for i, stage in enumerate(self.stages) if stage.toxic is toxic), None)
        if index is None or not self.stages[index].removed():
            return
        gone = self.stages.pop(index)
        before = self.stages[index - 1] if index > 0 else None
        if before is not None:
            before.ahead = gone.ahead
            before.release()
        if index < len(self.stages):
            self.stages[index].behind = self.room_behind if before is None else before.advance
        self._choose_way()
        if before is not None:
            before.resume()
        self.room_behind()

    def dispose(self) -> None:
        """Forget all that is held."""
        for stage in self.stages:
            stage.dispose()


def reset_on_close(end: End) -> None:
    """Make this socket's close an RST (SO_LINGER of 0 s)."""
    raw = cast("socket.socket", end.transport.get_extra_info("socket"))
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST_ON_CLOSE)
