"""One readable block per run that needs a look: what surprised, what was broken, who believes what.

Takes a run, gives something rich can draw. A run that broke what its scenario says it breaks is
told briefly (its first order), one that surprises by its first five; --verbose tells all.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from checkout_sim.model.run import Run
from checkout_sim.model.verdict import FaultOutcome, Violation
from checkout_sim.reports import phrases
from checkout_sim.reports.phrases import Standing
from checkout_sim.reports.rows import believed_rows, labelled

STYLES: Mapping[Standing, str] = {
    Standing.AS_EXPECTED: "green",
    Standing.KNOWN: "yellow",
    Standing.SURPRISING: "bold red",
    Standing.UNDECIDED: "bold magenta",
    Standing.UNASKED: "cyan",
}

_LABEL_COLUMNS = 9
_MOST_ORDERS = 5  # one order tells the story, a few show whether it is always the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Offence:
    """Everything broken about one order, or about one checkout that left none."""

    order_id: str | None
    checkout: int | None
    violations: tuple[Violation, ...]

    @property
    def heading(self) -> str:
        """Return what it is about."""
        parts = [f"order {self.order_id}"] if self.order_id else []
        parts += [f"checkout {self.checkout}"] if self.checkout is not None else []
        return ", ".join(parts) or "the run as a whole"


def wants_block(run: Run) -> bool:
    """Return whether a run has anything to tell beyond its cell in the matrix."""
    telling = bool(run.verdict.violations or run.verdict.notes)
    return telling or phrases.standing(run) in {Standing.SURPRISING, Standing.UNDECIDED}


def run_block(
    run: Run, *, full: bool, reproducible: bool = True, targets: phrases.Targets | None = None
) -> RenderableType:
    """Return the whole block of one run; brief unless `full`, or unless the run surprises."""
    offences = list(_offences(run.verdict.violations))
    brief = 1 if phrases.standing(run) is Standing.AS_EXPECTED else _MOST_ORDERS
    shown = offences if full else offences[:brief]
    parts: list[RenderableType] = [_heading(run), *_reasons(run)]
    for offence in shown:
        parts += [Text(), Padding(_offence(run, offence), (0, 0, 0, 2))]
    parts += [Text(), *_closing(run, offences, shown)]
    if reproducible:
        parts.append(command_line(run, targets, indent="  "))
    return Group(*parts)


def command_line(run: Run, targets: phrases.Targets | None, *, indent: str = "") -> Text:
    """Return the line that says how to see a run again; never wrapped, as it is to be copied."""
    said = f"{indent}Reproduce with: {phrases.reproduce(run, targets)}"
    return Text(said, no_wrap=True, overflow="ignore")


def _heading(run: Run) -> Text:
    standing = phrases.standing(run)
    text = Text()
    text.append(f"{standing.value} {phrases.title(run)}: ", style="bold")
    text.append(phrases.outcome(run), style=STYLES[standing])
    text.append(f"  seed {run.seed}", style="dim")
    return text


def _reasons(run: Run) -> Iterator[RenderableType]:
    """Return why a person should look at this run, before any evidence."""
    unknowns = _by_reason(run.verdict.unknowns)
    rows = [
        ("surprise", surprise.detail)
        for surprise in run.surprises
        # Of a run that could not be judged, the reasons themselves say it better.
        if not any(reason in surprise.detail for reason in unknowns)
    ]
    rows += [("unknown", f"{reason} ({', '.join(who)})") for reason, who in unknowns.items()]
    told = " ".join(unknowns)
    rows += [
        ("unfired", f"{fault.name} ({fault.type}): {fault.reason}")
        for fault in run.verdict.faults
        if _missed(fault) and fault.name not in told
    ]
    rows += [("note", note) for note in run.verdict.notes]
    if run.in_place_of:
        names = ", ".join(run.in_place_of)
        rows.append(("again", f"made in place of {names}: the machine stood still under it"))
    if rows:
        yield Padding(labelled(rows, style="bold"), (0, 0, 0, 2), expand=False)


def _by_reason(unknowns: Mapping[str, str]) -> dict[str, list[str]]:
    """Return which claims and checks each reason left undecided: one cause often hits many."""
    reasons: dict[str, list[str]] = {}
    for name, reason in unknowns.items():
        reasons.setdefault(reason, []).append(name)
    return reasons


def _offence(run: Run, offence: Offence) -> RenderableType:
    rows = [("broken", f"{one.invariant}: {one.detail}") for one in offence.violations]
    believed = run.beliefs.get(offence.order_id or "")
    if believed is not None:
        rows += believed_rows(believed)
    events = sorted({event for one in offence.violations for event in one.events})
    if events:
        rows.append(("evidence", f"events {', '.join(map(str, events))} of the history"))
    return Group(Text(offence.heading, style="bold"), Padding(labelled(rows), (0, 0, 0, 2)))


def _closing(run: Run, offences: Sequence[Offence], shown: Sequence[Offence]) -> Iterator[Text]:
    hidden = offences[len(shown) :]
    if hidden:
        rest = sum(len(offence.violations) for offence in hidden)
        yield Text(
            f"  and {phrases.counted(len(hidden), 'more order')} "
            f"({phrases.counted(rest, 'violation')}); --verbose shows all"
        )
    unlisted = phrases.violations_total(run) - len(run.verdict.violations)
    if unlisted > 0:
        yield Text(f"  and {phrases.counted(unlisted, 'violation')} more than a report lists")
    # No Padding around these: it would cut a long folder's name off at the terminal's edge.
    yield Text(f"  History: {run.folder}", style="dim", no_wrap=True, overflow="ignore")


def _offences(violations: Sequence[Violation]) -> Iterator[Offence]:
    """Group violations by what they are about, in the order first met."""
    groups: dict[tuple[str | None, int | None], list[Violation]] = {}
    for violation in violations:
        about = (violation.order_id, None if violation.order_id else violation.checkout)
        groups.setdefault(about, []).append(violation)
    for (order_id, _), group in groups.items():
        checkout = next((one.checkout for one in group if one.checkout is not None), None)
        yield Offence(order_id=order_id, checkout=checkout, violations=tuple(group))


def _missed(fault: FaultOutcome) -> bool:
    return not fault.fired and not fault.optional
