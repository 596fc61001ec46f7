"""The course of a run: its checkouts over time beside its faults, as a report draws it.

Standard library only. `checks/course.py` makes it from observations. Times are milliseconds since
the storm began.
"""

from dataclasses import dataclass
from typing import Literal

from checkout_sim.model.ladder import Band

Period = Literal["before", "during", "after"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt of a shopper: when it was sent and ended, and what the shopper was told."""

    checkout: int
    order: str | None
    begin_ms: float
    end_ms: float
    claim: str

    @property
    def duration_ms(self) -> float:
        """Return how long the shopper waited."""
        return self.end_ms - self.begin_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Latencies:
    """How long the attempts of one period took: nearest-rank percentiles, None of no attempt."""

    period: Period
    count: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    most_ms: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A whole run. `latencies` stand in order of period: before, during and after faults."""

    attempts: tuple[Attempt, ...]
    bands: tuple[Band, ...]
    latencies: tuple[Latencies, ...]
    span_ms: float
