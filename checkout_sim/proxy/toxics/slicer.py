"""slicer: cuts chunks into slices of `average_size` ± `size_variation` bytes, `delay` µs apart."""

import random
from collections import deque
from typing import ClassVar

from checkout_sim.proxy.chain import Chunk, Stage


class Slicer(Stage):
    """Sends data in small pieces and loses none, as `toxics/slicer.go`."""

    kind: ClassVar[str] = "slicer"
    attribute_names: ClassVar[tuple[str, ...]] = ("average_size", "size_variation", "delay")

    _slices: deque[bytes]
    _pausing = False
    _read_at = 0.0

    @classmethod
    def refusal(cls, attributes: dict[str, int]) -> str | None:
        """Refuse sizes that crash the Go server."""
        average, variation = attributes["average_size"], attributes["size_variation"]
        if average < 1:
            return f"slicer average_size is {average}, must be at least 1"
        if not 0 <= variation < average:
            return f"slicer size_variation is {variation}, must be 0 to {average - 1}"
        return None

    def busy(self) -> bool:
        """Whether slices are still to go."""
        return self._pausing

    def took(self, chunk: Chunk) -> None:
        """Cut the chunk and send the first slice."""
        ends = cut(
            len(chunk.data),
            average=self.toxic.attributes["average_size"],
            variation=self.toxic.attributes["size_variation"],
        )
        starts = [0, *ends[:-1]]
        self._slices = deque(chunk.data[start:end] for start, end in zip(starts, ends, strict=True))
        self._read_at = chunk.read_at
        self._next()

    def _next(self) -> None:
        self._pausing = bool(self._slices)
        if self._slices:
            self.emit(Chunk(self._slices.popleft(), self._read_at))
            self.after(max(self.toxic.attributes["delay"], 0) / 1_000_000, self._next)

    def let_go(self) -> None:
        """Pass the rest of the chunk in one piece."""
        if self._pausing:
            self._pausing = False
            rest = b"".join(self._slices)
            if rest:
                self.emit(Chunk(rest, self._read_at))


def cut(size: int, *, average: int, variation: int) -> list[int]:
    """Give the ends of slices of `size` bytes: halved until close to the average, as upstream."""
    ends: list[int] = []
    ranges = [(0, size)]
    while ranges:
        start, end = ranges.pop()
        if (end - start) - average <= variation:
            ends.append(end)
            continue
        middle = start + (end - start) // 2
        if variation > 0:
            middle += random.randrange(-variation, variation)  # noqa: S311 chance, no secret
        ranges += [(middle, end), (start, middle)]
    return ends
