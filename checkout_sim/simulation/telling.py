"""What a watcher hears of a run: phases as they begin, checkouts as they end.

Takes observations, gives Progress to whoever watches.
"""

from collections.abc import Callable
from typing import Any

from checkout_sim.model.history import Observation
from checkout_sim.model.plan import Plan
from checkout_sim.model.run import Engine
from checkout_sim.simulation.options import Progress

Watch = Callable[[Progress], None]


class Reporter:
    """Turns one run's observations into progress."""

    def __init__(self, watch: Watch, run_id: str, plan: Plan, strategy: str) -> None:
        self._watch = watch
        self._run_id = run_id
        self._scenario = plan.scenario
        self._strategy = strategy
        self._total = plan.checkouts
        self._ended: set[int] = set()
        self._phase = ""

    def observe(self, seen: Observation) -> None:
        """Follow one observation."""
        if seen.kind == "phase.entered":
            self._phase = str(seen.data["phase"])
            self.say("phase")
        elif seen.kind == "client.ended" and seen.checkout not in self._ended:
            self._ended.add(seen.checkout or 0)
            self.say("checkout")

    def say(self, kind: Any, *, engine: Engine | None = None, note: str = "") -> None:
        """Tell the watcher where the run stands."""
        self._watch(
            Progress(
                kind=kind,
                run_id=self._run_id,
                scenario=self._scenario,
                strategy=self._strategy,
                phase=self._phase,
                done=len(self._ended),
                total=self._total,
                engine=engine,
                note=note,
            )
        )
