"""The table of commands. Help is plain text: rich's markup would cost every start 80 ms."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

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
    tui,
    up,
)
from checkout_sim.cli.lean import LeanCommand, LeanGroup
from checkout_sim.cli.streams import tell

_ABOUT = """\
Run checkouts under faults, and judge whether every order ended consistently.

Real order, payment and gateway services are started behind Toxiproxy. Shoppers buy, links and
processes break as a scenario says, then order, payment and gateway are asked what they believe.
Each scenario states which verdict each strategy must earn: naive is to be caught, hardened to hold.

\b
Examples:
  checkout-sim run                            the core scenarios, every strategy
  checkout-sim run lost-response-silent       one shipped scenario
  checkout-sim run my.yaml --strategy naive   your own, one strategy
  checkout-sim list                           what is shipped, and what must come out
  checkout-sim doctor                         what this machine has and lacks
"""

_ENDS = """\
\b
Exit codes:
  0    as expected                     3    a verdict is unknown
  1    not as expected (or --strict:   4    the stack could not start
       any violation)                  70   checkout-sim itself failed
  2    wrong usage, invalid scenario   130  interrupted
"""


app = typer.Typer(
    cls=LeanGroup,
    help=_ABOUT,
    epilog=_ENDS,
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(*, asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # noqa: PLC0415 - 20 ms only --version needs

        tell(f"checkout-sim {version('checkout-sim')}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=lambda asked: _version(asked=asked),
            is_eager=True,
            help="Print the version and exit.",
        ),
    ] = False,
) -> None:
    """Take the options that stand before a command."""
    assert not version, "the callback has ended the command"


def _add(name: str, command: Callable[..., Any], examples: str, onto: typer.Typer = app) -> None:
    onto.command(name, cls=LeanCommand, epilog=f"\b\nExamples:\n{examples}")(command)


_add("run", run.run, run.EXAMPLES)
_add("list", scenarios.list_scenarios, scenarios.LIST_EXAMPLES)
_add("validate", scenarios.validate, scenarios.VALIDATE_EXAMPLES)
_add("schema", scenarios.schema, scenarios.SCHEMA_EXAMPLES)
_add("judge", judge.judge, judge.JUDGE_EXAMPLES)
_add("replay", replay.replay, replay.EXAMPLES)
_add("diff", judge.diff, judge.DIFF_EXAMPLES)
_add("explain", explain.explain, explain.EXAMPLES)
_add("report", report.report, report.EXAMPLES)
_add("up", up.up, up.EXAMPLES)
_add("tui", tui.tui, tui.EXAMPLES)
_add("doctor", doctor.doctor, doctor.EXAMPLES)

_runs = typer.Typer(
    cls=LeanGroup,
    help=runs.ABOUT,
    epilog=f"\b\nExamples:\n{runs.RUNS_EXAMPLES}",
    rich_markup_mode=None,
    add_completion=False,
)
_runs.callback(invoke_without_command=True)(runs.runs)
_add("show", runs.show_run, runs.SHOW_EXAMPLES, onto=_runs)
_add("prune", runs.prune, runs.PRUNE_EXAMPLES, onto=_runs)
_add("reindex", runs.reindex, runs.REINDEX_EXAMPLES, onto=_runs)
app.add_typer(_runs, name="runs")

_toxiproxy = typer.Typer(
    cls=LeanGroup,
    help="The real proxy server, Shopify's Toxiproxy.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)
_add("install", toxiproxy.install, toxiproxy.INSTALL_EXAMPLES, onto=_toxiproxy)
app.add_typer(_toxiproxy, name="toxiproxy")
