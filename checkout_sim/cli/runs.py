"""`runs` and `judge`: what the archive holds, and what the judge says of it today."""

from typing import Annotated

import typer

from checkout_sim.cli.options import DEFAULT_RUNS_DIR, RunsDir, Strict
from checkout_sim.cli.streams import complain, results, show, tell

RUNS_EXAMPLES = """\
  checkout-sim runs                 the newest twenty
  checkout-sim runs --limit 0       all of them
"""
JUDGE_EXAMPLES = """\
  checkout-sim judge latest                 the run begun last
  checkout-sim judge 20261123-051633-lost   the beginning of an id, if it is the only one
  checkout-sim judge path/to/run            a folder with a history.ndjson
"""


def runs(
    *,
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", min=0, help="How many; 0 for all.")
    ] = 20,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """List archived runs, newest first. A run without a verdict did not finish."""
    from rich import box  # noqa: PLC0415 - rich costs 40 ms that --help does without
    from rich.table import Table  # noqa: PLC0415

    from checkout_sim.archive.index import list_runs  # noqa: PLC0415 - only this command needs it

    found = list_runs(runs_dir)
    if not found:
        complain(f"no runs in {runs_dir / 'runs'} yet; `checkout-sim run` makes some")
        return
    shown = found[:limit] if limit else found
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for heading in ("id", "when (UTC)", "scenario", "strategy", "verdict", "as expected"):
        table.add_column(heading, no_wrap=True)
    for run in shown:
        table.add_row(
            run.id,
            f"{run.began:%Y-%m-%d %H:%M:%S}" if run.began else "?",
            run.scenario,
            run.strategy,
            run.verdict or "unfinished",
            {True: "yes", False: "no", None: "–"}[run.as_expected],  # noqa: RUF001 - typography
        )
    # One line per run, whatever its width: an id is there to be copied.
    show(results(whole_lines=True), table)
    if len(shown) < len(found):
        tell(f"{len(shown)} of {len(found)} runs; --limit 0 shows all")


def judge(
    *,
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="An id, the beginning of one, a folder, or latest.",
            show_default=False,
        ),
    ],
    strict: Strict = False,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Judge an archived run again, without running anything.

    The judge is pure: the same history gives the same verdict, so a newer checkout-sim can be
    asked about old runs. Exit codes are those of `run`.
    """
    from checkout_sim.archive.runs import find_run, read_verdict  # noqa: PLC0415 - lazy
    from checkout_sim.cli.exits import of_run  # noqa: PLC0415 - beside its use
    from checkout_sim.cli.targets import short_names  # noqa: PLC0415 - imports the nouns
    from checkout_sim.reports.terminal import judged_report  # noqa: PLC0415 - imports rich
    from checkout_sim.simulation import judge_run  # noqa: PLC0415 - 300 ms

    folder = find_run(runs_dir, run)
    judged = judge_run(folder)
    names = short_names({judged.scenario_path: judged.scenario})
    show(results(), judged_report(judged, targets=names))
    before = (read_verdict(folder) or {}).get("verdict")
    if before not in {None, judged.verdict.status}:
        complain(f"when it was run, the verdict was {before}")
    raise typer.Exit(of_run(judged, strict=strict))
