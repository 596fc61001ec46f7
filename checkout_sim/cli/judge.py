"""`judge` and `diff`: what today's judge says of runs that were made earlier."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from checkout_sim.cli.options import (
    DEFAULT_RUNS_DIR,
    JsonFile,
    JunitFile,
    MarkdownFile,
    RunName,
    RunsDir,
    Strict,
)
from checkout_sim.cli.streams import complain, diagnostics, results, show, tell

JUDGE_EXAMPLES = """\
  checkout-sim judge latest                 the run begun last
  checkout-sim judge 20261123-051633-lost   the beginning of an id, if it is the only one
  checkout-sim judge path/to/run            a folder with a history.ndjson
  checkout-sim judge latest --invariants extended
  checkout-sim judge latest --also retries_stay_in_budget --junit junit.xml
"""
DIFF_EXAMPLES = """\
  checkout-sim diff 20261123-0516 latest    what differs, and that the rest does not
"""


def judge(
    *,
    run: RunName,
    invariants: Annotated[
        Literal["core", "extended"] | None,
        typer.Option(
            help="Ask all core claims, or core and extended. [default: those of the scenario]",
            show_default=False,
        ),
    ] = None,
    also: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLAIM",
            help="Ask this claim as well; may be given several times.",
            show_default=False,
        ),
    ] = None,
    strict: Strict = False,
    json_file: JsonFile = None,
    junit: JunitFile = None,
    markdown: MarkdownFile = None,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Judge an archived run again, without running anything.

    The judge is pure: the same history gives the same verdict, so a newer checkout-sim can be
    asked about old runs, also about claims it did not know then. Exit codes are those of `run`.
    """
    from checkout_sim.archive.in_use import using  # noqa: PLC0415 - lazy
    from checkout_sim.archive.runs import find_run, read_verdict  # noqa: PLC0415 - lazy
    from checkout_sim.cli.exits import of_run, worst  # noqa: PLC0415 - beside its use
    from checkout_sim.cli.files import Files, Reported, write_files  # noqa: PLC0415 - the nouns
    from checkout_sim.cli.targets import short_names  # noqa: PLC0415 - imports the nouns
    from checkout_sim.reports.terminal import judged_report  # noqa: PLC0415 - imports rich
    from checkout_sim.simulation import judge_run  # noqa: PLC0415 - 300 ms

    _require_claims(also or [])
    folder = find_run(runs_dir, run)
    with using(folder):
        judged = judge_run(folder, among=invariants, also=also or [])
        before = (read_verdict(folder) or {}).get("verdict")
    names = short_names({judged.scenario_path: judged.scenario})
    files = Files(json=json_file, junit=junit, markdown=markdown)
    console = diagnostics() if files.takes_stdout else results()
    show(console, judged_report(judged, targets=names))
    if before not in {None, judged.verdict.status}:
        complain(f"when it was run, the verdict was {before}")
    written = write_files(files, Reported(runs=[judged], engine=judged.engine, targets=names))
    raise typer.Exit(worst([of_run(judged, strict=strict), written]))


def diff(
    *,
    before: Annotated[str, typer.Argument(metavar="RUN", help="The run to compare with.")],
    after: Annotated[str, typer.Argument(metavar="RUN", help="The run compared.")],
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Say what differs between two archived runs: verdicts by claim and checkout, and timings.

    Both are judged anew, so that no change of the judge looks like one of the services. Exits 0
    where the verdicts are the same and 1 where they differ, as diff(1) does; timings never count.
    """
    from checkout_sim.archive.in_use import using  # noqa: PLC0415 - lazy
    from checkout_sim.archive.runs import find_run  # noqa: PLC0415 - lazy
    from checkout_sim.cli.exits import Exit  # noqa: PLC0415 - beside its use
    from checkout_sim.reports.differing import diff_lines, verdicts_differ  # noqa: PLC0415 - lazy
    from checkout_sim.simulation import judge_run  # noqa: PLC0415 - 300 ms

    folders: list[Path] = [find_run(runs_dir, name) for name in (before, after)]
    with using(folders[0]), using(folders[1]):
        first, second = (judge_run(folder) for folder in folders)
    for line in diff_lines(first, second):
        tell(line)
    raise typer.Exit(Exit.NOT_AS_EXPECTED if verdicts_differ(first, second) else Exit.AS_EXPECTED)


def _require_claims(names: list[str]) -> None:
    """Refuse a claim nobody knows; the judge would call it unknown, which is no typing error."""
    from checkout_sim.model.claims import CORE, EXTENDED  # noqa: PLC0415 - lazy

    for name in names:
        if name not in (*CORE, *EXTENDED):
            from difflib import get_close_matches  # noqa: PLC0415 - only a typing error needs it

            near = get_close_matches(name, (*CORE, *EXTENDED), n=1)
            meant = f'; did you mean "{near[0]}"?' if near else ";"
            raise typer.BadParameter(
                f'no claim is called "{name}"{meant} known: {", ".join((*CORE, *EXTENDED))}',
                param_hint="--also",
            )
