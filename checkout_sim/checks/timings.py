"""Timings: how long phases and checkouts took. Measured, never judged."""

from checkout_sim.checks.history import History
from checkout_sim.model.run import Timings


def timings(history: History, *, start_ms: float = 0.0, judge_ms: float = 0.0) -> Timings:
    """Return the run's timings in ms; start and judgement lie outside the history, so are given.

    The storm lasts from its beginning to the calm, settling from its beginning to the read. A
    checkout's duration is that of one attempt; proof checkouts are left out. A percentile is the
    nearest rank, None without any attempt.
    """
    began: dict[str, float] = {}
    for remark in history.remarks("phase.entered"):
        began.setdefault(str(remark.data.get("phase")), remark.t_ms)
    return Timings(
        start_ms=start_ms,
        storm_ms=_between(began, "storm", "calm"),
        settle_ms=_between(began, "settle", "read"),
        judge_ms=judge_ms,
        checkout_p50_ms=percentile(history, 50),
        checkout_p99_ms=percentile(history, 99),
        longest_hiccup_ms=longest_hiccup_ms(history),
    )


def longest_hiccup_ms(history: History) -> float:
    """Return how long a processor of the machine stood still under the run, at most."""
    hiccups = history.remarks("machine.hiccup")
    return max((float(remark.data.get("ms", 0)) for remark in hiccups), default=0.0)


def percentile(history: History, percent: int) -> float | None:
    """Return the nearest-rank percentile of the load's attempts, in ms."""
    counted = history.row("SELECT COUNT(*) FROM ended WHERE NOT proof AND duration_ms IS NOT NULL")
    count = int(counted[0]) if counted else 0
    if not count:
        return None
    rank = -(-count * percent // 100)  # rounded up, in integers
    row = history.row(
        "SELECT duration_ms FROM ended WHERE NOT proof AND duration_ms IS NOT NULL "
        "ORDER BY duration_ms LIMIT 1 OFFSET ?",
        rank - 1,
    )
    return None if row is None else float(row[0])


def _between(began: dict[str, float], first: str, then: str) -> float:
    if first not in began or then not in began:
        return 0.0
    return began[then] - began[first]
