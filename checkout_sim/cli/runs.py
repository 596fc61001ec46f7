"""`runs` and its family: what the archive holds, one run looked at, and room made."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from checkout_sim.cli.options import DEFAULT_RUNS_DIR, RunName, RunsDir
from checkout_sim.cli.streams import complain, tell

if TYPE_CHECKING:  # loading the nouns would cost --help 40 ms
    from checkout_sim.archive.summaries import RunSummary

ABOUT = """\
List archived runs, newest first. A run without a verdict is unfinished, or running just now.

`show` looks at one, `prune` makes room, `reindex` makes the index anew from the folders.
"""
RUNS_EXAMPLES = """\
  checkout-sim runs                            the newest twenty
  checkout-sim runs --limit 0                  all of them
  checkout-sim runs --strategy hardened --verdict invalid
  checkout-sim runs --unexpected --json        what needs a look, for a program
"""
SHOW_EXAMPLES = """\
  checkout-sim runs show latest
"""
PRUNE_EXAMPLES = """\
  checkout-sim runs prune --keep 100            all but the newest hundred
  checkout-sim runs prune --keep 0 --dry-run    what would go
"""
REINDEX_EXAMPLES = """\
  checkout-sim runs reindex                     never needed; the folders are the truth
"""

_UNFINISHED = "unfinished"
_RUNNING = "running"


def runs(
    context: typer.Context,
    *,
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", min=0, help="How many; 0 for all.")
    ] = 20,
    scenario: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only runs of this scenario.", show_default=False),
    ] = None,
    strategy: Annotated[
        str | None,
        typer.Option("--strategy", "-s", metavar="NAME", help="Only this.", show_default=False),
    ] = None,
    verdict: Annotated[
        Literal["valid", "unknown", "invalid", "unfinished"] | None,
        typer.Option(help="Only runs that ended so.", show_default=False),
    ] = None,
    unexpected: Annotated[
        bool, typer.Option("--unexpected", help="Only runs that are not as expected.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write JSON, one object per run, in a list.")
    ] = False,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """List archived runs; see ABOUT, which help shows."""
    context.obj = runs_dir
    if context.invoked_subcommand is not None:
        return
    from checkout_sim.archive.index import list_runs  # noqa: PLC0415 - --help does without

    every = list_runs(runs_dir)
    found = [
        run
        for run in every
        if (scenario is None or run.scenario == scenario)
        and (strategy is None or run.strategy == strategy)
        and (verdict is None or (run.verdict or _UNFINISHED) == verdict)
        and not (unexpected and run.as_expected is not False)
    ]
    shown = found[:limit] if limit else found
    if as_json:
        _tell_json(shown)
    elif not every:
        complain(f"no runs in {runs_dir / 'runs'} yet; `checkout-sim run` makes some")
    elif not found:
        complain(f"none of {len(every)} runs is of that kind")
    else:
        _show_table(shown)
        if len(shown) < len(found):
            tell(f"{len(shown)} of {len(found)} runs; --limit 0 shows all")


def show_run(context: typer.Context, *, run: RunName, runs_dir: RunsDir = DEFAULT_RUNS_DIR) -> None:
    """Show one archived run: what it was, how far it came, what its folder holds."""
    from checkout_sim.archive.runs import find_run  # noqa: PLC0415 - --help does without
    from checkout_sim.archive.summaries import summary  # noqa: PLC0415 - likewise
    from checkout_sim.cli.showing import folder_lines, progress_lines  # noqa: PLC0415 - likewise

    folder = find_run(_archive(context, runs_dir), run)
    found = summary(folder)
    expected = {True: "as expected", False: "not as expected", None: "nothing expected"}
    rows = {
        "run": found.id,
        "began": f"{found.began:%Y-%m-%d %H:%M:%S} UTC" if found.began else "?",
        "scenario": f"{found.scenario}, {found.strategy}, seed {found.seed}",
        "engine": found.engine or "?",
        "verdict": f"{found.verdict} ({expected[found.as_expected]})"
        if found.verdict
        else _unfinished(found),
        "broken": ", ".join(found.broken) or "–",  # noqa: RUF001 - typography
    }
    for name, said in rows.items():
        tell(f"{name:<9} {said}")
    for line in (*progress_lines(folder), "", *folder_lines(folder)):
        tell(line)


def prune(
    context: typer.Context,
    *,
    keep: Annotated[
        int, typer.Option("--keep", metavar="N", min=0, help="How many of the newest stay.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Delete all but the newest runs; one that is running, or being read, is spared."""
    from checkout_sim.archive.prune import prune as prune_runs  # noqa: PLC0415 - lazy

    pruned = prune_runs(_archive(context, runs_dir), keep=keep, dry_run=dry_run)
    would = "would be " if dry_run else ""
    noun = "run" if len(pruned.gone) == 1 else "runs"
    tell(
        f"{len(pruned.gone)} {noun} {would}deleted, {pruned.freed_bytes / 1e6:.1f} MB {would}freed"
    )
    if dry_run:
        for run in pruned.gone:
            tell(f"  {run.id}")
    for run in pruned.spared:
        complain(f"{run.id} is in use and stays")


def reindex(context: typer.Context, *, runs_dir: RunsDir = DEFAULT_RUNS_DIR) -> None:
    """Make the index anew from the folders, which are the truth."""
    from checkout_sim.archive.index import INDEX_NAME  # noqa: PLC0415 - lazy
    from checkout_sim.archive.index import reindex as make_index  # noqa: PLC0415 - lazy

    root = _archive(context, runs_dir)
    tell(f"{make_index(root)} runs in {root / INDEX_NAME}")


def _archive(context: typer.Context, said: Path) -> Path:
    """Return the archive named behind the subcommand, else the one named before it."""
    before = context.obj if isinstance(context.obj, Path) else DEFAULT_RUNS_DIR
    return before if said == DEFAULT_RUNS_DIR else said


def _unfinished(run: "RunSummary") -> str:
    from checkout_sim.archive.in_use import in_use  # noqa: PLC0415 - lazy

    return _RUNNING if in_use(run.folder) else _UNFINISHED


def _show_table(shown: "list[RunSummary]") -> None:
    """Write one line per run, whatever its width: an id is there to be copied.

    Without rich, whose import would be a quarter of what this command may take in all.
    """
    rows = [("id", "when (UTC)", "scenario", "strategy", "verdict", "as expected")]
    rows += [
        (
            run.id,
            f"{run.began:%Y-%m-%d %H:%M:%S}" if run.began else "?",
            run.scenario,
            run.strategy,
            run.verdict or _unfinished(run),
            {True: "yes", False: "no", None: "–"}[run.as_expected],  # noqa: RUF001 - typography
        )
        for run in shown
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "   ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    lines.insert(1, "─" * (sum(widths) + 3 * (len(widths) - 1)))
    tell("\n".join(lines))


def _tell_json(shown: "list[RunSummary]") -> None:
    import json  # noqa: PLC0415 - lazy
    from dataclasses import asdict  # noqa: PLC0415 - lazy

    tell(
        json.dumps(
            [
                {
                    **asdict(run),
                    "folder": str(run.folder),
                    "began": run.began.isoformat() if run.began else None,
                    "verdict": run.verdict or _unfinished(run),
                }
                for run in shown
            ],
            indent=2,
        )
    )
