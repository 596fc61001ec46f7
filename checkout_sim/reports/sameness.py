"""Two verdicts side by side: which claims broke, for which checkouts, here and there.

Takes verdicts, gives what differs. Checkouts are compared, not orders: the plan numbers them,
while order ids are minted anew in every run.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from checkout_sim.model.verdict import Broken, Verdict

Checkouts = frozenset[int | None]  # None: a violation that no checkout can be named for


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One claim that did not break alike. `before` and `after` are None where it held."""

    claim: str
    before: Checkouts | None
    after: Checkouts | None
    why: str = ""  # where one of the two could not be decided


def broken_for(verdict: Verdict) -> Mapping[str, Checkouts]:
    """Return the broken claims, each with the checkouts it broke for.

    A claim lists a hundred violations at most; beyond that the first hundred speak for all.
    """
    return {
        name: frozenset(violation.checkout for violation in finding.violations)
        for name, finding in verdict.findings.items()
        if isinstance(finding, Broken)
    }


def differences(before: Verdict, after: Verdict) -> tuple[Difference, ...]:
    """Return every claim that broke for other checkouts, or in one of the two only."""
    was, now = broken_for(before), broken_for(after)
    unknown = {**after.unknowns, **before.unknowns}
    names = dict.fromkeys((*before.findings, *after.findings))
    return tuple(
        Difference(claim=name, before=was.get(name), after=now.get(name), why=unknown.get(name, ""))
        for name in names
        if was.get(name) != now.get(name) or (name in before.unknowns) != (name in after.unknowns)
    )


def same(before: Verdict, after: Verdict) -> bool:
    """Return whether both broke the same claims for the same checkouts, and both could tell."""
    return before.status == after.status and not differences(before, after)
