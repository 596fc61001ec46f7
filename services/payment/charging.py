"""Takes a payment step by step to its end: the effects around `payment.next_step`.

Takes a row whose lease the caller holds and gives the row as it then stands. Before a byte
leaves, one commit holds what is about to be done and under which key (R1, R2); every write is
fenced (R6); what cannot be known now is left `unknown` with a time to look again (R4).
"""

import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol, assert_never

from ..chassis.errors import DatabaseUnavailable
from . import store
from .context import Context
from .payment import (
    SETTLED_BY_STATUS,
    UNDECIDED,
    Declined,
    NotDone,
    Outcome,
    Payment,
    Phase,
    Round,
    ServerError,
    Step,
    Told,
    Unknown,
    WrongState,
    backoff_ms,
    harmless_to_repeat,
    is_open,
    next_step,
    wire_status,
    worth_repeating,
)
from .refunding import REFUND_WATCHES, after_refund
from .tries import Tries

MAX_STEPS = 16  # far above any path through next_step; a bound, not a budget

Send = Callable[[Payment, int], Awaitable[Outcome]]
Stage = tuple[Payment, Round]


class Write(Protocol):
    """How a row is replaced: what `store.write` promises, in a transaction of its own."""

    async def __call__(
        self, before: Payment, after: Payment, *, written: Callable[[], None] | None = None
    ) -> Payment | None:
        """Return the row as it then stands, durable; None when another owner moved it."""
        ...


class LeaseLost(Exception):
    """Another owner moved the row; what it does is its own affair."""


