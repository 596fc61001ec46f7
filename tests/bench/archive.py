"""What the archive costs: listing a thousand runs, replaying's lock, and its share of a run.

`python -m tests.bench.archive [--runs 1000]`. The share is all that a run of 300 checkouts writes
(folder, lock, history, verdict), written again from what it left, beside what the run took: an
upper bound, since the real writing waits for nobody.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from checkout_sim.archive.index import INDEX_NAME, reindex
from checkout_sim.archive.recorder import HISTORY_NAME, Recorder
from checkout_sim.archive.runs import (
    begin_run,
    new_run_folder,
    read_lock,
    write_lock,
    write_verdict,
)
from checkout_sim.ndjson import encode, read_history
from checkout_sim.planning.lock import lock_text
from checkout_sim.planning.unlock import unlock
from tests.bench.start import command
from tests.bench.table import Figure, show

CHECKOUTS = 300
SCENARIO = f"""
version: 1
name: busy
why: Many checkouts and no fault, so that all time is ours.
load: {{checkouts: {CHECKOUTS}, concurrency: 16}}
expect: {{hardened: valid}}
"""


@contextmanager
def _elapsed_ms(add: Callable[[float], None]) -> Iterator[None]:
    began = time.perf_counter()
    yield
    add((time.perf_counter() - began) * 1000)


def _listing(cwd: Path, *, runs: int, verdict: dict[str, object]) -> list[Figure]:
    """Time the command as it is typed, over folders that hold a real verdict each."""
    root = cwd / ".checkout-sim"
    dawn = datetime(2026, 11, 23, tzinfo=UTC)
    for n in range(runs):
        now = dawn + timedelta(seconds=n)
        folder = new_run_folder(root, scenario=f"s{n % 30}", strategy="naive", seed=n, now=now)
        write_verdict(folder, verdict)
    without: list[float] = []
    with _elapsed_ms(without.append):
        reindex(root)
    command("runs", cwd=cwd)
    listing_ms = statistics.median(command("runs", cwd=cwd) * 1000 for _ in range(7))
    filtered_ms = statistics.median(
        command("runs", "--unexpected", "--strategy", "naive", cwd=cwd) * 1000 for _ in range(3)
    )
    assert (root / INDEX_NAME).is_file()
    named = f"runs over {runs:,} runs"
    return [
        Figure(name=named, value=listing_ms, unit="ms", target=300),
        Figure(name=f"{named}, filtered", value=filtered_ms, unit="ms", target=300),
        Figure(name=f"reindex of {runs:,} runs", value=without[0], unit="ms"),
    ]


def _share(cwd: Path) -> tuple[list[Figure], dict[str, object]]:
    """Run once, then write everything again and compare; also give the run's verdict."""
    (cwd / "busy.yaml").write_text(SCENARIO)
    command("run", "busy.yaml", "--engine", "embedded", "--json", "busy.json", cwd=cwd)
    (run,) = json.loads((cwd / "busy.json").read_text())["runs"]
    folder = cwd / run["folder"]
    took_ms = sum(run["timings"][name] for name in ("start_ms", "storm_ms", "settle_ms"))
    seen = list(read_history(folder / HISTORY_NAME))
    text = read_lock(folder)
    spent: list[float] = []
    reading: list[float] = []
    with _elapsed_ms(reading.append):
        locked = unlock(text, named="busy")
    with (
        _elapsed_ms(spent.append),
        begin_run(cwd / "again", scenario="busy", strategy="hardened", seed=1) as again,
    ):
        told = lock_text(
            locked.plan, locked.scenario, strategy=locked.strategy, versions=locked.versions
        )
        write_lock(again, told)
        with Recorder(again) as recorder:
            for observation in seen:
                recorder.append(encode(observation))
        write_verdict(again, run)
    assert (again / HISTORY_NAME).stat().st_size == (folder / HISTORY_NAME).stat().st_size
    figures = [
        Figure(
            name=f"archiving, share of a run of {CHECKOUTS}",
            value=100 * spent[0] / took_ms,
            unit="%",
            target=5,
            note=f"{spent[0]:.0f} of {took_ms:.0f} ms, {len(seen)} observations",
        ),
        Figure(name=f"reading a lock of {CHECKOUTS} checkouts", value=reading[0], unit="ms"),
    ]
    return figures, run


def figures(*, runs: int = 1000) -> list[Figure]:
    """Return the figures of the archive."""
    with tempfile.TemporaryDirectory() as made:
        share, verdict = _share(Path(made))
        return [*_listing(Path(made), runs=runs, verdict=verdict), *share]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    try:
        show(figures(runs=parser.parse_args().runs))
    except subprocess.CalledProcessError as error:
        sys.exit(error.stderr)
