"""A payment's states, its legal moves, and what to do next about one that is not settled.

Pure: takes values, gives values; no clock, network or database. The rules R1-R11 are those of the
strategies' design, told where they apply.

    intent ──▶ confirming ──▶ completed ──▶ refunding ⇄ refunded
      │            │ ▲
      │            ▼ │
      │         unknown ──▶ completed | failed | canceled
      └──▶ failed | canceled          (a tombstone is born canceled)

`intent`: recorded, nothing that moves money was asked for. `confirming`: PaymentIntent id and
confirm key are committed. `unknown`: a confirm was sent and its outcome is not known.
"""

from dataclasses import dataclass, replace
from enum import StrEnum


class Phase(StrEnum):
    """Where a payment stands; the wire's `phase`."""

    INTENT = "intent"
    CONFIRMING = "confirming"
    UNKNOWN = "unknown"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    REFUNDING = "refunding"
    REFUNDED = "refunded"


class Wanted(StrEnum):
    """What a caller asked for beyond the charge itself."""

    CHARGE = "charge"
    CANCEL = "cancel"  # POST /payment/cancel: no charge shall follow
    REFUND = "refund"  # POST /payment/refund: and what was charged shall go back


_MOVES: dict[Phase, frozenset[Phase]] = {
    Phase.INTENT: frozenset({Phase.CONFIRMING, Phase.FAILED, Phase.CANCELED}),
    Phase.CONFIRMING: frozenset({Phase.UNKNOWN, Phase.COMPLETED, Phase.FAILED, Phase.CANCELED}),
    Phase.UNKNOWN: frozenset({Phase.COMPLETED, Phase.FAILED, Phase.CANCELED}),
    Phase.COMPLETED: frozenset({Phase.REFUNDING}),
    Phase.REFUNDING: frozenset({Phase.REFUNDED}),
    Phase.REFUNDED: frozenset({Phase.REFUNDING}),  # a refund may fail after it succeeded
    Phase.FAILED: frozenset(),
    Phase.CANCELED: frozenset(),
}

UNDECIDED = frozenset({Phase.INTENT, Phase.CONFIRMING, Phase.UNKNOWN, Phase.REFUNDING})
NET_ZERO = frozenset({Phase.FAILED, Phase.CANCELED, Phase.REFUNDED})


def may_move(before: Phase, after: Phase) -> bool:
    """Return whether `before` → `after` is a legal move (R11); staying is none."""
    return after in _MOVES[before]


def wire_status(phase: Phase) -> str:
    """Return the `status` the wire shows for `phase`."""
    return "pending" if phase in UNDECIDED else phase.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What is to be charged: part of the intent, never changed afterwards."""

    order_id: str
    user_id: str
    amount_minor: int
    currency: str
    card: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One row of the payments table; times in ms of the wall clock."""

    id: str
    order_id: str
    user_id: str
    amount_minor: int
    currency: str
    card: str
    phase: Phase
    wanted: Wanted
    payment_intent: str | None
    refund: str | None
    keys: tuple[str, ...]  # every idempotency key stored, oldest first
    create_n: int
    cancel_n: int
    refund_n: int
    confirm_spent: bool  # a 5xx is saved under the confirm key: repeating it only replays that
    refund_spent: bool  # the same for the present refund key
    attempts: int
    created_at_ms: int
    next_at_ms: int | None
    fence: int
    lease_until_ms: int
    code: str | None  # why it failed
    message: str | None

    @property
    def charge(self) -> Charge:
        """Return what this row was recorded to charge."""
        return Charge(
            order_id=self.order_id,
            user_id=self.user_id,
            amount_minor=self.amount_minor,
            currency=self.currency,
            card=self.card,
        )

    def key(self, operation: str, n: int) -> str:
        """Return the one key of a logical operation on the gateway (R2)."""
        return f"{self.order_id}:{operation}:{n}"


def is_open(payment: Payment) -> bool:
    """Return whether something is left to do: undecided, or charged and to be given back."""
    to_refund = payment.phase is Phase.COMPLETED and payment.wanted is Wanted.REFUND
    return payment.phase in UNDECIDED or to_refund


def wished(payment: Payment, wanted: Wanted, *, now_ms: int) -> Payment:
    """Return `payment` after a caller's cancel or refund; the same when nothing changes.

    A refund wish is never weakened to a cancel. `intent` is canceled on the spot with the next
    fence number, so that its owner's write finds nothing.
    """
    strongest = Wanted.REFUND if payment.wanted is Wanted.REFUND else wanted
    match payment.phase:
        case Phase.INTENT:
            return replace(
                payment,
                phase=Phase.CANCELED,
                wanted=strongest,
                fence=payment.fence + 1,
                lease_until_ms=0,
                next_at_ms=None,
                code="canceled",
                message="The charge was canceled before it was asked for.",
            )
        case Phase.CONFIRMING | Phase.UNKNOWN:
            return replace(payment, wanted=strongest, next_at_ms=now_ms)
        case Phase.COMPLETED if wanted is Wanted.REFUND:
            return replace(payment, wanted=wanted, next_at_ms=now_ms)
        case _:
            return payment


