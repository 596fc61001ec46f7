"""A saga as a value: what was asked, how far it is, and the log it can be rebuilt from.

Pure: no clock, no database, no wire. Five steps and a fence, each of them one call to a
participant; `CHARGE` and `CREATE` have an undo. The log says of each step that it was STARTED, and
later that it is DONE, definitely FAILED, or UNKNOWN, which is an end only of the waiting for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum, auto


class Step(StrEnum):
    """One call to a participant."""

    CREATE = auto()  # order: take the cart's lines, write the order
    CHARGE = auto()  # payment: the money
    CONFIRM = auto()  # order: confirmed, and the cart cleared
    FENCE = auto()  # payment: no charge shall follow; asked when a charge's outcome stays unknown
    REFUND = auto()  # payment: the undo of CHARGE, cancel or refund
    CANCEL = auto()  # order: the undo of CREATE


# In the order in which a saga that turned back goes through them.
UNDO: Mapping[Step, Step] = {Step.CHARGE: Step.REFUND, Step.CREATE: Step.CANCEL}


class Phase(StrEnum):
    """What the log says of a step; the wire's `phase`."""

    STARTED = "STARTED"
    DONE = "DONE"
    FAILED = "FAILED"  # definitely: it did nothing and never will
    UNKNOWN = "UNKNOWN"


class Direction(StrEnum):
    """Where a saga is going; it turns once, and never again."""

    FORWARD = auto()
    COMPENSATING = auto()


class State(StrEnum):
    """What a saga is; every state but running absorbs."""

    RUNNING = auto()
    CONFIRMED = auto()
    FAILED = auto()
    CANCELED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the log; `response` is the body of the answer that ended the step, as it came."""

    step: Step
    phase: Phase
    http_status: int | None = None
    response: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """What the order service said the order is: `document` is its wire form."""

    total_minor: int
    currency: str
    status: str
    document: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """What payment said was charged."""

    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Saga:
    """One purchase on its way. `step` is the open step, or the last one; times in ms."""

    id: str
    order_id: str
    user_id: str
    card: str
    created_at_ms: int
    state: State = State.RUNNING
    direction: Direction = Direction.FORWARD
    step: Step = Step.CREATE
    log: tuple[Entry, ...] = ()
    ends_as: State = State.CONFIRMED  # once it turned back: what it will be when all is undone
    reason: str | None = None  # why it turned back
    order: Ordered | None = None
    paid: Paid | None = None
    joined: str | None = None  # the live order that already holds this cart
    attempts: int = 0  # of the open step: how often its outcome stayed unknown
    fence: int = 1

    @property
    def has_ended(self) -> bool:
        """Whether no step is left."""
        return self.state is not State.RUNNING

    @property
    def came_to_nothing(self) -> bool:
        """Whether the order service refused the order outright: the shopper may ask again."""
        return self.joined is None and self.phase_of(Step.CREATE) is Phase.FAILED

    def phase_of(self, step: Step) -> Phase | None:
        """Return the last thing the log says of a step; None when it was never started."""
        for entry in reversed(self.log):
            if entry.step is step:
                return entry.phase
        return None

    def key(self, step: Step) -> str:
        """Return the one idempotency key of a step, the same at every try (R2)."""
        return key_of(self.order_id, step)

    def logged(self, *entries: Entry) -> "Saga":
        """Return the saga with `entries` at the end of its log."""
        return replace(self, log=(*self.log, *entries))


def key_of(order_id: str, step: Step) -> str:
    """Return the idempotency key of a step of the saga of an order."""
    return f"{order_id}:{step}"


# ── what happened to a step ────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """A saga was admitted, or taken up again: its open step may have been heard, or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeeded:
    """The step took effect, now or before; `order` and `paid` are what it told."""

    step: Step
    order: Ordered | None = None
    paid: Paid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The step did nothing and, its answer being kept, never will."""

    step: Step
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatched:
    """This try of a charge did nothing, which says nothing of another: only an undo ends it."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """The cart is held by another order, which is live: there will be none of this saga."""

    order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadyCharged:
    """The fence came too late: the charge took effect."""

    paid: Paid


@dataclass(frozen=True, slots=True, kw_only=True)
class InDoubt:
    """Nobody knows. `overdue`: the saga is old enough to stop hoping for the step."""

    step: Step
    reason: str
    overdue: bool


Event = Resumed | Succeeded | Refused | Mismatched | Claimed | AlreadyCharged | InDoubt


# ── what to do about it ────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Commit the step as STARTED, then call the participant."""

    step: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnBack:
    """In one commit turn to compensating and start the first undo, then call; `step` is that undo.

    `ends_as` is what the saga will be when everything is undone.
    """

    step: Step
    ends_as: State
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """Call again under the stored key: the log says STARTED already."""

    step: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Commit that the outcome is unknown and when to look again."""

    step: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Commit the end."""

    state: State
    reason: str | None = None


Command = Call | TurnBack | Repeat | Wait | End
