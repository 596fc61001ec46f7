"""A tape: the lines of one run as subscribers get them, from any observation on.

Takes lines as they are recorded; gives those from a number on: the last few thousand from memory,
earlier ones from the run's `history.ndjson`, which holds the same bytes. So a late subscriber and
one that fell behind are one case, and memory does not grow with the run.
"""

from collections import deque
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from checkout_sim.model.answer import Judged, Stretch

REMEMBERED = 4096  # lines, about 1 MB: five seconds of the busiest session measured
_MARK_EVERY = 256


class Tape:
    """One run's lines, numbered 1, 2, 3 … as observations are; `ended` says that all are there.

    `flush` makes what was recorded readable in `history`; it is called before reading there.
    """

    def __init__(
        self,
        stretch: Stretch,
        *,
        history: Path,
        flush: Callable[[], None],
        remembered: int = REMEMBERED,
    ) -> None:
        self.stretch = stretch
        self.ended = False
        self.judged: Judged | None = None
        self.last_id = 0
        self._history = history
        self._flush = flush
        self._recent: deque[bytes] = deque(maxlen=remembered)
        self._bytes = 0
        self._marks = [0]  # where lines 1, 257, 513 … begin

    @property
    def oldest_remembered(self) -> int:
        """Return the number of the oldest line still in memory."""
        return self.last_id - len(self._recent) + 1

    def append(self, line: bytes) -> None:
        """Take the next line, newline included."""
        if self.last_id % _MARK_EVERY == 0 and self.last_id:
            self._marks.append(self._bytes)
        self.last_id += 1
        self._bytes += len(line)
        self._recent.append(line)

    def remembered(self, from_id: int, most: int) -> list[bytes]:
        """Return lines from memory; none where `from_id` is older than that, or yet to come."""
        skipped = from_id - self.oldest_remembered
        if skipped < 0:
            return []
        return list(islice(self._recent, skipped, skipped + most))

    def read(self, from_id: int, most: int) -> list[bytes]:
        """Return lines from the file. Raises OSError where it cannot be read."""
        self._flush()
        mark = min((from_id - 1) // _MARK_EVERY, len(self._marks) - 1)
        skipped = from_id - 1 - mark * _MARK_EVERY
        with self._history.open("rb") as lines:
            lines.seek(self._marks[mark])
            found = islice(lines, skipped, skipped + most)
            return [line for line in found if line.endswith(b"\n")]
