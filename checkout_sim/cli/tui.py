"""`checkout-sim tui`: the dashboard, on its own engine, on a running one, or on a recording."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from checkout_sim.cli.exits import Exit
from checkout_sim.cli.options import (
    DEFAULT_RUNS_DIR,
    Database,
    DatabaseUrl,
    EngineOption,
    RunsDir,
    ToxiproxyUrl,
    database_for,
)
from checkout_sim.cli.streams import complain, tell

EXAMPLES = """\
  checkout-sim tui                          naive services, yours to break
  checkout-sim tui --strategy hardened      those that hold
  checkout-sim tui --database postgres      with links to the database, yours to break too
  checkout-sim tui --replay latest --speed 4
                                            a recorded run again, four times as fast
  checkout-sim tui --attach --read-only     watch the engine that runs already
  checkout-sim tui --serve                  in the browser, on this machine only
"""

_NO_TERMINAL = """\
checkout-sim tui: needs a terminal; {why}.
Without one, run a scenario and follow it line by line:
  checkout-sim run lost-response-silent --watch"""

Theme = Annotated[
    Literal["dark", "light"], typer.Option(help="Colours for a dark or light ground.")
]


def tui(  # noqa: PLR0913 - one argument per option of the command
    *,
    strategy: Annotated[
        str, typer.Option("--strategy", "-s", metavar="NAME", help="What the services do.")
    ] = "naive",
    engine: EngineOption = "auto",
    database: Database = None,
    database_url: DatabaseUrl = None,
    attach: Annotated[
        bool, typer.Option("--attach", help="Join the engine that was started last.")
    ] = False,
    replay: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="Play a recorded run: an id, the beginning of one, a folder, or latest.",
            show_default=False,
        ),
    ] = None,
    speed: Annotated[
        float, typer.Option(metavar="N", min=0.0, help="Of --replay; 0 is all at once.")
    ] = 1.0,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Show everything, change nothing.")
    ] = False,
    serve: Annotated[
        bool, typer.Option("--serve", help="Serve it to browsers on this machine, to look at.")
    ] = False,
    serve_control: Annotated[
        bool, typer.Option("--serve-control", help="Let those browsers press keys, too.")
    ] = False,
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="Of --serve; 0 is a free one.")
    ] = 0,
    ascii_only: Annotated[
        bool, typer.Option("--ascii", help="Draw with ASCII characters only.")
    ] = False,
    no_color: Annotated[
        bool, typer.Option("--no-color", help="Do without colours; NO_COLOR is respected too.")
    ] = False,
    theme: Theme = "dark",
    fps: Annotated[int, typer.Option(metavar="N", min=1, max=60, help="Frames a second.")] = 10,
    no_mouse: Annotated[
        bool, typer.Option("--no-mouse", help="Leave the mouse to the terminal.")
    ] = False,
    socket: Annotated[Path | None, typer.Option("--socket", hidden=True)] = None,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
    toxiproxy_url: ToxiproxyUrl = None,
) -> None:
    """Run checkouts and break things by hand, and watch who believes what about the money.

    The stack comes up beneath the screen and goes with it: quit, crash or kill the dashboard, and
    within five seconds every fault is lifted and every process stopped. What you did is archived
    like any run, and can be saved as a scenario. `?` lists the keys.
    """
    from checkout_sim.cli import targets as words  # noqa: PLC0415 - imports scenario loading

    words.known_strategies([strategy])
    rows_in = database_for(database, database_url)
    looks = [
        *(["--ascii"] if ascii_only else []),
        *(["--no-color"] if no_color or os.environ.get("NO_COLOR") else []),
        *(["--no-mouse"] if no_mouse else []),
        *("--theme", theme, "--fps", str(fps)),
    ]
    arguments = ["--strategy", strategy, "--engine", engine, "--runs-dir", str(runs_dir)]
    arguments += ["--toxiproxy-url", toxiproxy_url] if toxiproxy_url else []
    arguments += ["--database", rows_in] if rows_in else []
    if database_url:  # it holds a password, and a command line is everybody's to read
        from checkout_sim.stack.servers import DATABASE_URL_VARIABLE  # noqa: PLC0415 - beside it

        os.environ[DATABASE_URL_VARIABLE] = database_url
    arguments += _replayed(replay, speed, runs_dir)
    if serve or serve_control:
        from checkout_sim.cli.tui_serve import serve_pages  # noqa: PLC0415 - imports aiohttp

        raise typer.Exit(serve_pages(arguments, looks, port=port, control=serve_control))
    _require_terminal()

    def show(socket: Path, *, why_ended: Callable[[], str] | None) -> int:
        return _show(
            socket,
            read_only=read_only,  # of a recorded run the engine says so itself
            ascii_only=ascii_only,
            no_color="--no-color" in looks,
            theme=theme,
            fps=fps,
            mouse=not no_mouse,
            why_ended=why_ended,
        )

    if attach or socket is not None:
        from checkout_sim.stream.runtime import newest  # noqa: PLC0415 - beside its use

        raise typer.Exit(show(socket or newest().socket, why_ended=None))
    from checkout_sim.cli.engine_process import started_engine  # noqa: PLC0415 - beside its use

    with started_engine(arguments) as started:
        import checkout_sim.tui.app  # noqa: F401, PLC0415 - while the engine imports its own

        code = show(started.socket(), why_ended=started.why_ended)
    if "verdict" in started.verdict:
        tell(f"verdict: {started.verdict['verdict']}\nrun: {started.verdict['run']}")
    raise typer.Exit(code)


def _show(
    socket: Path,
    *,
    read_only: bool,
    ascii_only: bool,
    no_color: bool,
    theme: str,
    fps: int,
    mouse: bool,
    why_ended: Callable[[], str] | None,
) -> int:
    from checkout_sim.scenario_files.shipped import shipped_roots  # noqa: PLC0415 - beside its use
    from checkout_sim.tui.app import run_app  # noqa: PLC0415 - imports textual

    own = Path("scenarios")
    folders = [own, *shipped_roots()] if own.is_dir() else shipped_roots()
    return run_app(
        socket,
        read_only=read_only,
        ascii_only=ascii_only,
        no_color=no_color,
        theme=theme,
        fps=fps,
        mouse=mouse,
        scenarios_folders=tuple(dict.fromkeys(folders)),
        owns_engine=why_ended is not None,
        why_ended=why_ended or str,
    )


def _replayed(run: str | None, speed: float, runs_dir: Path) -> Sequence[str]:
    if run is None:
        return ()
    from checkout_sim.archive.recorder import HISTORY_NAME  # noqa: PLC0415 - beside its use
    from checkout_sim.archive.runs import find_run  # noqa: PLC0415 - likewise
    from checkout_sim.ndjson import read_history  # noqa: PLC0415 - likewise

    folder = find_run(runs_dir, run)
    for _ in read_history(folder / HISTORY_NAME):
        pass  # one that is damaged is told of here, before a screen covers the terminal
    return ("--replay", str(folder), "--speed", str(speed))


def _require_terminal() -> None:
    """Refuse to draw where nobody could see it, and say what to use instead."""
    why = ""
    if os.environ.get("TEXTUAL_DRIVER"):  # a page in a browser is as good as a terminal
        return
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        why = "standard input, output and error must be one"
    elif os.environ.get("TERM", "") in ("", "dumb"):
        why = f"TERM is {os.environ.get('TERM') or 'not set'}, which cannot move its cursor"
    if why:
        complain(_NO_TERMINAL.format(why=why))
        raise typer.Exit(Exit.USAGE)
