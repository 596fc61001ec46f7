"""The links of a run: how many calls, how long they took, how many failed, lately and by second.

Takes the ends of calls; gives p50, p95, rate and errors over a window, and one figure a second for
sparklines. Percentiles are nearest-rank (as `make bench` and the reports count them) and computed
once a second at most, when somebody looks.
"""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple, Self

WINDOW_MS = 60_000.0
_MOST_SAMPLES = 4_000


class Sample(NamedTuple):
    """One call that ended."""

    t_ms: float
    duration_ms: float
    error: str


class Flow(NamedTuple):
    """A window of samples, summed up; percentiles are None of no sample."""

    calls: int
    per_s: float
    p50_ms: float | None
    p95_ms: float | None
    errors: int

    @property
    def error_share(self) -> float | None:
        """Return the share of calls that failed; None of no call."""
        return self.errors / self.calls if self.calls else None


_NOTHING = Flow(calls=0, per_s=0.0, p50_ms=None, p95_ms=None, errors=0)


BySecond = tuple[list[int], list[float | None]]


class Stream:
    """What went by on one link, or the checkouts themselves, over the last minute."""

    def __init__(self) -> None:
        self.in_flight = 0
        self._samples: deque[Sample] = deque(maxlen=_MOST_SAMPLES)
        self._seconds: dict[int, tuple[int, BySecond]] = {}
        self._summed: tuple[int, float, Flow] = (-1, 0.0, _NOTHING)

    def snapshot(self) -> Self:
        """Return a copy that later calls do not touch."""
        copy = type(self)()
        copy.in_flight = self.in_flight
        copy._samples = self._samples.copy()  # noqa: SLF001 - its own kind
        return copy

    def started(self) -> None:
        """Begin a call."""
        self.in_flight += 1

    def ended(self, sample: Sample) -> None:
        """End a call; samples older than the window leave."""
        self.in_flight = max(0, self.in_flight - 1)
        self._samples.append(sample)
        while self._samples and self._samples[0].t_ms < sample.t_ms - WINDOW_MS:
            self._samples.popleft()

    def flow(self, now_ms: float, window_ms: float = WINDOW_MS) -> Flow:
        """Return the window that ends now, exact to the second."""
        second = int(now_ms // 1000)
        known_second, known_window, known = self._summed
        if known_second == second and known_window == window_ms:
            return known
        begin_ms = now_ms - window_ms
        within = [one for one in self._samples if one.t_ms >= begin_ms]
        flow = _summed(within, min(window_ms, max(now_ms, 1000.0)))
        self._summed = (second, window_ms, flow)
        return flow

    def by_second(self, now_ms: float, seconds: int) -> BySecond:
        """Return calls that ended, and their p95, in each of the last seconds, oldest first.

        Exact to the second: the running one is counted as it was when it was first asked for.
        """
        last = int(now_ms // 1000)
        known = self._seconds.get(seconds)
        if known is not None and known[0] == last:
            return known[1]
        by_second = self._counted(last, seconds)
        self._seconds[seconds] = (last, by_second)
        return by_second

    def _counted(self, last: int, seconds: int) -> BySecond:
        durations: list[list[float]] = [[] for _ in range(seconds)]
        for one in reversed(self._samples):
            at = int(one.t_ms // 1000) - last + seconds - 1
            if at < 0:
                break
            if at < seconds:
                durations[at].append(one.duration_ms)
        return [len(one) for one in durations], [percentile(one, 0.95) for one in durations]


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the nearest-rank percentile; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 100) * len(ordered) // 100) - 1))]


def _summed(samples: Sequence[Sample], window_ms: float) -> Flow:
    if not samples:
        return _NOTHING
    durations = sorted(one.duration_ms for one in samples)
    return Flow(
        calls=len(samples),
        per_s=len(samples) / (window_ms / 1000),
        p50_ms=percentile(durations, 0.50),
        p95_ms=percentile(durations, 0.95),
        errors=sum(1 for one in samples if one.error),
    )
