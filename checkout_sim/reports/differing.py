"""Two runs side by side: what differs in what was run, in the verdicts, and in how long it took.

Takes two runs, gives lines of text; what is the same is not said, except that it is.
"""

from collections.abc import Iterator
from dataclasses import asdict

from checkout_sim.model.run import Run
from checkout_sim.reports import phrases
from checkout_sim.reports.replayed import checkouts
from checkout_sim.reports.sameness import Difference, differences

_NAMES = {
    "start_ms": "start",
    "storm_ms": "storm",
    "settle_ms": "settle",
    "judge_ms": "judge",
    "checkout_p50_ms": "checkout p50",
    "checkout_p99_ms": "checkout p99",
}


def diff_lines(before: Run, after: Run) -> Iterator[str]:
    """Yield the comparison: `-` is the first run, `+` the second, as `diff -u` has it."""
    yield f"- {before.id}: {phrases.title(before)}: {phrases.outcome(before)}"
    yield f"+ {after.id}: {phrases.title(after)}: {phrases.outcome(after)}"
    yield ""
    asked = list(_asked(before, after))
    yield from asked
    judged = list(_judged(before, after))
    yield from judged or ["the verdicts are the same: the same claims for the same checkouts"]
    yield ""
    yield from _timings(before, after)


def verdicts_differ(before: Run, after: Run) -> bool:
    """Return whether anything judged differs; timings never count."""
    return bool(list(_judged(before, after)))


def _asked(before: Run, after: Run) -> Iterator[str]:
    """Yield what was run differently: two runs of other plans differ for other reasons."""
    engines = [f"{run.engine.name} {run.engine.version}" for run in (before, after)]
    for name, was, now in (
        ("scenario", before.scenario, after.scenario),
        ("strategy", before.strategy, after.strategy),
        ("seed", before.seed, after.seed),
        ("engine", *engines),
    ):
        if was != now:
            yield f"{name}: {was} → {now}"


def _judged(before: Run, after: Run) -> Iterator[str]:
    if before.verdict.status != after.verdict.status:
        yield f"verdict: {before.verdict.status} → {after.verdict.status}"
    for name, was in asdict(before.verdict.orders).items():
        now = asdict(after.verdict.orders)[name]
        if was != now:
            yield f"orders {name}: {was} → {now}"
    for one in differences(before.verdict, after.verdict):
        yield f"{one.claim}: {_side(one, before, first=True)} → {_side(one, after, first=False)}"
    fired = {fault.name: fault.fired for fault in after.verdict.faults}
    for fault in before.verdict.faults:
        if fault.name in fired and fired[fault.name] != fault.fired:
            yield f"fault {fault.name}: {_fired(fault.fired)} → {_fired(not fault.fired)}"


def _side(one: Difference, run: Run, *, first: bool) -> str:
    broken = one.before if first else one.after
    if broken is not None:
        return f"broken for {checkouts(broken)}"
    if one.claim in run.verdict.unknowns:
        return f"unknown ({run.verdict.unknowns[one.claim]})"
    return "holds" if one.claim in run.verdict.findings else "not asked"


def _fired(fired: bool) -> str:  # noqa: FBT001 - the one thing it says
    return "fired" if fired else "did not fire"


def _timings(before: Run, after: Run) -> Iterator[str]:
    was, now = asdict(before.timings), asdict(after.timings)
    for key, name in _NAMES.items():
        said = f"{phrases.duration(was[key]):>8} → {phrases.duration(now[key]):>8}"
        yield f"{name:<12}  {said}{_times(was[key], now[key])}"


def _times(was: float | None, now: float | None) -> str:
    """Return how many times as long, where both were measured and it is worth saying."""
    if not was or not now or was < 1:
        return ""
    return f"  {now / was:.2f} times"
