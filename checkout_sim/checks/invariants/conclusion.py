"""Conclusion: what a claim's offences amount to."""

from collections.abc import Callable, Iterable

from checkout_sim.checks.history import History, Row
from checkout_sim.checks.phrases import events_of
from checkout_sim.model.verdict import Broken, Holds, Violation

MOST_LISTED = 100


def conclude(
    offences: Iterable[Row], describe: Callable[[Row], Violation], *, judged: int
) -> Holds | Broken:
    """Return Holds when there are no offences, else Broken with the first hundred described.

    `judged` counts what was looked at. Offences are counted as they stream past, so that a run
    in which everything is wrong costs no more memory than a sound one.
    """
    listed: list[Row] = []
    total = 0
    for offence in offences:
        total += 1
        if total <= MOST_LISTED:
            listed.append(offence)
    if not total:
        return Holds(judged=judged)
    return Broken(violations=tuple(describe(row) for row in listed), total=total)


def of_order(
    history: History, n: int, *, invariant: str, detail: str, events: tuple[int, ...] | None = None
) -> Violation:
    """Return a violation by one order; its events are all that show its end, unless given."""
    return Violation(
        invariant=invariant,
        order_id=history.order_id(n),
        checkout=history.checkout_of(n),
        detail=detail,
        events=events_of(history, n) if events is None else events,
    )
