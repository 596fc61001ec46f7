"""Expectation: a verdict against what the scenario's `expect:` states, compared afterwards.

Changes no verdict. Unknown satisfies no expectation: a run that could not be judged proves nothing.
Neither does a run under which the machine stood still, as far as slowness alone can have made it
what it is: that was a fault nobody planned.
"""

from collections.abc import Collection, Iterator

from checkout_sim.model.run import Surprise
from checkout_sim.model.scenario import Expectation
from checkout_sim.model.verdict import Broken, Verdict
from checkout_sim.model.wire import TAKES_SLOWNESS_FOR_FAILURE

# The shortest limit that a shipped scenario leaves a call is 150 ms, to connect. On a machine whose
# host took its processors away for up to 1.4 s, each run of the catalogue that then was not as
# expected (four were) had stood still for more than 500 ms (measured beside `make test`).
DISTURBING_MS = 100.0
_DECIDED_BY_TIME = frozenset({"faults_fired", "came_to_rest"})  # of what makes a verdict unknown


def compare(
    verdict: Verdict, expected: Expectation | None, *, seen: Collection[str]
) -> tuple[Surprise, ...]:
    """Return every way in which the verdict is not the one expected; None expects nothing.

    `seen` holds the kinds observed in the run (`History.kinds`).
    """
    if expected is None:
        return ()
    return tuple(_surprises(verdict, expected, seen))


def unless_disturbed(
    found: tuple[Surprise, ...], strategy: str, *, longest_hiccup_ms: float
) -> tuple[Surprise, ...]:
    """Return the surprises, or the one that says that the machine may be to blame for them all.

    A slow machine decides how many are confirmed, what is seen, which fault is met by a call and
    when all is at rest. It is no excuse for missing evidence, nor for a broken claim, except of a
    strategy that takes a timeout for a failure and says so.
    """
    excused = all(_slowness_decides(one, strategy) for one in found)
    if not found or longest_hiccup_ms < DISTURBING_MS or not excused:
        return found
    told = (
        f"the machine stood still for {longest_hiccup_ms:.0f} ms while this ran, which may be why: "
        + "; ".join(one.detail for one in found)
    )
    return (Surprise(kind="disturbed", detail=told),)


def _slowness_decides(one: Surprise, strategy: str) -> bool:
    if one.kind == "broke":
        return strategy in TAKES_SLOWNESS_FOR_FAILURE
    if one.kind == "unknown":
        return set(one.about.split(", ")) <= _DECIDED_BY_TIME
    return True


def _surprises(
    verdict: Verdict, expected: Expectation, seen: Collection[str]
) -> Iterator[Surprise]:
    if verdict.status == "unknown":
        why = "; ".join(f"{name}: {reason}" for name, reason in verdict.unknowns.items())
        told = f"unknown, which satisfies no expectation: {why}"
        yield Surprise(kind="unknown", about=", ".join(sorted(verdict.unknowns)), detail=told)
    elif verdict.status != expected.verdict:
        told = f"{verdict.status} where {expected.verdict} was expected"
        yield Surprise(kind="verdict", about=verdict.status, detail=told)
    yield from _misjudged(verdict, expected)
    if expected.confirmed is not None:
        yield from _miscounted(verdict, *expected.confirmed)
    for kind in expected.sees:
        if kind not in seen:
            told = f"{kind} was expected to be seen and was not"
            yield Surprise(kind="unseen", about=kind, detail=told)


def _misjudged(verdict: Verdict, expected: Expectation) -> Iterator[Surprise]:
    for name in expected.trips:
        if name not in verdict.broken:
            told = f"{name} was expected to break and did not"
            yield Surprise(kind="held", about=name, detail=told)
    for name in verdict.broken:
        if name not in expected.trips and name not in expected.may_trip:
            told = f"{name} broke, which was not expected: {_first_detail(verdict, name)}"
            yield Surprise(kind="broke", about=name, detail=told)


def _miscounted(verdict: Verdict, least: int, most: int) -> Iterator[Surprise]:
    found = verdict.orders.confirmed
    if not least <= found <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        told = f"{found} of {verdict.orders.total} checkouts confirmed, expected {wanted}"
        yield Surprise(kind="confirmed", detail=told)


def _first_detail(verdict: Verdict, name: str) -> str:
    finding = verdict.findings[name]
    return finding.violations[0].detail if isinstance(finding, Broken) else ""
