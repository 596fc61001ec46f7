"""What a plain-text report says of one violation, and of a run as a whole: lines, no markup.

Takes runs, gives strings. JUnit, Markdown and annotations are made of these, so that all three
lead to the cause in the same words.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from checkout_sim.model.run import Run, Surprise
from checkout_sim.model.verdict import Broken, Violation
from checkout_sim.reports import phrases


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRun:
    """A scenario and strategy that were asked for and did not come to a verdict, and why.

    `skipped`: nothing went wrong, this machine has not what it needs.
    """

    scenario: str
    strategy: str
    why: str
    skipped: bool = False


def about(violation: Violation) -> str:
    """Return what a violation is about: `order ord_1 (checkout 3)`."""
    checkout = "" if violation.checkout is None else f"checkout {violation.checkout}"
    if violation.order_id is None:
        return checkout or "the run as a whole"
    return f"order {violation.order_id}" + (f" ({checkout})" if checkout else "")


def told(run: Run, violation: Violation) -> Iterator[str]:
    """Yield a violation with who believes what and which events prove it."""
    yield f"{about(violation)}: {violation.detail}"
    believed = run.beliefs.get(violation.order_id or "")
    if believed is not None:
        yield f"  shopper was told: {believed.told}"
        yield f"  order believes: {believed.order}"
        yield f"  payment believes: {believed.payment}"
        yield f"  gateway knows: {believed.gateway}"
        yield f"  faults active: {', '.join(believed.faults) or 'none'}"
    if violation.events:
        yield f"  evidence: events {', '.join(map(str, violation.events))} of history.ndjson"


def told_all(run: Run, broken: Broken, *, most: int) -> Iterator[str]:
    """Yield the first violations of a claim, and how many more there are."""
    for violation in broken.violations[:most]:
        yield from told(run, violation)
    more = broken.total - min(most, len(broken.violations))
    if more > 0:
        yield f"and {phrases.counted(more, 'violation')} more"


def ways_to_see(run: Run, targets: phrases.Targets | None) -> Sequence[str]:
    """Return where the history is, and the commands that show and repeat what happened."""
    return (
        f"History: {run.folder}",
        f"Explain with: checkout-sim explain {run.id}",
        f"Reproduce with: {phrases.reproduce(run, targets)}",
        f"Replay the very plan with: checkout-sim replay {run.id}",
    )


def is_urgent(run: Run) -> bool:
    """Return whether a run alone would keep a build from being green."""
    unasked_and_broken = run.expected is None and run.verdict.status == "invalid"
    return unasked_and_broken or phrases.standing(run) in {
        phrases.Standing.SURPRISING,
        phrases.Standing.UNDECIDED,
    }


def of_claim(surprises: Sequence[Surprise], claim: str) -> Surprise | None:
    """Return the surprise that a claim caused by breaking or by holding."""
    causes = (one for one in surprises if one.kind in {"broke", "held"} and one.about == claim)
    return next(causes, None)


def reasons(run: Run) -> Sequence[str]:
    """Return why a person should look at a run: unknowns for an unknown one, else surprises."""
    if run.disturbed:
        return [one.detail for one in run.surprises]
    if run.verdict.status == "unknown":
        return [f"{name}: {reason}" for name, reason in run.verdict.unknowns.items()]
    if run.expected is None:
        return [f"{name} broke, and nothing was expected" for name in run.verdict.broken]
    return [one.detail for one in run.surprises]
