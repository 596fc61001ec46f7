"""How long a reader of a red build waits: one order explained, ten thousand orders on a page.

`python -m tests.bench.reports [orders]`. One order in a hundred is charged and told that it failed.
The commands are timed as processes, so their imports count.
"""

import statistics
import sys
import tempfile
from pathlib import Path

from tests.archived import a_tale, answered, archive, lifted, lost, swallowing
from tests.bench.start import command
from tests.bench.table import Figure, show

ORDERS = 10_000
WRONG_EVERY = 100


def archived_run(root: Path, orders: int) -> Path:
    """Archive a run of so many orders and return its folder."""
    tale = a_tale()
    for checkout in range(1, orders + 1):
        wrong = checkout % WRONG_EVERY == 0
        window = checkout // WRONG_EVERY
        if wrong:
            swallowing(tale, window)
        (lost if wrong else answered)(tale, checkout)
        if wrong:
            lifted(tale, window)
    return archive(tale, root)


def figures(orders: int = ORDERS, *, rounds: int = 3) -> list[Figure]:
    """Return the medians over the rounds."""
    with tempfile.TemporaryDirectory() as made:
        cwd = Path(made)
        small, large = archived_run(cwd / "small", WRONG_EVERY), archived_run(cwd / "large", orders)
        lines = sum(1 for _ in (large / "history.ndjson").open("rb"))
        page = cwd / "report.html"
        command("explain", str(small), cwd=cwd)  # byte code is written once, by whoever comes first
        explain_s = [command("explain", str(small), cwd=cwd) for _ in range(rounds)]
        large_s = [command("explain", str(large), cwd=cwd) for _ in range(rounds)]
        report_s = [
            command("report", str(large), "--html", str(page), cwd=cwd) for _ in range(rounds)
        ]
        page_mb = page.stat().st_size / 1e6
    told = f"{orders:,} orders, {lines:,} lines"
    one_ms, many_ms = statistics.median(explain_s) * 1000, statistics.median(large_s) * 1000
    whole_s = statistics.median(report_s)
    return [
        Figure(name="explain one order", value=one_ms, unit="ms", target=300),
        Figure(name="explain one of many", value=many_ms, unit="ms", note=told),
        Figure(name="HTML report", value=whole_s, unit="s", target=5, note=told),
        Figure(name="HTML report, size", value=page_mb, unit="MB", target=5, note=told),
    ]


if __name__ == "__main__":
    show(figures(int(sys.argv[1]) if len(sys.argv) > 1 else ORDERS))
