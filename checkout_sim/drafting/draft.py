"""A recorded session, made a scenario: its parts to choose from, and its text.

Pure: takes observations, the operator's choices and the verdict; gives a Drafted scenario. Whoever
writes it to a file validates it first; this floor knows no files.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from checkout_sim.drafting.faults import Drafted, drafted_faults
from checkout_sim.drafting.rhythm import Rhythm
from checkout_sim.drafting.shoppers import in_turn, load_of, said_of, shoppers_of
from checkout_sim.drafting.stretch import Purchase, Stretch, stretch_of
from checkout_sim.drafting.yaml_text import document
from checkout_sim.model.answer import DraftItem
from checkout_sim.model.history import Observation
from checkout_sim.model.verdict import Status, Violation
from checkout_sim.model.wire import SETTINGS

_WITHIN_MS = 20_000  # settle.within where nothing is said
_LONGEST_WHY = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What an operator chose: parts to leave out, and which of a part's moments to take."""

    name: str
    drop: frozenset[str] = frozenset()
    moments: Mapping[str, int] = field(default_factory=dict)
    trim_idle: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The verdict on the session: what its strategy is to be expected to do again."""

    status: Status | None = None
    violations: tuple[Violation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A scenario cut from a session; `text` is empty where nobody bought anything."""

    items: tuple[DraftItem, ...]
    text: str
    notes: tuple[str, ...]


def drafted(observations: Sequence[Observation], choices: Choices, outcome: Outcome) -> Made:
    """Return the scenario that repeats this session as the operator wants it repeated."""
    stretch = stretch_of(observations)
    kept = _renumbered(stretch, choices)
    rhythm = _rhythm(kept, choices)
    faults = drafted_faults(kept, rhythm)
    items = (
        *_checkout_items(stretch, choices, rhythm),
        *_fault_items(faults, choices),
        *_note_items(stretch, choices),
    )
    if not kept.purchases:
        return Made(items=items, text="", notes=("no checkout is left",))
    wanted = [one for one in faults if not one.unnoticed and one.id not in choices.drop]
    text = document(
        _scenario(kept, rhythm, wanted, choices, outcome),
        comments=[
            f"noted: {text}"
            for number, text in enumerate(stretch.notes, start=1)
            if f"note_{number}" not in choices.drop
        ],
    )
    return Made(items=items, text=text, notes=tuple(_notes(kept, choices, outcome)))


def _renumbered(stretch: Stretch, choices: Choices) -> Stretch:
    """Return the stretch without the checkouts left out, the others numbered anew."""
    purchases = [one for one in stretch.purchases if _checkout_id(one.number) not in choices.drop]
    again = tuple(
        Purchase(
            number=number,
            recorded=one.recorded,
            shopper=one.shopper,
            began_ms=one.began_ms,
            ended_ms=one.ended_ms,
            last_ms=one.last_ms,
        )
        for number, one in enumerate(purchases, start=1)
    )
    return Stretch(
        run=stretch.run,
        seen=stretch.seen,
        purchases=again,
        struck=stretch.struck,
        asked=stretch.asked,
        notes=stretch.notes,
        lifted_all_ms=stretch.lifted_all_ms,
    )


def _rhythm(stretch: Stretch, choices: Choices) -> Rhythm:
    begins_ms = stretch.purchases[0].began_ms if stretch.purchases else 0.0
    struck = [one.injected.t_ms for one in stretch.struck if one.injected.t_ms >= begins_ms]
    struck += [one.lifted.t_ms for one in stretch.struck if one.lifted is not None]
    return Rhythm(
        [(one.began_ms, one.last_ms) for one in stretch.purchases],
        [time for time in struck if time >= begins_ms],
        trim_idle=choices.trim_idle,
    )


def _scenario(
    stretch: Stretch,
    rhythm: Rhythm,
    faults: Sequence[Drafted],
    choices: Choices,
    outcome: Outcome,
) -> dict[str, Any]:
    time_scale = float(stretch.run.get("time_scale", 1.0))
    scenario: dict[str, Any] = {
        "version": 1,
        "name": choices.name,
        "why": _why(stretch),
        "tags": ["recorded"],
    }
    stack: dict[str, Any] = {"time_scale": time_scale} if time_scale != 1.0 else {}
    if stretch.run.get("database", "sqlite") != "sqlite":
        stack["database"] = stretch.run["database"]
    if stack:
        scenario["stack"] = stack
    scenario["load"] = load_of(
        stretch.purchases, rhythm, keep_times=_keep_times(stretch, faults, choices)
    )
    shoppers = shoppers_of(stretch, stretch.purchases, time_scale=time_scale)
    if shoppers:
        scenario["shoppers"] = shoppers
    if faults:
        scenario["faults"] = [one.entry(choices.moments.get(one.id, 0)) for one in faults]
    within_ms = _within_ms(stretch, faults, time_scale)
    if within_ms > _WITHIN_MS:
        scenario["settle"] = {"within": f"{within_ms}ms"}
    scenario["expect"] = {str(stretch.run.get("strategy")): _expected(stretch, outcome)}
    return scenario


