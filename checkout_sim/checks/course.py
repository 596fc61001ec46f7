"""The course of a run: every attempt and every fault on one time axis, and latencies by period.

Takes observations (`KINDS` are enough); gives a `Course`. An attempt lies *before* when it ended
ahead of the first fault, *during* when any fault was in force at some time of it, else *after*.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import get_args

from checkout_sim.checks.ladder import bands_between
from checkout_sim.checks.standstills import standstills
from checkout_sim.checks.windows import Window, paired
from checkout_sim.model.course import Attempt, Course, Latencies, Period
from checkout_sim.model.history import Observation

KINDS = ("run.opened", "phase.entered", "fault.", "machine.", "client.ended")


def course(observations: Iterable[Observation]) -> Course:
    """Return the course of a run; its proof checkouts, which come after the calm, are left out."""
    seen = [one for one in observations if one.kind.startswith(KINDS)]
    storm = (one for one in seen if one.kind == "phase.entered" and one.data["phase"] == "storm")
    first = next(storm, None)
    began_ms = first.t_ms if first else seen[0].t_ms if seen else 0.0
    windows = paired(seen)
    attempts = tuple(
        _attempt(one, began_ms)
        for one in seen
        if one.kind == "client.ended" and not one.data.get("proof")
    )
    lifted = (window.end_ms - began_ms for window in windows if window.end_ms != float("inf"))
    span_ms = max((*(one.end_ms for one in attempts), *lifted), default=0.0)
    return Course(
        attempts=attempts,
        bands=(
            *bands_between(windows, began_ms, began_ms + span_ms),
            *standstills(seen, began_ms, began_ms + span_ms),
        ),
        latencies=tuple(_by_period(attempts, windows, began_ms)),
        span_ms=span_ms,
    )


def _attempt(one: Observation, began_ms: float) -> Attempt:
    end_ms = one.t_ms - began_ms
    return Attempt(
        checkout=one.checkout or 0,
        order=one.order,
        begin_ms=end_ms - float(one.data.get("duration_ms") or 0.0),
        end_ms=end_ms,
        claim=str(one.data.get("claim")),
    )


def _by_period(
    attempts: Sequence[Attempt], windows: Sequence[Window], began_ms: float
) -> list[Latencies]:
    spans = sorted((window.asked_ms - began_ms, window.end_ms - began_ms) for window in windows)
    begins = [begin for begin, _ in spans]
    lasting = list(accumulate((end for _, end in spans), max))  # the latest end so far
    waited: dict[Period, list[float]] = {period: [] for period in get_args(Period)}
    for one in attempts:
        waited[_period(one, begins, lasting)].append(one.duration_ms)
    return [_latencies(period, sorted(took)) for period, took in waited.items()]


def _period(one: Attempt, begins: Sequence[float], lasting: Sequence[float]) -> Period:
    """Return the period, by the faults that began until the attempt ended."""
    begun = bisect_right(begins, one.end_ms)
    if not begun:
        return "before"
    return "during" if lasting[begun - 1] >= one.begin_ms else "after"


def _latencies(period: Period, took: Sequence[float]) -> Latencies:
    def rank(percent: int) -> float | None:
        return took[-(-len(took) * percent // 100) - 1] if took else None

    return Latencies(
        period=period,
        count=len(took),
        p50_ms=rank(50),
        p95_ms=rank(95),
        p99_ms=rank(99),
        most_ms=took[-1] if took else None,
    )
