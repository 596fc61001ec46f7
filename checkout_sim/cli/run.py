"""`checkout-sim run`: scenarios through strategies, verdicts out."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from checkout_sim.cli.options import (
    DEFAULT_RUNS_DIR,
    Database,
    DatabaseUrl,
    EngineOption,
    FailFast,
    Jobs,
    JsonFile,
    JunitFile,
    MarkdownFile,
    RunsDir,
    Seed,
    Strategies,
    Strict,
    Targets,
    ToxiproxyUrl,
    Verbose,
    database_for,
)
from checkout_sim.cli.streams import complain

if TYPE_CHECKING:  # loading the nouns would cost --help 40 ms
    from collections.abc import Callable

    from checkout_sim.checks.baseline import Baseline
    from checkout_sim.simulation.attending import Attendant
    from checkout_sim.simulation.single import Planned
    from checkout_sim.stack.launch import Launched

EXAMPLES = """\
  checkout-sim run
      the core scenarios, every strategy, Toxiproxy if there is one
  checkout-sim run lost-response-silent
      one shipped scenario: see naive caught, and hardened hold
  checkout-sim run my.yaml more/ --strategy hardened --fail-fast
      your own file and a folder, stop at the first surprise
  checkout-sim run --engine embedded --json report.json
      without Toxiproxy; the report for a program
  checkout-sim run calm --database postgres
      the same services on a PostgreSQL server of their own
  checkout-sim run swarm --seed 7 --strategy naive
      the same plan as every run of swarm with seed 7
  checkout-sim run scenarios/ --shard 2/5 --junit junit.xml --baseline main.json
      in CI: the second fifth, failing only on what main.json did not have
"""


def run(  # noqa: PLR0913 - one argument per option of the command
    *,
    targets: Targets = None,
    strategy: Strategies = None,
    seed: Seed = None,
    engine: EngineOption = "auto",
    database: Database = None,
    database_url: DatabaseUrl = None,
    json_file: JsonFile = None,
    junit: JunitFile = None,
    markdown: MarkdownFile = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A report of an earlier --json: fail only on what it did not have.",
            show_default=False,
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="K/N",
            help="Run the K-th of N parts of the scenarios, dealt out by name.",
            show_default=False,
        ),
    ] = None,
    strict: Strict = False,
    fail_fast: FailFast = False,
    jobs: Jobs = 2,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
    toxiproxy_url: ToxiproxyUrl = None,
    verbose: Verbose = False,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch",
            help="Say what happens as it happens, one plain line each, on standard error; runs "
            "then go one at a time. `tui` shows the same on a screen.",
        ),
    ] = False,
) -> None:
    """Run scenarios under faults and judge how every order ended.

    Without targets the core set of the shipped scenarios runs; without --strategy, every strategy
    a scenario's `expect` names. Each run is archived with its whole history: see `runs`, `judge`.
    """
    launched = _launch_early()
    try:
        from checkout_sim.cli import servers  # noqa: PLC0415 - imports the nouns
        from checkout_sim.cli import targets as words  # noqa: PLC0415 - imports scenario loading

        database = database_for(database, database_url)
        strategies = words.known_strategies(strategy or [])
        for option, path in (("--json", json_file), ("--junit", junit), ("--markdown", markdown)):
            _check_writable(path, option)
        known = None if baseline is None else _read_baseline(baseline)
        part = None if shard is None else words.shard_of(shard)
        scenarios = words.chosen(targets or [])
        if part is not None:
            scenarios = words.sharded(scenarios, part)
            if not scenarios:
                complain(f"part {shard} holds no scenario: there are fewer scenarios than parts")
                raise typer.Exit  # noqa: TRY301 - the fork server is dismissed below

        from checkout_sim.cli.files import Files  # noqa: PLC0415 - imports the nouns
        from checkout_sim.cli.reporting import run_and_report  # noqa: PLC0415 - imports rich
        from checkout_sim.scenario_files.shipped import links_path  # noqa: PLC0415 - beside its use
        from checkout_sim.simulation import (  # noqa: PLC0415 - 300 ms
            Options,
            on_database,
            pairs,
            simulate_pairs,
        )

        if database is not None:
            scenarios = [on_database(scenario, database) for scenario in scenarios]
        kept, skipped = servers.without_what_is_missing(
            pairs(scenarios, strategies),
            asked=servers.Asked(
                targets=targets or [], strategies=strategies or [], database=database
            ),
            has_database=database_url is not None,
        )
    except BaseException:
        _dismiss(launched)
        raise

    options = Options(
        engine=engine,
        toxiproxy_url=toxiproxy_url,
        runs_folder=runs_dir,
        jobs=1 if watch else jobs,
        fail_fast=fail_fast,
        links_path=links_path(),
        database_url=database_url,
    )
    code = run_and_report(
        lambda hear: simulate_pairs(
            kept,
            seed=seed,
            options=options,
            watch=hear,
            launched=launched,
            attend=_watching() if watch else None,
        ),
        asked=[(scenario.name, name) for scenario, name in kept],
        skipped=skipped,
        runs_dir=runs_dir,
        files=Files(json=json_file, junit=junit, markdown=markdown),
        baseline=known,
        short_names=words.short_names({one.path: one.name for one in scenarios}),
        strict=strict,
        verbose=verbose,
    )
    raise typer.Exit(code)


def _watching() -> "Callable[[Planned], Attendant]":
    from checkout_sim.cli.watching import Watching  # noqa: PLC0415 - imports the simulation

    return Watching


def _launch_early() -> "Launched":
    """Start the fork server before the tool's own imports: it preloads on the other core."""
    from checkout_sim.stack.launch import MODULES, launch  # noqa: PLC0415 - --help does without

    return launch(MODULES)


def _dismiss(launched: "Launched") -> None:
    """End a fork server that nobody will use; it has no children yet, so it may be killed."""
    launched.process.kill()
    launched.process.wait()
    launched.control.close()
    os.close(launched.complaints)


def _check_writable(path: Path | None, option: str) -> None:
    """Refuse a report that could not be written before anything runs, not after."""
    if path is None or str(path) == "-":
        return
    if path.is_dir() or not path.absolute().parent.is_dir():
        found = "is a folder" if path.is_dir() else f"has no folder {path.absolute().parent}"
        raise typer.BadParameter(
            f"{path} {found}; name a file that can be written", param_hint=option
        )


def _read_baseline(path: Path) -> "Baseline":
    from checkout_sim.checks.baseline import baseline_of  # noqa: PLC0415 - imports the nouns
    from checkout_sim.model.errors import HistoryUnreadable  # noqa: PLC0415 - likewise

    try:
        return baseline_of(json.loads(path.read_bytes()), named=str(path))
    except OSError as error:
        told = f"{path}: cannot be read: {error.strerror}"
    except ValueError as error:
        told = f"{path}: not JSON: {error}"
    except HistoryUnreadable as error:
        told = str(error)
    raise typer.BadParameter(told, param_hint="--baseline")
