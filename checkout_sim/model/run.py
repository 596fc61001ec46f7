"""A run: one scenario, one strategy, one seed, and what came of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from checkout_sim.model.belief import Believed
from checkout_sim.model.scenario import Expectation
from checkout_sim.model.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The proxy server that carried the bytes: `toxiproxy` or `embedded`, and its version."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """How long the phases and the checkouts took. Measured, never judged.

    `longest_hiccup_ms` is how long a processor of the machine stood still meanwhile, at most.
    """

    start_ms: float
    storm_ms: float
    settle_ms: float
    judge_ms: float
    checkout_p50_ms: float | None
    checkout_p99_ms: float | None
    longest_hiccup_ms: float = 0.0


SurpriseKind = Literal["verdict", "broke", "held", "confirmed", "unseen", "unknown", "disturbed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surprise:
    """One way in which a verdict differs from its expectation, as a sentence.

    `about` is the claim that broke or held, the event unseen, the verdict found, or what is
    unknown. One that is `disturbed` stands for all that was found: it may be the machine's doing.
    """

    detail: str
    kind: SurpriseKind = "verdict"
    about: str = ""

    @property
    def key(self) -> str:
        """Return what stays the same from run to run, while details name orders and sums."""
        return f"{self.kind}:{self.about}" if self.about else self.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Everything a report needs. `as_expected` is None where nothing was expected.

    `known` are surprises that a baseline has already; they fail nothing and are told all the same.
    `in_place_of` names the runs of the same plan that the machine disturbed before this one.
    """

    id: str
    scenario: str
    scenario_path: str
    strategy: str
    seed: int
    engine: Engine
    folder: Path
    verdict: Verdict
    expected: Expectation | None
    surprises: tuple[Surprise, ...]
    timings: Timings
    beliefs: dict[str, Believed]  # by order id, for orders with violations
    known: tuple[Surprise, ...] = ()
    in_place_of: tuple[str, ...] = ()

    @property
    def as_expected(self) -> bool | None:
        """Return whether the verdict is the one the scenario states."""
        return None if self.expected is None else not self.surprises

    @property
    def disturbed(self) -> bool:
        """Return whether what was not expected may be the machine's doing."""
        return any(surprise.kind == "disturbed" for surprise in self.surprises)

    @property
    def undecided(self) -> bool:
        """Return whether the run shows nothing, neither for its expectation nor against it."""
        return self.verdict.status == "unknown" or self.disturbed
