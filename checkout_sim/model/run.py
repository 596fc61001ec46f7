"""A run: one scenario, one strategy, one seed, and what came of it."""

from dataclasses import dataclass
from pathlib import Path

from checkout_sim.model.scenario import Expectation
from checkout_sim.model.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The proxy server that carried the bytes: `toxiproxy` or `embedded`, and its version."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """How long the phases and the checkouts took. Measured, never judged."""

    start_ms: float
    storm_ms: float
    settle_ms: float
    judge_ms: float
    checkout_p50_ms: float | None
    checkout_p99_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Believed:
    """Who believes what of one order at the end; each field is a short phrase."""

    told: str
    order: str
    payment: str
    gateway: str
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surprise:
    """One way in which a verdict differs from its expectation, as a sentence."""

    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Everything a report needs. `as_expected` is None where nothing was expected."""

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

    @property
    def as_expected(self) -> bool | None:
        """Return whether the verdict is the one the scenario states."""
        return None if self.expected is None else not self.surprises
