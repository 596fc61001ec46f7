"""What a running engine answers to the one who asked it something (`model/command.py`).

Answers are addressed to one subscriber and never recorded; everything else a subscriber sees is
the history itself. `stream/` carries both as NDJSON.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from checkout_sim.model.history import Observation
from checkout_sim.model.verdict import Status, Violation

NackCode = Literal[
    "read_only", "unknown_target", "not_in_this_strategy", "wrong_phase", "invalid", "engine_stuck"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """Taken. `id` is the observation where its effect may first be seen; 0: it leaves none."""

    command_id: str
    id: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nack:
    """Refused, with what to do instead; nothing was changed."""

    command_id: str
    code: NackCode
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lagged:
    """This subscriber fell behind: ask again from `from_id`; the file has it all."""

    from_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A run begins on this stream: observations that follow belong to it and count from 1."""

    run_id: str
    folder: str
    scenario: str  # empty: a live session
    strategy: str
    live: bool  # False: a recorded run is played back
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the judge says.

    `provisional` is the live judgement of orders whose deadline has passed, while the run goes on:
    `open` violations stand now, `ever` counts orders that stood violated at some time. Otherwise
    the verdict on the whole run, with `broken` claims, `unknowns` and `judged` counts by claim.
    `as_expected` is None where nothing was expected, or where the machine may have made the
    `surprises`.
    """

    run_id: str
    provisional: bool
    status: Status | None
    violations: tuple[Violation, ...] = ()
    judged: Mapping[str, int] = field(default_factory=dict)
    broken: Mapping[str, int] = field(default_factory=dict)  # claim → how many violations in all
    unknowns: Mapping[str, str] = field(default_factory=dict)
    checks: Mapping[str, str] = field(default_factory=dict)  # meta check → "" or why not
    as_expected: bool | None = None
    surprises: tuple[str, ...] = ()
    ever: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftItem:
    """One thing that happened and may be kept: a checkout, a fault, a deed, a note."""

    id: str
    kept: bool
    what: str
    begins: str
    ends: str
    moments: tuple[str, ...] = ()  # the moments it could be given, the chosen one first
    why_dropped: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A scenario cut from a run: its parts, its text, and whether `validate` accepts it."""

    command_id: str
    run_id: str
    name: str
    items: tuple[DraftItem, ...]
    text: str
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A scenario file was written."""

    command_id: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineState:
    """Where the engine is, told whenever it changes: for row 1 of every screen."""

    phase: str  # starting | storm | calm | settle | read | judged | closing
    strategy: str
    recording: bool = False
    undo: str = ""  # what Undo would revert, for people
    redo: str = ""
    faults: tuple[str, ...] = ()  # names in force
    plan: str = ""  # scenario under way, "2/3" when it repeats
    held: bool = False  # that plan stands still
    message: str = ""  # what went wrong, readable; empty otherwise


Answer = Ack | Nack | Lagged | Stretch | Judged | Draft | Saved | EngineState
Streamed = Observation | Answer
