"""`run --watch`: what happens in a run, one plain line each, as it happens.

Takes observations; gives lines on standard error, so that results stay alone on standard output.
For a pipe, a log, a screen reader, or a terminal that cannot draw.
"""

from collections.abc import Callable

from checkout_sim.board.log import line_of, shown
from checkout_sim.cli.streams import complain
from checkout_sim.model.history import Observation
from checkout_sim.simulation.attending import Bystander
from checkout_sim.simulation.single import Planned

Say = Callable[[str], None]


class Watching(Bystander):
    """Tells one run line by line; lets its plan happen."""

    def __init__(self, planned: Planned, *, say: Say = complain) -> None:
        self._who = f"{planned.plan.scenario} {planned.strategy}"
        self._say = say

    def observe(self, seen: Observation) -> None:
        """Say what is worth a line."""
        if not shown(seen, "info"):
            return
        line = line_of(seen)
        about = "" if line.checkout is None else f"  #{line.checkout}"
        at = f"{line.t_ms / 1000:8.3f}"
        self._say(f"{self._who} {at} {line.source:<11} {line.text}{about}")