# ── what the gateway said (R3) ─────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The gateway described the object it has: `status` is Stripe's, `code` its last error."""

    id: str
    status: str
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """402, or a validation 4xx: definite, this operation did not and will not happen."""

    code: str
    message: str


NO_REFUND = Declined(code="no_refund", message="The intent has no refund.")  # our own words


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongState:
    """400 `payment_intent_unexpected_state`: the operation is refused, `status` says why."""

    status: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDone:
    """This try was not sent or not admitted; earlier tries stay unknown."""

    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Timeout, reset, unreadable answer, 409 in flight: it may have happened, or happen yet."""

    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerError:
    """5xx: unknown too, so the next thing is to read (R4).

    `saved`: the gateway said that it will replay this answer under its key for ever
    (`Stripe-Should-Retry: false`). One not saved, such as a 503, may be repeated.
    """

    error: str
    saved: bool


Outcome = Told | Declined | WrongState | NotDone | Unknown | ServerError


def worth_repeating(outcome: Outcome) -> bool:
    """Return whether the same request with the same key may at once end the doubt."""
    return isinstance(outcome, NotDone | Unknown)


def harmless_to_repeat(outcome: Outcome) -> bool:
    """Return the same for requests that move no money, where a 5xx needs no read first."""
    unsaved = isinstance(outcome, ServerError) and not outcome.saved
    return unsaved or worth_repeating(outcome)


# ── what to do next ────────────────────────────────────────────────────────────────────────────


class Step(StrEnum):
    """One thing to do about a payment."""

    CREATE = "create"
    CONFIRM = "confirm"
    READ = "read"
    FENCE = "fence"  # cancel at the gateway: accepted means no charge can follow
    ABANDON = "abandon"  # cancel here: nothing that moves money was asked for yet
    REFUND = "refund"
    READ_REFUND = "read_refund"
    WAIT = "wait"
    REST = "rest"  # settled


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What this round of attempts has already tried without an end, and may not try again."""

    confirmed: bool = False  # a confirm of this round ended in doubt
    read: str | None = None  # the status last read, or "unreadable"
    fenced: bool = False  # a cancel was refused as processing, or ended in doubt
    refunded: bool = False  # a refund was asked for and is not settled
    created: bool = False  # create ended in doubt


def next_step(payment: Payment, heard: Round, *, now_ms: int, fence_after_ms: float) -> Step:
    """Return the next step: forward, or through R4 in order: repeat, read, fence."""
    old = now_ms - payment.created_at_ms >= fence_after_ms
    step = Step.REST
    match payment.phase:
        case Phase.INTENT if payment.wanted is not Wanted.CHARGE or old:
            step = Step.ABANDON
        case Phase.INTENT:
            step = Step.WAIT if heard.created else Step.CREATE
        case Phase.CONFIRMING | Phase.UNKNOWN:
            step = _resolve(payment, heard, old=old)
        case Phase.COMPLETED if payment.wanted is Wanted.REFUND:
            step = Step.REFUND
        case Phase.REFUNDING:
            step = _give_back(payment, heard)
        case Phase.REFUNDED if payment.next_at_ms is not None:
            step = Step.WAIT if heard.refunded else Step.READ_REFUND
        case _:
            pass
    return step


def _resolve(payment: Payment, heard: Round, *, old: bool) -> Step:
    """R4. Only one confirm key exists; once a 5xx is saved under it, only reads and the fence help.

    A `requires_action` has no shopper to act, so it is fenced at once.
    """
    if heard.fenced:
        return Step.WAIT
    if payment.wanted is not Wanted.CHARGE or heard.read == "requires_action":
        return Step.FENCE
    if not heard.confirmed and not payment.confirm_spent:
        return Step.CONFIRM
    if heard.read is None:
        return Step.READ
    # `processing` is the gateway at work: a cancel would only be refused, and saved so.
    return Step.FENCE if old and heard.read != "processing" else Step.WAIT


def _give_back(payment: Payment, heard: Round) -> Step:
    """R5: by the id once there is one; a key with a saved 5xx is read first, never repeated."""
    if heard.refunded:
        return Step.WAIT
    if payment.refund is not None or payment.refund_spent:
        return Step.READ_REFUND
    return Step.REFUND


# Stripe, "PaymentIntent lifecycle": where each status leaves the charge.
SETTLED_BY_STATUS: dict[str, Phase] = {
    "succeeded": Phase.COMPLETED,
    "canceled": Phase.CANCELED,
    "requires_payment_method": Phase.FAILED,  # the confirm was declined; its key is the only one
}


def backoff_ms(attempts: int, *, low_ms: float, high_ms: float) -> float:
    """Return the wait before the next round: `low_ms` doubling to `high_ms`, without jitter."""
    return min(high_ms, low_ms * 2.0 ** min(attempts, 30))
