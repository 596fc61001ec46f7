"""The only dice of the tool: a figure in [0, 1) from a seed and the name of what is drawn.

Each draw hashes its own name, so that adding a fault, or a Python with another `random`, changes
no other draw.
"""

from hashlib import sha256

_BITS = 64


class Dice:
    """Draws of one scenario under one seed."""

    __slots__ = ("_root",)

    def __init__(self, *, seed: int, scenario: str) -> None:
        self._root = f"{seed}/{scenario}"

    def fraction(self, what: str) -> float:
        """Return a figure in [0, 1), always the same for the same name."""
        return self._figure(what) / float(1 << _BITS)

    def between(self, low: int, high: int, what: str) -> int:
        """Return a whole figure, both ends included."""
        return low + self._figure(what) % (high - low + 1)

    def token(self, what: str) -> str:
        """Return 32 hexadecimal characters."""
        return self._digest(what).hex()[:32]

    def _figure(self, what: str) -> int:
        return int.from_bytes(self._digest(what)[: _BITS // 8])

    def _digest(self, what: str) -> bytes:
        return sha256(f"{self._root}/{what}".encode()).digest()