def _keep_times(stretch: Stretch, faults: Sequence[Drafted], choices: Choices) -> bool:
    """Return whether checkouts must begin when they did.

    Where they came one after another and every fault has its cause, their order says it all, and
    is kept on a machine of any speed.
    """
    clocked = any(one.by_clock(choices.moments.get(one.id, 0)) for one in faults)
    return clocked or not choices.trim_idle or not in_turn(stretch.purchases)


def _why(stretch: Stretch) -> str:
    said = stretch.notes[0] if stretch.notes else "What an operator did in a live session."
    return said[:_LONGEST_WHY]


def _within_ms(stretch: Stretch, faults: Sequence[Drafted], time_scale: float) -> int:
    """Return how long settling may take, as `validate` counts it."""
    slowest = max((one.latency_ms for one in faults), default=0)
    patience = max(int(one.shopper["patience_ms"]) for one in stretch.purchases)
    backoff = max(own.get("retry_high_ms", 0) for own in SETTINGS.values()) * time_scale
    return round(slowest + patience + backoff)


def _expected(stretch: Stretch, outcome: Outcome) -> dict[str, Any]:
    """Return what the strategy seen must do again: the claims its kept checkouts broke."""
    broken = dict.fromkeys(
        one.invariant
        for one in outcome.violations
        if one.checkout is None or stretch.number_of(one.checkout)
    )
    if broken:
        return {"verdict": "invalid", "trips": list(broken)}
    if outcome.status == "unknown":
        return {"verdict": "unknown"}
    return {"verdict": "valid"}


def _notes(stretch: Stretch, choices: Choices, outcome: Outcome) -> Iterator[str]:
    strategy = stretch.run.get("strategy")
    yield f"expected of {strategy} alone: other strategies were not seen"
    if outcome.status is None:
        yield "the session was not judged, so nothing is known to go wrong: valid is a guess"
    if outcome.status == "unknown":
        yield "the verdict on the session is unknown; a scenario that expects it proves little"
    if choices.drop:
        yield "parts were left out, so the verdict may be another: run it before you trust it"
    if choices.trim_idle:
        yield "silences are left out: `t` keeps the rhythm as it was"


# ---- items --------------------------------------------------------------------------------------


def _checkout_id(number: int) -> str:
    return f"checkout_{number}"


def _checkout_items(stretch: Stretch, choices: Choices, rhythm: Rhythm) -> Iterator[DraftItem]:
    for one in stretch.purchases:
        item = _checkout_id(one.number)
        yield DraftItem(
            id=item,
            kept=item not in choices.drop,
            what=said_of(one),
            begins=f"{rhythm.ms(one.began_ms) / 1000:.1f} s",
            ends=f"{rhythm.ms(one.ended_ms) / 1000:.1f} s",
            why_dropped="left out" if item in choices.drop else "",
        )


def _fault_items(faults: Sequence[Drafted], choices: Choices) -> Iterator[DraftItem]:
    for one in faults:
        chosen = choices.moments.get(one.id, 0) % len(one.begins)
        moments = (*one.begins[chosen:], *one.begins[:chosen])
        dropped = one.id in choices.drop
        yield DraftItem(
            id=one.id,
            kept=not (dropped or one.unnoticed),
            what=one.what,
            begins=moments[0].said,
            ends=one.ends.said,
            moments=tuple(moment.said for moment in moments),
            why_dropped=one.unnoticed or ("left out" if dropped else ""),
        )


def _note_items(stretch: Stretch, choices: Choices) -> Iterator[DraftItem]:
    for number, text in enumerate(stretch.notes, start=1):
        item = f"note_{number}"
        yield DraftItem(
            id=item,
            kept=item not in choices.drop,
            what=f"note: {text}",
            begins="",
            ends="",
            why_dropped="left out" if item in choices.drop else "",
        )
    for number, _ in enumerate(stretch.lifted_all_ms, start=1):
        yield DraftItem(
            id=f"heal_{number}",
            kept=False,
            what="heal all",
            begins="",
            ends="",
            why_dropped="each fault says its own end, and calm does the rest",
        )