class Charging:
    """Drives payments; one object per process, no state of its own.

    `write` is for who has more to commit beside a row, such as the news of it.
    """

    def __init__(self, context: Context, *, write: Write | None = None) -> None:
        self._context = context
        self._write: Write = self._store if write is None else write
        self._settings = context.settings
        self._lease_ms = context.settings.scaled(context.settings.lease_ms)
        self._try_ms = context.settings.scaled(context.settings.gateway_try_ms)
        self._fence_after_ms = context.settings.scaled(context.settings.fence_after_ms)

    def lease_until_ms(self) -> int:
        """Return when a lease taken now ends."""
        return round(self._context.clock.now_ms() + self._lease_ms)

    async def take_lease(self, payment: Payment) -> Payment | None:
        """Make this process the owner of a row nobody owns; None when another was faster."""
        if payment.lease_until_ms > self._context.clock.now_ms():
            return None
        mine = replace(payment, fence=payment.fence + 1, lease_until_ms=self.lease_until_ms())
        taken = await self._write(payment, mine)
        if taken is not None:
            self._context.events.emit(
                "lease.taken", order=taken.order_id, name=taken.id, fence=taken.fence
            )
        return taken

    async def drive(self, payment: Payment) -> Payment:
        """Take `payment` as far as one budget of tries leads; return how it stands then.

        DatabaseUnavailable passes through: what could not be recorded is the reconciler's (R9).
        """
        context = self._context
        tries = Tries(self._settings, clock=context.clock, ids=context.ids)
        heard = Round()
        try:
            for _ in range(MAX_STEPS):
                now_ms = context.clock.now_ms()
                step = next_step(payment, heard, now_ms=now_ms, fence_after_ms=self._fence_after_ms)
                if step is Step.REST:
                    return payment
                if step is Step.WAIT:
                    break
                payment, heard = await self._take(step, payment, heard, tries)
            return await self._postpone(payment, heard)
        except LeaseLost:
            return await context.db.read(store.by_id, payment.id) or payment

    async def _take(self, step: Step, payment: Payment, heard: Round, tries: Tries) -> Stage:
        if step is Step.ABANDON:  # before the confirm key is committed, this is fence enough
            return await self._cancel(payment), heard
        take = {
            Step.CREATE: self._create,
            Step.CONFIRM: self._confirm,
            Step.READ: self._read,
            Step.FENCE: self._fence,
            Step.REFUND: self._refund,
            Step.READ_REFUND: self._read_refund,
        }[step]
        return await take(payment, heard, tries)

    # ── forward ────────────────────────────────────────────────────────────────────────────────

    async def _create(self, payment: Payment, heard: Round, tries: Tries) -> Stage:
        key = payment.key("create", payment.create_n)
        payment, outcome = await self._ask(
            payment,
            tries,
            lambda row, attempt: self._context.gateway.create(row, key=key, attempt=attempt),
            again=harmless_to_repeat,
        )
        match outcome:
            case Told():
                confirming = replace(
                    payment,
                    phase=Phase.CONFIRMING,
                    payment_intent=outcome.id,
                    keys=(*payment.keys, payment.key("confirm", 1)),
                    lease_until_ms=self.lease_until_ms(),
                )
                payment = await self._move(payment, confirming)
                self._context.events.emit(
                    "payment.intent_created", order=payment.order_id, payment_intent=outcome.id
                )
                return payment, heard
            case Declined():
                return await self._fail(payment, outcome.code, outcome.message), heard
            case ServerError(saved=True):
                # The saved 500 would be replayed for ever; an unconfirmed intent holds no money.
                n = payment.create_n + 1
                keys = (*payment.keys, payment.key("create", n))
                payment = await self._move(payment, replace(payment, create_n=n, keys=keys))
                return payment, heard if tries.fits() else replace(heard, created=True)
            case NotDone() | Unknown() | ServerError() | WrongState():
                return payment, replace(heard, created=True)
            case _:
                assert_never(outcome)

    async def _confirm(self, payment: Payment, heard: Round, tries: Tries) -> Stage:
        key = payment.key("confirm", 1)  # at most one confirm key is ever used per order
        payment, outcome = await self._ask(
            payment,
            tries,
            lambda row, attempt: self._context.gateway.confirm(row, key=key, attempt=attempt),
        )
        match outcome:
            case Told():
                return await self._learn(payment, replace(heard, confirmed=True), outcome)
            case Declined():
                return await self._fail(payment, outcome.code, outcome.message), heard
            case ServerError():
                spent = replace(payment, confirm_spent=outcome.saved)
                return spent, replace(heard, confirmed=True)
            case NotDone(error="out_of_tries"):
                return payment, replace(heard, confirmed=True, read="unreadable")
            case NotDone() | Unknown() | WrongState():
                return payment, replace(heard, confirmed=True)
            case _:
                assert_never(outcome)

    # ── R4: read, fence ────────────────────────────────────────────────────────────────────────

    async def _read(self, payment: Payment, heard: Round, tries: Tries) -> Stage:
        payment, outcome = await self._ask(
            payment,
            tries,
            lambda row, attempt: self._context.gateway.read(row, attempt=attempt),
            again=harmless_to_repeat,
        )
        if isinstance(outcome, Told):
            return await self._learn(payment, heard, outcome)
        # Not even "not found" proves anything while a request may be queued in a link.
        return payment, replace(heard, read="unreadable")

    async def _fence(self, payment: Payment, heard: Round, tries: Tries) -> Stage:
        key = payment.key("cancel", payment.cancel_n)
        payment = await self._with_key(payment, key)
        payment, outcome = await self._ask(
            payment,
            tries,
            lambda row, attempt: self._context.gateway.cancel(row, key=key, attempt=attempt),
            again=harmless_to_repeat,
        )
        fenced = replace(heard, fenced=True)
        match outcome:
            case Told(status="canceled"):
                self._context.events.emit("payment.fenced", order=payment.order_id, key=key)
                if heard.read == "requires_action":
                    message = "The card needs a shopper to authenticate, and there is none."
                    return await self._fail(payment, "authentication_required", message), heard
                return await self._cancel(payment), heard
            case Told():
                return await self._learn(payment, fenced, outcome)
            case WrongState() | Declined() | ServerError(saved=True):
                # The refusal is saved under this key: the next cancel needs the next one (R4).
                payment = replace(payment, cancel_n=payment.cancel_n + 1)
                if isinstance(outcome, WrongState) and outcome.status is not None:
                    seen = Told(id=payment.payment_intent or "", status=outcome.status)
                    return await self._learn(payment, fenced, seen)
                return await self._read(payment, fenced, tries)
            case NotDone() | Unknown() | ServerError():
                return payment, fenced
            case _:
                assert_never(outcome)

    async def _learn(self, payment: Payment, heard: Round, seen: Told) -> Stage:
        """Settle `payment` by the status of its PaymentIntent, or remember the status."""
        match SETTLED_BY_STATUS.get(seen.status):
            case Phase.COMPLETED:
                return await self._settle(payment, Phase.COMPLETED), heard
            case Phase.CANCELED:
                return await self._cancel(payment), heard
            case Phase.FAILED:
                code, message = seen.code or "card_declined", seen.message or "Declined."
                return await self._fail(payment, code, message), heard
            case _:
                return payment, replace(heard, read=seen.status)

    # ── R5: give back ──────────────────────────────────────────────────────────────────────────

    async def _refund(self, payment: Payment, heard: Round, tries: Tries) -> Stage:
        key = payment.key("refund", payment.refund_n)
        if payment.phase is Phase.COMPLETED:
            refunding = replace(
                payment,
                phase=Phase.REFUNDING,
                keys=(*payment.keys, key),
                lease_until_ms=self.lease_until_ms(),
            )
            payment = await self._move(payment, refunding)
        payment = await self._with_key(payment, key)

        def send(row: Payment, attempt: int) -> Awaitable[Outcome]:
            self._context.events.emit("payment.refund_requested", order=row.order_id, key=key)
            return self._context.gateway.refund(row, key=key, attempt=attempt)

        payment, outcome = await self._ask(payment, tries, send, again=harmless_to_repeat)
        return await self._refunded(payment, heard, outcome)

    async def _read_refund(self, payment: Payment, heard: Round, tries: Tries) -> Stage:
        payment, outcome = await self._ask(
            payment,
            tries,
            lambda row, attempt: self._context.gateway.read_refund(row, attempt=attempt),
            again=harmless_to_repeat,
        )
        return await self._refunded(payment, heard, outcome)

    async def _refunded(self, payment: Payment, heard: Round, outcome: Outcome) -> Stage:
        after = after_refund(payment, outcome, now_ms=self._context.clock.now_ms())
        if after.phase is payment.phase:
            # A refusal that only a read can explain is read in this very round.
            doubt = after.refund_spent and not payment.refund_spent
            return after, replace(heard, refunded=not doubt)
        moved = await self._move(payment, after)
        if moved.phase is Phase.REFUNDED:
            self._context.events.emit(
                "payment.refund_succeeded", order=moved.order_id, refund=moved.refund
            )
        return moved, replace(heard, refunded=True)

    # ── writing ────────────────────────────────────────────────────────────────────────────────

    async def _ask(
        self,
        payment: Payment,
        tries: Tries,
        send: Send,
        *,
        again: Callable[[Outcome], bool] = worth_repeating,
    ) -> tuple[Payment, Outcome]:
        """Ask the gateway within the budget, holding a lease that outlasts each try."""
        row = payment

        async def leased(attempt: int) -> Outcome:
            nonlocal row
            if row.lease_until_ms - self._context.clock.now_ms() < self._try_ms:
                row = await self._move(row, replace(row, lease_until_ms=self.lease_until_ms()))
            return await send(row, attempt)

        outcome = await tries.ask(leased, again=again)
        return row, outcome

    async def _with_key(self, payment: Payment, key: str) -> Payment:
        """Return `payment` with `key` committed, before anything leaves under it."""
        if key in payment.keys:
            return payment
        return await self._move(payment, replace(payment, keys=(*payment.keys, key)))

    async def _settle(
        self, payment: Payment, phase: Phase, *, code: str | None = None, message: str | None = None
    ) -> Payment:
        settled = replace(payment, phase=phase, code=code, message=message)
        if not is_open(settled):
            settled = replace(settled, next_at_ms=None, lease_until_ms=0)
        return await self._move(payment, settled)

    async def _fail(self, payment: Payment, code: str, message: str) -> Payment:
        return await self._settle(payment, Phase.FAILED, code=code, message=message)

    async def _cancel(self, payment: Payment) -> Payment:
        message = "The charge was canceled."
        settled = await self._settle(payment, Phase.CANCELED, code="canceled", message=message)
        self._context.events.emit("payment.canceled", order=payment.order_id)
        return settled

    async def _postpone(self, payment: Payment, heard: Round) -> Payment:
        """Write what is not known, when to look again, and let the lease go."""
        context = self._context
        wait_ms = backoff_ms(
            payment.attempts,
            low_ms=self._settings.scaled(self._settings.retry_low_ms),
            high_ms=self._settings.scaled(self._settings.retry_high_ms),
        )
        due_ms: int | None = round(context.clock.now_ms() + wait_ms * context.ids.uniform(0.8, 1.2))
        if payment.phase is Phase.REFUNDED and payment.attempts >= REFUND_WATCHES:
            due_ms = None
        if payment.phase is Phase.REFUNDING and payment.attempts % 10 == 9:  # noqa: PLR2004
            rounds = payment.attempts + 1
            sys.stderr.write(f"alert: refund of {payment.order_id} open after {rounds} rounds\n")
        asked = heard != Round() and payment.phase is Phase.CONFIRMING
        later = replace(
            payment,
            phase=Phase.UNKNOWN if asked else payment.phase,
            attempts=payment.attempts + 1,
            next_at_ms=due_ms,
            lease_until_ms=0,
        )
        return await self._move(payment, later)

    async def _store(
        self, before: Payment, after: Payment, *, written: Callable[[], None] | None = None
    ) -> Payment | None:
        """Write `after`; where COMMIT was not answered, go on from what stands (R9)."""
        db = self._context.db
        try:
            return await db.run(store.write, before, after, written=written)
        except DatabaseUnavailable as error:
            if error.definite:
                raise
            stands = await db.reread(store.by_id, before.id)
            if stands is None or stands.fence != before.fence:
                return None
            # A wish may have come meanwhile; the rest is as it was written, or was not.
            if replace(after, wanted=stands.wanted, next_at_ms=stands.next_at_ms) == stands:
                return stands
            raise DatabaseUnavailable(error.error, definite=True) from error

    async def _move(self, before: Payment, after: Payment) -> Payment:
        """Write `after`; raise LeaseLost when the row is no longer ours."""
        decided = after.phase is not before.phase and after.phase not in UNDECIDED
        written = None
        if decided:
            status = wire_status(after.phase)

            def written() -> None:
                self._context.events.emit(
                    "payment.result_written", order=after.order_id, status=status
                )

        moved = await self._write(before, after, written=written)
        if moved is None:
            raise LeaseLost(before.id)
        return moved
