"""Continuity: whether anything is missing from a history, watched line by line.

Takes observations in order; gives flaws: (observation id, sentence). A gap proves nothing about
an order, but it takes the proof out of every absence.
"""

from checkout_sim.model.history import Observation

MOST_FLAWS = 100


class Continuity:
    """Follows the observation ids and each process's own line counter (`data.n`)."""

    def __init__(self) -> None:
        self.flaws: list[tuple[int, str]] = []
        self._last_id = 0
        self._last_n: dict[tuple[str, object], int] = {}

    def follow(self, seen: Observation) -> None:
        """Take the next observation and note whether something before it is missing."""
        if seen.id != self._last_id + 1:
            self._note(seen.id, f"observation {seen.id} follows {self._last_id}")
        self._last_id = seen.id
        n = seen.data.get("n")
        if n is not None:
            self._follow_process(seen, n)

    def _follow_process(self, seen: Observation, n: int) -> None:
        process = (seen.source, seen.data.get("instance"))
        last = self._last_n.get(process, 0)
        # A process that starts anew counts from 1 again; a line torn by SIGKILL was its last.
        if n not in (1, last + 1):
            self._note(seen.id, f"line {n} of {seen.source} follows its line {last}")
        self._last_n[process] = n

    def _note(self, event: int, detail: str) -> None:
        if len(self.flaws) < MOST_FLAWS:
            self.flaws.append((event, detail))
