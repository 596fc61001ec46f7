"""`report`: archived runs as one self-contained HTML page."""

from pathlib import Path
from typing import Annotated

import typer

from checkout_sim.cli.options import DEFAULT_RUNS_DIR, RunsDir
from checkout_sim.cli.streams import complain

EXAMPLES = """\
  checkout-sim report latest --html report.html
      the run begun last, opening on its first violated order
  checkout-sim report 20261123-0516 20261123-0611 --html both.html
      two runs on one page, named by the beginnings of their ids
  checkout-sim report .checkout-sim/runs/* --html all.html
      everything that is archived
"""


def report(
    *,
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="Ids, beginnings of ids, folders, or latest.",
            show_default=False,
        ),
    ],
    html: Annotated[
        Path,
        typer.Option("--html", metavar="FILE", help="Where to write the page.", show_default=False),
    ],
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
) -> None:
    """Write archived runs as one HTML file that needs no network.

    Verdicts, checkouts and faults over time, latencies, and the ladder of every violated order.
    """
    from checkout_sim.archive.chapters import MOST_ORDERS, chapter_of  # noqa: PLC0415 - lazy
    from checkout_sim.archive.runs import find_run  # noqa: PLC0415 - lazy
    from checkout_sim.cli.targets import short_names  # noqa: PLC0415 - imports the nouns
    from checkout_sim.reports.page import page  # noqa: PLC0415 - imports jinja2

    folders = list(dict.fromkeys(find_run(runs_dir, name) for name in runs))
    # One bound for the whole page: many runs share it, each shows at least its first order.
    each = max(MOST_ORDERS // len(folders), 1)
    chapters = [chapter_of(folder, most_orders=each) for folder in folders]
    for chapter in chapters:
        if chapter.problem:
            complain(f"checkout-sim: {chapter.problem}; the page shows what is left")
    paths = {
        str(one.facts["scenario_path"]): str(one.facts.get("scenario"))
        for one in chapters
        if one.facts.get("scenario_path")
    }
    _write(html, page(chapters, targets=short_names(paths)))
    complain(f"wrote {html}")


def _write(path: Path, text: str) -> None:
    """Write the page whole or not at all."""
    fresh = path.with_name(f".{path.name}.part")
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise typer.BadParameter(
            f"{path}: cannot be written: {error.strerror}; name a file in a folder that is there",
            param_hint="--html",
        ) from error
