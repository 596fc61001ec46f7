"""Whether replays did as the original did, as a rate, claim by claim.

Takes runs, gives lines of text. A replay that could not be judged agrees with nothing.
"""

from collections.abc import Iterator, Sequence

from checkout_sim.model.run import Run
from checkout_sim.reports.phrases import counted
from checkout_sim.reports.sameness import Checkouts, broken_for, same


def replay_lines(original: Run, replays: Sequence[Run]) -> Iterator[str]:
    """Yield the rate first, then every claim that broke anywhere and how often it did."""
    alike = sum(same(original.verdict, run.verdict) for run in replays)
    total = counted(len(replays), "replay")
    was = broken_for(original.verdict)
    if was:
        yield f"{alike} of {total} broke the same claims for the same checkouts"
    elif original.verdict.status == "unknown":
        yield f"{alike} of {total} ended as the original: unknown, so nothing can be compared"
    else:
        yield f"{alike} of {total} broke nothing, as the original"
    every = [broken_for(run.verdict) for run in replays]
    claims = dict.fromkeys((*was, *(claim for one in every for claim in one)))
    width = max(map(len, claims), default=0)
    for claim in claims:
        found = [one.get(claim) for one in every]
        yield f"  {claim:<{width}}  {_claim(was.get(claim), found)}"
    for run in replays:
        for name, reason in run.verdict.unknowns.items():
            yield f"  {run.id}: {name} unknown: {reason}"


def checkouts(those: Checkouts) -> str:
    """Return which checkouts a claim broke for, as a person says it."""
    numbers = sorted(one for one in those if one is not None)
    said = ", ".join(map(str, numbers))
    parts = [f"{'checkout' if len(numbers) == 1 else 'checkouts'} {said}"] if numbers else []
    return " and ".join([*parts, *(["the run as a whole"] if None in those else [])])


def _claim(was: Checkouts | None, found: Sequence[Checkouts | None]) -> str:
    total = len(found)
    broke = [one for one in found if one is not None]
    if was is None:
        others = frozenset[int | None]().union(*broke)
        return f"held in the original, broke in {len(broke)} of {total} for {checkouts(others)}"
    alike = sum(one == was for one in broke)
    others = frozenset[int | None]().union(*broke) - was
    said = f"{checkouts(was)}: {alike} of {total} the same"
    if len(broke) > alike:
        also = f", {checkouts(others)} among them" if others else ""
        said += f", {len(broke) - alike} for other checkouts{also}"
    held = total - len(broke)
    return said + (f", {held} not broken" if held else "")
