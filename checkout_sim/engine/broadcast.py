"""One run as it is told: its tape filled line by line, its stretch introduced, its verdict added.

Takes a run's folder and observations; gives a tape to the server of the stream.
"""

from collections.abc import Callable
from pathlib import Path

from checkout_sim.archive.recorder import HISTORY_NAME
from checkout_sim.model.answer import Judged, Stretch
from checkout_sim.model.history import Observation
from checkout_sim.model.run import Run
from checkout_sim.model.verdict import Holds, Unknown
from checkout_sim.stream.lines import line_of
from checkout_sim.stream.serve import Server
from checkout_sim.stream.tape import Tape


class Broadcast:
    """A run on the air, from `begin` to `end`."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._tape: Tape | None = None

    def begin(self, stretch: Stretch, *, folder: Path, flush: Callable[[], None]) -> None:
        """Introduce the run; what is observed from now on belongs to it."""
        self._tape = Tape(stretch, history=folder / HISTORY_NAME, flush=flush)
        self._server.mount(self._tape)

    def observe(self, seen: Observation) -> None:
        """Tell one observation."""
        assert self._tape is not None, "a run begins before anything is seen in it"
        self._tape.append(line_of(seen))
        self._server.wake()

    def judged(self, judged: Judged) -> None:
        """Tell what the judge says, for now or for good."""
        if self._tape is not None:
            self._tape.judged = judged
            self._server.wake()

    def end(self) -> None:
        """Say that nothing more will be observed."""
        if self._tape is not None:
            self._tape.ended = True
            self._server.wake()


def verdict_of(run: Run, *, ever: int = 0) -> Judged:
    """Return a run's verdict as subscribers hear it; `ever` counts checkouts once violated."""
    verdict = run.verdict
    violated = {one.checkout for one in verdict.violations if one.checkout is not None}
    return Judged(
        run_id=run.id,
        provisional=False,
        status=verdict.status,
        violations=verdict.violations,
        judged={
            name: found.judged
            for name, found in verdict.findings.items()
            if isinstance(found, Holds)
        },
        broken={
            name: found.total
            for name, found in verdict.findings.items()
            if not isinstance(found, Holds | Unknown)
        },
        unknowns=dict(verdict.unknowns),
        checks={
            name: found.reason if isinstance(found, Unknown) else ""
            for name, found in verdict.checks.items()
        },
        as_expected=None if run.disturbed else run.as_expected,
        surprises=tuple(surprise.detail for surprise in run.surprises),
        ever=max(ever, len(violated)),
    )
