"""What `run` does around a simulation: progress while it goes on, reports and exit code after.

Takes any source of runs, so that tests drive it with a small one made by hand.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path

from checkout_sim.checks.baseline import Baseline
from checkout_sim.cli.boundary import report_error
from checkout_sim.cli.conduct import Outcome, conduct
from checkout_sim.cli.exits import Exit, worst
from checkout_sim.cli.files import Files, Reported, write_files
from checkout_sim.cli.progress import Seen, progress_on
from checkout_sim.cli.streams import complain, diagnostics, results, show
from checkout_sim.model.run import Engine, Run
from checkout_sim.reports.evidence import NotRun
from checkout_sim.reports.phrases import counted
from checkout_sim.reports.terminal import verdict_report

_NO_FILES = Files()

Watch = Callable[[Seen], None]
Source = Callable[[Watch], AsyncIterator[Run]]


def run_and_report(  # noqa: PLR0913 - one argument per thing the command was told
    source: Source,
    *,
    asked: Sequence[tuple[str, str]],
    skipped: Sequence[NotRun] = (),
    runs_dir: Path,
    files: Files = _NO_FILES,
    baseline: Baseline | None = None,
    short_names: Mapping[str, str] | None = None,
    strict: bool = False,
    verbose: bool = False,
) -> Exit:
    """Run the source, show everything there is to show, and return the exit code.

    `asked` names scenario and strategy of every run there should be, `skipped` those this machine
    lacks a server for: they are told, and count for nothing. With a baseline only what it did not
    have counts.
    """
    for why, number in Counter(one.why for one in skipped).items():
        complain(f"{counted(number, 'run')} {why}")
    console = diagnostics()
    engines: list[Engine] = []
    with progress_on(console, runs=len(asked)) as progress:

        def watch(seen: Seen) -> None:
            if seen.engine is not None:
                engines.append(seen.engine)
            progress.watch(seen)

        outcome = conduct(lambda: source(watch), on_run=progress.ended)
    if baseline is not None:
        outcome.runs = [baseline.apply(run) for run in outcome.runs]
    if outcome.runs:
        drawn = verdict_report(
            outcome.runs,
            seconds=outcome.seconds,
            skipped=skipped,
            verbose=verbose,
            targets=short_names,
        )
        show(console if files.takes_stdout else results(), drawn)
    reported = Reported(
        runs=outcome.runs,
        missing=[*_missing(outcome, asked), *skipped],
        engine=engines[-1] if engines else None,
        complete=outcome.complete and len(outcome.runs) >= len(asked),
        targets=short_names,
    )
    code = worst([outcome.exit_code(strict=strict), write_files(files, reported)])
    _say_what_cut_it_short(outcome, len(asked), runs_dir)
    return code


def _missing(outcome: Outcome, asked: Sequence[tuple[str, str]]) -> list[NotRun]:
    """Return what was asked for and has no verdict, with what kept it from one."""
    if outcome.error is not None:
        why = f"did not run to its end: {outcome.error}"
    else:
        why = "interrupted" if outcome.interrupted else "stopped before it ran (--fail-fast)"
    ended = Counter((run.scenario, run.strategy) for run in outcome.runs)
    left = Counter(asked) - ended
    return [
        NotRun(scenario=scenario, strategy=strategy, why=why)
        for scenario, strategy in left.elements()
    ]


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
