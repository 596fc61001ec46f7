"""latency: every chunk leaves `latency` ± `jitter` milliseconds after it was read."""

import random
from time import monotonic
from typing import ClassVar

from checkout_sim.proxy.chain import Chunk, Stage


class Latency(Stage):
    """Delays data, neither connecting nor the end of the stream, as `toxics/latency.go`."""

    kind: ClassVar[str] = "latency"
    attribute_names: ClassVar[tuple[str, ...]] = ("latency", "jitter")
    capacity: ClassVar[int] = 1024  # chunks under way, as upstream's GetBufferSize

    _held: Chunk | None = None

    def busy(self) -> bool:
        """Whether the first chunk's time has not come."""
        return self._held is not None

    def took(self, chunk: Chunk) -> None:
        """Hold the chunk for what is left of its delay."""
        left_s = self._delay_s() - (monotonic() - chunk.read_at)
        self._held = chunk
        if left_s > 0:
            self.after(left_s, self._pass_on)
        else:
            self._pass_on()

    def _delay_s(self) -> float:
        delay_ms = self.toxic.attributes["latency"]
        jitter_ms = self.toxic.attributes["jitter"]
        if jitter_ms > 0:
            delay_ms += random.randrange(-jitter_ms, jitter_ms)  # noqa: S311 chance, no secret
        return delay_ms / 1000

    def _pass_on(self) -> None:
        chunk, self._held = self._held, None
        if chunk is not None:
            # Stamped anew: the delays of two latency toxics add up.
            self.emit(Chunk(chunk.data, monotonic()))

    def let_go(self) -> None:
        """Pass the chunk whose time has not come."""
        chunk, self._held = self._held, None
        if chunk is not None:
            self.emit(chunk)
