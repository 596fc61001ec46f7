"""A verdict: what the judge makes of a history. Worst wins: invalid > unknown > valid (Jepsen)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Status = Literal["valid", "unknown", "invalid"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One breach of one claim, with the observations that prove it."""

    invariant: str
    order_id: str | None
    checkout: int | None
    detail: str  # one sentence a person reads
    events: tuple[int, ...] = ()  # ids of observations


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """The claim was checked and nothing contradicts it; `judged` counts what was looked at."""

    judged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The claim is contradicted; `total` may exceed the violations listed (100 at most)."""

    violations: tuple[Violation, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """The claim could not be checked: absence proves nothing."""

    reason: str


Finding = Holds | Broken | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultOutcome:
    """Whether a declared fault left a witness; `reason` says what was or was not seen."""

    name: str
    type: str
    fired: bool
    optional: bool
    reason: str
    witnesses: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCounts:
    """How the checkouts ended, by checkout (a checkout confirmed by any order is confirmed)."""

    total: int
    confirmed: int
    rolled_back: int
    unsettled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The judgement of one history. `findings` and `checks` map names to what came out."""

    status: Status
    findings: Mapping[str, Finding]  # invariants
    checks: Mapping[str, Finding]  # meta checks: only Holds or Unknown
    faults: tuple[FaultOutcome, ...]
    orders: OrderCounts
    notes: tuple[str, ...] = field(default=())

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Return every listed violation, in order of invariant."""
        return tuple(
            violation
            for finding in self.findings.values()
            if isinstance(finding, Broken)
            for violation in finding.violations
        )

    @property
    def broken(self) -> tuple[str, ...]:
        """Return the names of the claims that are contradicted."""
        return tuple(name for name, found in self.findings.items() if isinstance(found, Broken))

    @property
    def unknowns(self) -> Mapping[str, str]:
        """Return why each claim or check that could not be decided could not."""
        both = {**self.findings, **self.checks}
        return {name: found.reason for name, found in both.items() if isinstance(found, Unknown)}
