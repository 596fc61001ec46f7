"""limit_data: closes after `bytes` bytes, counted over the connection's life in that direction."""

from typing import ClassVar

from checkout_sim.proxy.chain import Chunk, Stage


class LimitData(Stage):
    """Passes exactly so many bytes, then ends the stream, as `toxics/limit_data.go`."""

    kind: ClassVar[str] = "limit_data"
    attribute_names: ClassVar[tuple[str, ...]] = ("bytes",)

    _passed = 0

    def took(self, chunk: Chunk) -> None:
        """Pass what is left of the limit; close once it is reached."""
        limit = self.toxic.attributes["bytes"]
        part = chunk.data[: max(limit - self._passed, 0)]
        if part:
            self._passed += len(part)
            self.emit(Chunk(part, chunk.read_at))
        if self._passed >= limit:
            self.close()
