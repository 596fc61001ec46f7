"""The report a person reads: blocks of evidence, the verdict table, one line that says it all.

Takes runs, gives something rich can draw at 80 to 100 columns. What matters most comes last,
where a terminal's eye is: surprises next to the table, the command to see them again at the end.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from checkout_sim.model.run import Run
from checkout_sim.reports import phrases
from checkout_sim.reports.evidence import NotRun
from checkout_sim.reports.phrases import Standing, counted
from checkout_sim.reports.violations import STYLES, command_line, run_block, wants_block

_MOST_COMMANDS = 5

_LEGEND = {
    Standing.AS_EXPECTED: "as the scenario expects",
    Standing.KNOWN: "not as expected, as in the baseline",
    Standing.SURPRISING: "not as expected",
    Standing.UNDECIDED: "could not be decided",
    Standing.UNASKED: "nothing was expected",
}


def verdict_report(
    runs: Sequence[Run],
    *,
    seconds: float,
    skipped: Sequence[NotRun] = (),
    verbose: bool = False,
    targets: phrases.Targets | None = None,
) -> RenderableType:
    """Return everything about runs that have ended; `seconds` is what they took together.

    `skipped` came along and could not run here: they stand in the table, and count for nothing.
    """
    runs = phrases.in_order(runs)
    telling = sorted(
        filter(wants_block, runs),
        key=lambda run: phrases.standing(run) in {Standing.SURPRISING, Standing.UNDECIDED},
    )
    parts: list[RenderableType] = []
    for run in telling:
        alone = len(telling) == 1
        parts += [run_block(run, full=verbose, reproducible=not alone, targets=targets), Text()]
    parts += [matrix(runs, skipped), *_legend(runs), Text()]
    if verbose:
        parts += [*(timing_line(run) for run in runs), Text()]
    parts += [*_strategy_lines(runs, skipped), *_made_again(runs), _summary_line(runs, seconds)]
    parts += _last_lines(telling, targets)
    return Group(*parts)


def judged_report(
    run: Run, *, verbose: bool = True, targets: phrases.Targets | None = None
) -> RenderableType:
    """Return one run judged again: its verdict, its violations, its timings."""
    again = command_line(run, targets)
    if wants_block(run):
        body = run_block(run, full=verbose, reproducible=False, targets=targets)
        return Group(body, Text(), timing_line(run), again)
    return Group(run_line(run), timing_line(run), again)


def run_line(run: Run) -> Text:
    """Return one run in one line, as progress tells it."""
    standing = phrases.standing(run)
    text = Text(f"{standing.value} {phrases.title(run)}: ")
    text.append(phrases.outcome(run), style=STYLES[standing])
    return text


def timing_line(run: Run) -> Text:
    """Return how long the phases and the checkouts of one run took."""
    took = run.timings
    phases = {
        "start": took.start_ms,
        "storm": took.storm_ms,
        "settle": took.settle_ms,
        "judge": took.judge_ms,
        "checkout p50": took.checkout_p50_ms,
        "p99": took.checkout_p99_ms,
    }
    said = ", ".join(f"{name} {phrases.duration(ms)}" for name, ms in phases.items())
    return Text(f"{phrases.title(run)}: {said}", style="dim", no_wrap=True, overflow="ignore")


def matrix(runs: Sequence[Run], skipped: Sequence[NotRun] = ()) -> Table:
    """Return scenario by strategy; a cell says the verdict, and what else was expected."""
    strategies = _strategies(runs, skipped)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column("scenario", overflow="fold")
    for strategy in strategies:
        table.add_column(strategy, overflow="fold")
    rows: dict[tuple[str, str], dict[str, Text]] = {}
    for run in runs:
        cells = rows.setdefault((run.scenario_path, run.scenario), {})
        cells[run.strategy] = _joined(cells.get(run.strategy), _cell(run))
    named = {scenario: cells for (_, scenario), cells in rows.items()}
    for one in skipped:
        cells = named.setdefault(one.scenario, rows.setdefault(("", one.scenario), {}))
        cells.setdefault(one.strategy, Text("skipped", "dim"))
    for (_, scenario), cells in rows.items():
        table.add_row(scenario, *(cells.get(name, Text("not run", "dim")) for name in strategies))
    return table


def _strategies(runs: Sequence[Run], skipped: Sequence[NotRun]) -> list[str]:
    """Return the strategies that ran or should have, in the order of their story."""
    named = {run.strategy for run in runs} | {one.strategy for one in skipped}
    return sorted(named, key=phrases.strategy_place)


def _cell(run: Run) -> Text:
    """Say what is as expected by its mark alone, so that four strategies fit a line."""
    standing = phrases.standing(run)
    said = run.verdict.status if standing is Standing.AS_EXPECTED else phrases.outcome(run)
    return Text(f"{standing.value} {said}", style=STYLES[standing])


def _joined(above: Text | None, below: Text) -> Text:
    return below if above is None else Text("\n").join((above, below))


def _legend(runs: Sequence[Run]) -> Iterator[Text]:
    present = {phrases.standing(run) for run in runs}
    marks = (f"{mark.value} {said}" for mark, said in _LEGEND.items() if mark in present)
    yield Text("   ".join(marks), style="dim")
    if any(run.verdict.status == "invalid" for run in runs):
        yield Text("invalid: at least one order ended inconsistently", style="dim")


def _strategy_lines(runs: Sequence[Run], skipped: Sequence[NotRun]) -> Iterator[Text]:
    """Say of each strategy whether it was caught, whether it had to be, and what it lacks here."""
    strategies = _strategies(runs, skipped)
    widest = max((len(name) for name in strategies), default=0)
    for strategy in strategies:
        own = [run for run in runs if run.strategy == strategy]
        counts = Counter[str](run.verdict.status for run in own)
        words = {"invalid": "caught", "valid": "clean", "unknown": "undecided"}
        said = ", ".join(f"{words[one]} in {counts[one]}" for one in words if counts[one])
        if own:
            yield Text(
                f"{strategy:<{widest}}  {counted(len(own), 'run')}: {said}{_expectedly(own)}"
            )
        for why, number in Counter(one.why for one in skipped if one.strategy == strategy).items():
            yield Text(f"{strategy:<{widest}}  {counted(number, 'run')} {why}", style="dim")


def _expectedly(own: Sequence[Run]) -> str:
    standings = Counter(phrases.standing(run) for run in own)
    if standings[Standing.AS_EXPECTED] == len(own):
        return ", as expected"
    surprising = standings[Standing.SURPRISING]
    return f"; {surprising} not as expected" if surprising else ""


def _made_again(runs: Sequence[Run]) -> Iterator[Text]:
    """Say which runs the machine disturbed, so that others stand in their place."""
    names = [name for run in runs for name in run.in_place_of]
    if names:
        said = f"the machine stood still under {counted(len(names), 'run')}, made again since: "
        yield Text(said + ", ".join(names), style="dim")


def _summary_line(runs: Sequence[Run], seconds: float) -> Text:
    standings = Counter(phrases.standing(run) for run in runs)
    checkouts = sum(run.verdict.orders.total for run in runs)
    engines = dict.fromkeys(f"{run.engine.name} {run.engine.version}" for run in runs)
    counts = [f"{standings[Standing.AS_EXPECTED]} as expected"]
    counts += [f"{standings[Standing.SURPRISING]} not as expected"]
    counts += [f"{standings[Standing.UNDECIDED]} unknown"]
    if standings[Standing.KNOWN]:
        counts.append(f"{standings[Standing.KNOWN]} known from the baseline")
    if standings[Standing.UNASKED]:
        counts.append(f"{standings[Standing.UNASKED]} without expectation")
    text = Text(style="bold")
    text.append(f"{counted(len(runs), 'run')}: {', '.join(counts)}", style=_summary_style(runs))
    text.append(f"; {counted(checkouts, 'checkout')} in {seconds:.1f} s")
    text.append(f" through {', '.join(engines)}" if engines else "")
    return text


def _summary_style(runs: Sequence[Run]) -> str:
    present = {phrases.standing(run) for run in runs}
    for worst in (Standing.SURPRISING, Standing.UNDECIDED, Standing.KNOWN, Standing.UNASKED):
        if worst in present:
            return STYLES[worst]
    return STYLES[Standing.AS_EXPECTED]


def _last_lines(telling: Sequence[Run], targets: phrases.Targets | None) -> Iterator[Text]:
    """End with how to see again what most needs seeing: the surprises, else the first catch."""
    attention = {Standing.SURPRISING, Standing.UNDECIDED}
    urgent = [run for run in telling if phrases.standing(run) in attention]
    for run in urgent[:_MOST_COMMANDS] or telling[:1]:
        yield command_line(run, targets)
    if len(urgent) > _MOST_COMMANDS:
        yield Text(f"and {len(urgent) - _MOST_COMMANDS} more: each is told above")
