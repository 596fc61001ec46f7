"""A session's time, made a scenario's: it begins at nought, and what was idle is shortened.

Pure: takes what was busy and what happened; gives a mapping of times. An operator thinks for
minutes between two checkouts; a scenario in CI need not.
"""

from bisect import bisect_right
from collections.abc import Sequence

IDLE_MS = 1_000.0  # longer silences are shortened …
SHORTENED_MS = 500.0  # … to this, so that what comes first still comes first


class Rhythm:
    """Times of the session → times of the scenario, in whole milliseconds."""

    def __init__(
        self, busy: Sequence[tuple[float, float]], moments: Sequence[float], *, trim_idle: bool
    ) -> None:
        marks = sorted({time for span in busy for time in span} | set(moments))
        self._times = marks or [0.0]
        self._mapped = [0.0]
        for before, after in zip(self._times, self._times[1:], strict=False):
            gap = after - before
            idle = not any(begin <= before and after <= end for begin, end in busy)
            if trim_idle and idle and gap > IDLE_MS:
                gap = SHORTENED_MS
            self._mapped.append(self._mapped[-1] + gap)

    def ms(self, time: float) -> int:
        """Return when this happens in the scenario."""
        index = max(0, bisect_right(self._times, time) - 1)
        return max(0, round(self._mapped[index] + time - self._times[index]))
