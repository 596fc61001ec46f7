"""The figures of the dashboard: counts, rates, percentiles and sparklines.

Takes a board and its clock; gives lines for a width.
"""

from collections.abc import Sequence

from checkout_sim.board.board import Board
from checkout_sim.board.links import WINDOW_MS
from checkout_sim.board.places import LINKS
from checkout_sim.board.tokens import Line, Token, clipped, latency, sparkline, width_of

_MOST_SECONDS = 16


def counts_line(board: Board, now_ms: float, width: int, *, ascii_only: bool) -> Line:
    """Return how checkouts stand and how fast they come, on one line."""
    counts = board.checkouts.counts
    flow = board.sales.flow(now_ms)
    done, _ = board.sales.by_second(now_ms, _MOST_SECONDS)
    before = (
        Token(f" confirmed {counts['confirmed']}"),
        Token(f"  rolled back {counts['rolled back']}"),
        Token(f"  open {counts['open']}"),
        Token(f"  ? {counts['suspect']}", "suspect" if counts["suspect"] else "plain"),
        *((Token(f"  ! {counts['violated']}", "wrong"),) if counts["violated"] else ()),
        Token(" | " if ascii_only else " │ "),
    )
    after = (Token(f"  {sum(done[-5:]) / 5:.1f}/s"), Token(f"  p95 {latency(flow.p95_ms)}"))
    seconds = min(_MOST_SECONDS, width - width_of((*before, *after)))  # it gives way to figures
    spark = sparkline(_counted(done[-seconds:]), ascii_only=ascii_only) if seconds > 0 else ""
    return clipped((*before, Token(spark), *after), width)


def now_lines(board: Board, now_ms: float) -> Sequence[Line]:
    """Return the panel "now": one figure a line."""
    counts, told = board.checkouts.counts, board.checkouts.told
    flow = board.sales.flow(now_ms)
    done, _ = board.sales.by_second(now_ms, 5)
    faults = len(board.faults.in_force)
    stand = board.session.open_violations
    return [
        _pair("confirmed", f"{counts['confirmed']}"),
        _pair("rolled back", f"{counts['rolled back']}"),
        _pair("open", f"{counts['open']}"),
        _pair("suspect", f"{counts['suspect']}", "suspect" if counts["suspect"] else "plain"),
        _pair("checkouts/s", f"{sum(done) / 5:.1f}"),
        (Token(f" p50 {latency(flow.p50_ms)}   p95 {latency(flow.p95_ms)}"),),
        _pair("told unknown", f"{told['unknown']}"),
        (
            Token(f" FAULTS {faults}", "struck" if faults else "plain"),
            Token(f"   violated {'-' if stand is None else stand}", "wrong" if stand else "plain"),
        ),
    ]


def rate_lines(board: Board, now_ms: float, width: int, *, ascii_only: bool) -> Sequence[Line]:
    """Return checkouts a second over the last minute."""
    done, _ = board.sales.by_second(now_ms, max(1, width - 2))
    return [(Token(f" {sparkline(_counted(done), ascii_only=ascii_only)}", "confirmed"),)]


def time_lines(board: Board, now_ms: float, width: int, *, ascii_only: bool) -> Sequence[Line]:
    """Return the p95 of checkouts by second, and what it was over the minute."""
    _, p95s = board.sales.by_second(now_ms, max(1, width - 2))
    flow = board.sales.flow(now_ms, WINDOW_MS)
    return [
        (Token(f" {sparkline(p95s, ascii_only=ascii_only)}"),),
        (Token(f" p50 {latency(flow.p50_ms)}  p95 {latency(flow.p95_ms)}", "quiet"),),
    ]


def tiny_lines(board: Board) -> Sequence[Line]:
    """Return what a terminal too small to act in still tells: links, faults, counts."""
    names = board.session.links
    struck = sum(1 for name in names if board.faults.on(name))
    counts = board.checkouts.counts
    return [
        (
            Token(f" links {len(names)} of {len(LINKS)}, "),
            Token(f"{struck} with faults", "struck" if struck else "plain"),
        ),
        (
            Token(f" ok {counts['confirmed']}  back {counts['rolled back']}  "),
            Token(f"open {counts['open']}  "),
            Token(f"? {counts['suspect']}", "suspect" if counts["suspect"] else "plain"),
        ),
    ]


def _pair(name: str, value: str, look: str = "plain") -> Line:
    return (Token(f" {name:<12}", "quiet"), Token(f"{value:>6}", look))


def _counted(done: Sequence[int]) -> list[float | None]:
    return [float(one) for one in done]
