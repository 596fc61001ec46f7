"""How long a person waits: help, the first checkout from a cold command, a scenario, the core set.

`python -m tests.bench.start [--rounds 3]`. The first checkout is timed from before the process is
made until the order service logs `order.created`, on the host's one monotonic clock.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from checkout_sim.ndjson import read_history
from tests.bench.table import Figure, show

LIMIT_S = 300
TWENTY = """
version: 1
name: twenty
why: Twenty checkouts and no fault, so that all time is ours.
load: {checkouts: 20}
expect: {naive: valid}
"""


def command(*arguments: str, cwd: Path) -> float:
    """Run `checkout-sim` and return the seconds it took; anything but exit 0 ends the bench."""
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "checkout_sim", *arguments],
        cwd=cwd,
        check=True,
        capture_output=True,
        timeout=LIMIT_S,
    )
    return time.monotonic() - began


def first_checkout(cwd: Path) -> tuple[float, float]:
    """Return (seconds to the first order, seconds in all) of one cold command."""
    began_ms = time.monotonic() * 1000
    whole_s = command("run", "twenty.yaml", "--json", "twenty.json", cwd=cwd)
    folder = Path(json.loads((cwd / "twenty.json").read_text())["runs"][0]["folder"])
    for seen in read_history(cwd / folder / "history.ndjson"):
        if seen.kind == "order.created" and seen.source_ms is not None:
            return (seen.source_ms - began_ms) / 1000, whole_s
    raise AssertionError("no order was created")


def measure(*, rounds: int = 3) -> list[Figure]:
    """Return the medians over the rounds; the core set runs once."""
    with tempfile.TemporaryDirectory() as made:
        cwd = Path(made)
        (cwd / "twenty.yaml").write_text(TWENTY)
        command("--help", cwd=cwd)  # what is read from the disk once, by whoever comes first
        first_checkout(cwd)
        help_s = statistics.median(command("--help", cwd=cwd) for _ in range(3 * rounds))
        runs = [first_checkout(cwd) for _ in range(rounds)]
        core_s = command("run", cwd=cwd)
    first_s = statistics.median(first for first, _ in runs)
    whole_s = statistics.median(whole for _, whole in runs)
    return [
        Figure(name="--help", value=help_s * 1000, unit="ms", target=150),
        Figure(name="cold command to first checkout", value=first_s, unit="s", target=1.5),
        Figure(name="20 checkouts, end to end", value=whole_s, unit="s", target=4),
        Figure(name="core 12, two strategies", value=core_s, unit="s", target=60),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    show(measure(rounds=parser.parse_args().rounds))
