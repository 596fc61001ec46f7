"""`replay`: the plan of an archived run once more, and whether the same things break."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from checkout_sim.cli.exits import Exit
from checkout_sim.cli.options import DEFAULT_RUNS_DIR, Jobs, RunName, RunsDir, ToxiproxyUrl
from checkout_sim.cli.streams import complain, diagnostics, tell

if TYPE_CHECKING:  # loading the nouns would cost --help 40 ms
    from collections.abc import Sequence

    from checkout_sim.cli.conduct import Outcome
    from checkout_sim.model.run import Run
    from checkout_sim.simulation import Original
    from checkout_sim.simulation.options import EngineChoice

EXAMPLES = """\
  checkout-sim replay latest              the same plan, once
  checkout-sim replay latest --times 10   how often does it break?
  checkout-sim replay 20261123-0516 --engine embedded
                                          through another proxy server than then
"""


def replay(
    *,
    run: RunName,
    times: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="How often.")] = 1,
    engine: Annotated[
        Literal["same", "auto", "toxiproxy", "embedded"],
        typer.Option(help="The proxy server; same: the one the run went through, or exit 4."),
    ] = "same",
    jobs: Jobs = 1,
    runs_dir: RunsDir = DEFAULT_RUNS_DIR,
    toxiproxy_url: ToxiproxyUrl = None,
) -> None:
    """Run the plan of an archived run again, and say whether the same orders break.

    The plan comes from the run's scenario.lock: nothing is drawn anew, whatever has changed since.
    Same plan is not same interleaving, so the answer is a rate. Exits 0 where every replay broke
    the same claims for the same checkouts, 1 where one did not, 3 where one could not be judged.
    """
    from checkout_sim.archive.in_use import using  # noqa: PLC0415 - lazy
    from checkout_sim.archive.runs import find_run  # noqa: PLC0415 - lazy
    from checkout_sim.cli.conduct import conduct  # noqa: PLC0415 - lazy
    from checkout_sim.cli.progress import progress_on  # noqa: PLC0415 - imports rich
    from checkout_sim.scenario_files.shipped import links_path  # noqa: PLC0415 - --help does without
    from checkout_sim.simulation import Options, read_original  # noqa: PLC0415 - 300 ms
    from checkout_sim.simulation import replay as replays  # noqa: PLC0415 - likewise

    folder = find_run(runs_dir, run)
    with using(folder):
        original = read_original(folder)
        for note in original.notes:
            complain(f"note: {note}")
        options = Options(
            engine=_engine(original, engine, toxiproxy_url),
            toxiproxy_url=toxiproxy_url,
            runs_folder=runs_dir,
            jobs=jobs,
            links_path=links_path(),
        )
        with progress_on(diagnostics(), runs=times) as progress:
            outcome = conduct(
                lambda: replays(
                    original.locked, times=times, options=options, watch=progress.watch
                ),
                on_run=progress.ended,
            )
    raise typer.Exit(_told(original, outcome, name=folder.name, times=times))


def _engine(original: "Original", asked: str, url: str | None) -> "EngineChoice":
    """Return the proxy server to use; raise StackDidNotStart where the run's own is not here."""
    from checkout_sim.model.errors import StackDidNotStart  # noqa: PLC0415 - lazy
    from checkout_sim.stack.proxy_install import find_toxiproxy  # noqa: PLC0415 - lazy

    match asked:
        case "auto" | "toxiproxy" | "embedded":
            return asked
        case _ if original.run is None:
            return "auto"  # it never said through what it ran
    then = original.run.engine
    if then.name == "embedded":
        return "embedded"
    found = find_toxiproxy()
    if found.program is None and url is None:
        raise StackDidNotStart(
            f"the run went through {then.name} {then.version}, and there is none here "
            f"({found.explained()}); have it with `checkout-sim toxiproxy install`, or allow "
            "another with --engine embedded"
        )
    return "toxiproxy"


def _told(original: "Original", outcome: "Outcome", *, name: str, times: int) -> Exit:
    """Say what came of the replays and return the exit code."""
    from checkout_sim.cli.boundary import report_error  # noqa: PLC0415 - lazy
    from checkout_sim.cli.exits import of_error, worst  # noqa: PLC0415 - lazy

    codes = []
    if outcome.runs and original.run is None:
        tell(f"{name} cannot be judged itself, so nothing is compared: {original.why}")
        codes.append(Exit.UNKNOWN)
    elif outcome.runs and original.run is not None:
        codes += _compared(original.run, outcome.runs)
    if outcome.error is not None:
        report_error(outcome.error)
        codes.append(of_error(outcome.error))
    if outcome.interrupted:
        complain(f"checkout-sim: interrupted after {len(outcome.runs)} of {times} replays")
        codes.append(Exit.INTERRUPTED)
    return worst(codes)


def _compared(then: "Run", replays: "Sequence[Run]") -> list[Exit]:
    """Say how often the replays did as the original, and return the code each one earns."""
    from checkout_sim.reports import phrases  # noqa: PLC0415 - lazy
    from checkout_sim.reports.replayed import replay_lines  # noqa: PLC0415 - lazy
    from checkout_sim.reports.sameness import same  # noqa: PLC0415 - lazy

    for run in replays:
        outcome = f"{run.id}: {phrases.outcome(run)}"
        tell(f"{outcome} through {run.engine.name} {run.engine.version}")
    tell(f"\n{phrases.title(then)}, seed {then.seed}, was {phrases.outcome(then)}")
    for line in replay_lines(then, replays):
        tell(line)
    return [
        Exit.UNKNOWN
        if "unknown" in {run.verdict.status, then.verdict.status}
        else Exit.AS_EXPECTED
        if same(then.verdict, run.verdict)
        else Exit.NOT_AS_EXPECTED
        for run in replays
    ]
