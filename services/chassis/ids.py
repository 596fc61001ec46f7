"""The door for chance: identifiers and jitter, random or drawn from a seed.

A seeded source repeats itself, so two processes that write to one database need different
salts (`ServiceSettings.ids` uses the instance token, which differs at every start).
"""

import random

import uuid_utils


class Ids:
    """Makes identifiers; with a seed, the same ones every time for the same seed and salt."""

    __slots__ = ("_random", "_seeded")

    def __init__(self, seed: int | None = None, *, salt: str = "") -> None:
        self._seeded = seed is not None
        self._random = random.Random(None if seed is None else f"{seed}/{salt}")  # noqa: S311 - not secret

    def new(self, prefix: str) -> str:
        """Return `<prefix>_<32 hex>`: a UUIDv7 (sortable by time), or 128 seeded bits."""
        if self._seeded:
            return f"{prefix}_{self._random.getrandbits(128):032x}"
        return f"{prefix}_{uuid_utils.uuid7().hex}"

    def uniform(self, low: float, high: float) -> float:
        """Return a number between `low` and `high`, for jitter."""
        return self._random.uniform(low, high)
