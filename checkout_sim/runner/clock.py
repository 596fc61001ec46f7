"""The runner's clock: the host's monotonic one, which services on the same host share."""

import asyncio
import time


class MonotonicClock:
    """Monotonic milliseconds of this host."""

    def now_ms(self) -> float:
        """Return monotonic milliseconds; comparable with the `ms` of a service's event line."""
        return time.monotonic() * 1000

    async def sleep_ms(self, duration_ms: float) -> None:
        """Wait at least so many milliseconds."""
        await asyncio.sleep(max(0.0, duration_ms) / 1000)
