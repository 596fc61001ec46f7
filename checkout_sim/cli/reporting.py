"""What `run` does around a simulation: progress while it goes on, report, JSON and exit code after.

Takes any source of runs, so that tests drive it with a small one made by hand.
"""

import json
import os
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from checkout_sim.cli.boundary import report_error
from checkout_sim.cli.conduct import Outcome, conduct
from checkout_sim.cli.exits import Exit, worst
from checkout_sim.cli.progress import Seen, progress_on
from checkout_sim.cli.streams import complain, diagnostics, results, show, tell
from checkout_sim.model.run import Engine, Run
from checkout_sim.reports.summary import report
from checkout_sim.reports.terminal import verdict_report

Watch = Callable[[Seen], None]
Source = Callable[[Watch], AsyncIterator[Run]]


def run_and_report(
    source: Source,
    *,
    expected_runs: int,
    runs_dir: Path,
    json_file: Path | None = None,
    short_names: Mapping[str, str] | None = None,
    strict: bool = False,
    verbose: bool = False,
) -> Exit:
    """Run the source, show everything there is to show, and return the exit code."""
    console = diagnostics()
    engines: list[Engine] = []
    with progress_on(console, runs=expected_runs) as progress:

        def watch(seen: Seen) -> None:
            if seen.engine is not None:
                engines.append(seen.engine)
            progress.watch(seen)

        outcome = conduct(lambda: source(watch), on_run=progress.ended)

    to_stdout = json_file is not None and str(json_file) == "-"
    if outcome.runs:
        drawn = verdict_report(
            outcome.runs, seconds=outcome.seconds, verbose=verbose, targets=short_names
        )
        show(console if to_stdout else results(), drawn)
    code = outcome.exit_code(strict=strict)
    if json_file is not None:
        whole = report(
            outcome.runs,
            engine=engines[-1] if engines else None,
            complete=outcome.complete and len(outcome.runs) >= expected_runs,
            targets=short_names,
        )
        code = worst([code, _write_json(json_file, whole)])
    _say_what_cut_it_short(outcome, expected_runs, runs_dir)
    return code


def _say_what_cut_it_short(outcome: Outcome, expected_runs: int, runs_dir: Path) -> None:
    if outcome.error is not None:
        report_error(outcome.error)
    if outcome.interrupted:
        complain(
            f"checkout-sim: interrupted after {len(outcome.runs)} of {expected_runs} runs; "
            f"history kept in {runs_dir / 'runs'}"
        )
    elif outcome.complete and not outcome.runs:
        complain("checkout-sim: nothing was run: no scenario named expects anything of a strategy")
    elif outcome.complete and len(outcome.runs) < expected_runs:
        complain(f"checkout-sim: stopped after {len(outcome.runs)} of {expected_runs} runs")


def _write_json(path: Path, whole: Mapping[str, Any]) -> Exit:
    """Write the report whole or not at all; a disk that refuses must not hide the verdicts."""
    text = json.dumps(whole, indent=2)
    if str(path) == "-":
        tell(text)
        return Exit.AS_EXPECTED
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_text(text + "\n", encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        complain(f"checkout-sim: {path}: the report cannot be written: {error.strerror}")
        return Exit.INTERNAL
    return Exit.AS_EXPECTED
