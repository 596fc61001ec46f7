"""Options that several commands share, each described once."""

from pathlib import Path
from typing import Annotated, Literal

import typer

Targets = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILE|DIR|NAME",
        help="Scenario files, folders of them, or names of shipped scenarios.",
        show_default=False,
    ),
]

Strategies = Annotated[
    list[str] | None,
    typer.Option(
        "--strategy",
        "-s",
        metavar="NAME",
        help="Run only this strategy; may be given several times. "
        "[default: every strategy the scenario's `expect` names]",
        show_default=False,
    ),
]

EngineOption = Annotated[
    Literal["auto", "toxiproxy", "embedded"],
    typer.Option(
        help="The proxy server that breaks the links. auto: Toxiproxy when one is found, "
        "else the embedded one, which speaks the same API."
    ),
]

ToxiproxyUrl = Annotated[
    str | None,
    typer.Option(
        "--toxiproxy-url",
        metavar="URL",
        envvar="TOXIPROXY_URL",
        help="Use the Toxiproxy already running at this address, say http://127.0.0.1:8474; "
        "runs then go one at a time.",
        show_default=False,
    ),
]

DatabaseName = Literal["sqlite", "postgres"]

Database = Annotated[
    DatabaseName | None,
    typer.Option(
        help="Where the services keep their rows: in SQLite files, or in a private PostgreSQL "
        "server, reached over links that can be broken. "
        "[default: sqlite, unless a scenario says otherwise]",
        show_default=False,
    ),
]

DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        metavar="URL",
        envvar="CHECKOUT_SIM_DATABASE_URL",
        help="Use the PostgreSQL server at this address, say postgresql://me:secret@127.0.0.1/me; "
        "each run creates databases of its own there, and drops them. Implies --database postgres.",
        show_default=False,
    ),
]

RunsDir = Annotated[
    Path,
    typer.Option(
        "--runs-dir",
        metavar="DIR",
        envvar="CHECKOUT_SIM_RUNS_DIR",
        help="Where runs are archived.",
    ),
]

Seed = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=0,
        help="Draw the plan from this seed. [default: the scenario's]",
        show_default=False,
    ),
]

JsonFile = Annotated[
    Path | None,
    typer.Option(
        "--json",
        metavar="FILE",
        help="Write the report as JSON as well; - is standard output, and the table then "
        "goes to standard error.",
        show_default=False,
    ),
]

JunitFile = Annotated[
    Path | None,
    typer.Option(
        "--junit",
        metavar="FILE",
        help="Write JUnit XML: a suite per strategy, a case per scenario and claim.",
        show_default=False,
    ),
]

MarkdownFile = Annotated[
    Path | None,
    typer.Option(
        "--markdown",
        metavar="FILE",
        help="Write Markdown that fits a pull-request comment. "
        "[default: $GITHUB_STEP_SUMMARY where that is set]",
        show_default=False,
    ),
]

RunName = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="An id, the beginning of one, a folder, or latest.",
        show_default=False,
    ),
]

Strict = Annotated[bool, typer.Option("--strict", help="Exit 1 on any violation, expected or not.")]

FailFast = Annotated[
    bool, typer.Option("--fail-fast", help="Stop at the first run not as expected.")
]

Jobs = Annotated[
    int, typer.Option("--jobs", "-j", metavar="N", min=1, max=64, help="Runs at a time.")
]

Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Show every violation, and timings.")
]

DEFAULT_RUNS_DIR = Path(".checkout-sim")


def database_for(database: DatabaseName | None, url: str | None) -> DatabaseName | None:
    """Return the database asked for; None: what each scenario says. Raises typer.BadParameter."""
    if url is None:
        return database
    if database == "sqlite":
        raise typer.BadParameter(
            "a server's address and --database sqlite contradict each other; leave one out",
            param_hint="--database-url",
        )
    return "postgres"
