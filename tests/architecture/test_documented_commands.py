"""Every command line that help, README and docs show can be typed as it stands."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from checkout_sim.cli import (
    doctor,
    explain,
    judge,
    replay,
    report,
    run,
    runs,
    scenarios,
    toxiproxy,
    up,
)
from checkout_sim.cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]

IN_HELP = "\n".join(
    [
        *(run.EXAMPLES, up.EXAMPLES, doctor.EXAMPLES, toxiproxy.INSTALL_EXAMPLES),
        *(scenarios.LIST_EXAMPLES, scenarios.VALIDATE_EXAMPLES, scenarios.SCHEMA_EXAMPLES),
        *(runs.RUNS_EXAMPLES, runs.SHOW_EXAMPLES, runs.PRUNE_EXAMPLES, runs.REINDEX_EXAMPLES),
        *(judge.JUDGE_EXAMPLES, judge.DIFF_EXAMPLES, replay.EXAMPLES),
        *(explain.EXAMPLES, report.EXAMPLES),
        app.info.help or "",
    ]
)

COMMAND = re.compile(r"^\s*(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\S*/)?(checkout-sim .*)$", re.MULTILINE)


def fenced(page: Path) -> str:
    """Return what stands in a page's fences, whatever language they name."""
    inside, kept = False, []
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            inside = not inside
        elif inside:
            kept.append(line)
    return "\n".join(kept)


def shown(text: str) -> Iterator[str]:
    for line in COMMAND.findall(text.replace("\\\n", " ")):
        # Two blanks begin the explanation beside an example; # a comment, > a redirection.
        yield re.split(r" {2,}| # | > | 2> | \| | && ", line)[0].strip()


IN_PAGES = "\n".join(fenced(page) for page in PAGES if page.is_file())


@pytest.mark.parametrize("line", sorted({*shown(IN_HELP), *shown(IN_PAGES)}))
def test_a_documented_command_can_be_typed_as_it_stands(line: str) -> None:
    words = shlex.split(line)[1:]
    command = typer.main.get_command(app)
    name = "checkout-sim"
    context = None
    while isinstance(command, TyperGroup) and words and not words[0].startswith("-"):
        context = command.make_context(name, [words[0]], parent=context)
        name, words = words[0], words[1:]
        found = command.get_command(context, name)
        assert found is not None, f"{line}: there is no command {name}"
        command = found
    if "--help" not in words and "--version" not in words:  # those end, having been understood
        command.make_context(name, words, parent=context)


def test_examples_are_found_in_help_and_readme() -> None:
    assert "checkout-sim run lost-response-silent" in set(shown(IN_HELP))
    assert list(shown(IN_PAGES))
