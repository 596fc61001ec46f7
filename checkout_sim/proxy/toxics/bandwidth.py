"""bandwidth: at most `rate` times 1,000 bytes per second; 0 holds everything and loses nothing."""

from time import monotonic
from typing import ClassVar

from checkout_sim.proxy.chain import Chunk, Stage

SLICE_S = 0.1  # large chunks leave in slices of this long, as upstream's
TOO_SHORT_S = 0.0005  # a shorter wait is owed to the next chunk: timers are coarser


class Bandwidth(Stage):
    """Spreads data over time, as `toxics/bandwidth.go`."""

    kind: ClassVar[str] = "bandwidth"
    attribute_names: ClassVar[tuple[str, ...]] = ("rate",)

    _held: bytes | None = None
    _read_at = 0.0
    _owed_s = 0.0
    _asked_at = 0.0

    @classmethod
    def refusal(cls, attributes: dict[str, int]) -> str | None:
        """Refuse a rate below 0, which crashes the Go server."""
        if attributes["rate"] < 0:
            return f"bandwidth rate is {attributes['rate']}, must be 0 (hold) or more"
        return None

    def busy(self) -> bool:
        """Whether part of a chunk is still to go."""
        return self._held is not None

    def started(self) -> None:
        """Owe nothing from before."""
        self._owed_s = 0.0

    def took(self, chunk: Chunk) -> None:
        """Owe the time this chunk takes at the rate."""
        rate = self.toxic.attributes["rate"]
        self._owed_s = self._owed_s + len(chunk.data) / (rate * 1000) if rate else 0.0
        self._held, self._read_at = chunk.data, chunk.read_at
        self._next()

    def _next(self) -> None:
        rate = self.toxic.attributes["rate"]
        if self._held is None or rate == 0:
            return
        self._asked_at = monotonic()
        if len(self._held) > rate * 100:
            self.after(SLICE_S, self._send_slice)
        elif self._owed_s > TOO_SHORT_S:
            self.after(self._owed_s, self._send_rest)
        else:
            self.let_go()

    def _send_slice(self) -> None:
        if self._held is None:
            return
        size = self.toxic.attributes["rate"] * 100
        part, self._held = self._held[:size], self._held[size:]
        self._owed_s -= SLICE_S
        self.emit(Chunk(part, self._read_at))
        self._next()

    def _send_rest(self) -> None:
        self._owed_s -= monotonic() - self._asked_at  # a late timer is made good by the next chunk
        self.let_go()

    def let_go(self) -> None:
        """Pass the rest of the chunk."""
        rest, self._held = self._held, None
        if rest is not None:
            self.emit(Chunk(rest, self._read_at))
