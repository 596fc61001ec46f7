"""What came of the scenarios run on this stream: verdicts by scenario and strategy.

Takes each run's frame and its final verdict; gives cells for the scenario list and the flake rate
of a scenario that was run several times. Two verdicts are equal when status and broken claims are:
counts and sums differ from run to run.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from checkout_sim.model.answer import Judged, Stretch
from checkout_sim.model.verdict import Status

MOST_KEPT = 50  # of one scenario and strategy


class Result(NamedTuple):
    """One judged run of a scenario."""

    run_id: str
    status: Status
    broken: tuple[str, ...]
    as_expected: bool | None
    surprises: tuple[str, ...]

    @property
    def mark(self) -> str:
        """Return `=` as the scenario expects, `!` not so; a space where nothing was expected."""
        return {True: "=", False: "!", None: " "}[self.as_expected]


class Flakes(NamedTuple):
    """How many of the runs came out as the most frequent verdict did."""

    equal: int
    runs: int
    verdict: str

    @property
    def steady(self) -> bool:
        """Return whether all of them were equal."""
        return self.equal == self.runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Every judged scenario run of this stream, oldest first."""

    runs: Mapping[tuple[str, str], tuple[Result, ...]] = field(default_factory=dict)

    def heard(self, stretch: Stretch | None, judged: Judged) -> "Results":
        """Return the results with one more verdict; of live sessions and playback none is kept."""
        if stretch is None or not stretch.scenario or judged.provisional or judged.status is None:
            return self
        if judged.run_id != stretch.run_id:
            return self
        about = (stretch.scenario, stretch.strategy)
        result = Result(
            run_id=judged.run_id,
            status=judged.status,
            broken=tuple(sorted(judged.broken)),
            as_expected=judged.as_expected,
            surprises=judged.surprises,
        )
        before = tuple(one for one in self.runs.get(about, ()) if one.run_id != judged.run_id)
        return Results(runs={**self.runs, about: (*before, result)[-MOST_KEPT:]})

    def last(self, scenario: str, strategy: str) -> Result | None:
        """Return the newest verdict; None where there is none."""
        found = self.runs.get((scenario, strategy), ())
        return found[-1] if found else None

    def since(self, scenario: str, strategy: str, *, after: int) -> tuple[Result, ...]:
        """Return the verdicts that came after the first `after` ones."""
        return self.runs.get((scenario, strategy), ())[after:]

    def count(self, scenario: str, strategy: str) -> int:
        """Return how many verdicts there are."""
        return len(self.runs.get((scenario, strategy), ()))


def flakes(results: tuple[Result, ...]) -> Flakes | None:
    """Return how steady some verdicts are; None of none."""
    if not results:
        return None
    verdicts = Counter((one.status, one.broken) for one in results)
    (status, broken), equal = verdicts.most_common(1)[0]
    said = f"{status} by {', '.join(broken)}" if broken else status
    return Flakes(equal=equal, runs=len(results), verdict=said)
