"""An order as a value: its states, its legal moves, and what recovery owes it next.

Pure: no clock, no database, no wire. `store.py` writes every move as a conditional UPDATE on the
state it leaves, so that this table and the database cannot disagree (naive apart, on purpose).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum, auto

from .cart import Line


class Status(StrEnum):
    """What an order is; every state but pending absorbs."""

    PENDING = auto()
    CONFIRMED = auto()
    FAILED = auto()
    CANCELED = auto()


MOVES: Mapping[Status, frozenset[Status]] = {
    Status.PENDING: frozenset({Status.CONFIRMED, Status.FAILED, Status.CANCELED}),
    Status.CONFIRMED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELED: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order: what was bought, for how much, and how it stands."""

    id: str
    user_id: str
    lines: tuple[Line, ...]
    total_minor: int
    currency: str
    card: str
    status: Status
    created_at_ms: int
    cancel_wanted: bool = False
    reason: str | None = None  # why it failed or was canceled

    @property
    def is_decided(self) -> bool:
        """Whether no move is left."""
        return not MOVES[self.status]

    @property
    def charge_key(self) -> str:
        """The one idempotency key under which this order may ever be charged."""
        return f"{self.id}:charge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to write one order: void once another holder raised the fence."""

    order_id: str
    fence: int


class Step(StrEnum):
    """What a pending order needs next."""

    CHARGE = auto()  # repeat the charge under its stored key
    FENCE = auto()  # forbid the charge; if it happened, go forward
    UNDO = auto()  # the shopper wants out: forbid the charge; if it happened, give it back


def sources_of(target: Status) -> frozenset[Status]:
    """Return the states from which `target` may be reached."""
    return frozenset(source for source, targets in MOVES.items() if target in targets)


def next_step(order: Order, *, now_ms: int, cancel_after_ms: float) -> Step:
    """Return what to do about a pending order at `now_ms`."""
    if order.cancel_wanted:
        return Step.UNDO
    if now_ms - order.created_at_ms >= cancel_after_ms:
        return Step.FENCE
    return Step.CHARGE
