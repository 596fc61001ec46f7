"""A token bucket of one second: the setting `rate_limit`, off by default."""


class Limiter:
    """Admits `rate` requests per second, in bursts of as many; 0 admits all."""

    __slots__ = ("_last_ms", "_rate", "_tokens")

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._tokens = float(rate)
        self._last_ms: float | None = None

    def admits(self, now_ms: float) -> bool:
        """Tell whether a request arriving now (monotonic milliseconds) may pass."""
        if self._rate == 0:
            return True
        if self._last_ms is not None:
            earned = (now_ms - self._last_ms) * self._rate / 1000
            self._tokens = min(float(self._rate), self._tokens + earned)
        self._last_ms = now_ms
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
