"""Moves one pending order one step: charge it, fence it or undo it, and write down what came.

Shared by the handler that placed the order and the reconciler, so that recovery cannot drift from
the first try. Takes an order and its lease; gives the order as it then stands. Emits the order's
events, each right after its commit.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Concatenate, ParamSpec, assert_never

from sqlalchemy import Connection

from ..chassis.breaker import Breaker
from ..chassis.errors import DatabaseUnavailable
from ..chassis.http_client import Link
from . import commits, store
from .answers import AlreadyCharged, Charged, Declined, Fenced, Refused, Undone, Unresolved
from .context import Context
from .order import Lease, Order, Status, Step, next_step
from .payments import CallBudget, Payments, counts_against_callee

P = ParamSpec("P")

_SHOPPER_CANCELED = "shopper_canceled"
_UNRESOLVED = "payment_unresolved"
_AMOUNT_MISMATCH = "amount_mismatch"
_DOUBLINGS_MAX = 16  # beyond it the high bound has long been reached; keeps the power small


class Resolver:
    """Knows what a pending order needs, and does it under a lease."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._payments = _payments(context)

    async def advance(
        self, order: Order, lease: Lease, *, attempts: int = 0, tries: int | None = None
    ) -> Order:
        """Do the next step for a pending `order`; return it as it stands, decided or not.

        `attempts` counts the steps taken before, for the back-off; `tries` bounds the charge's.
        """
        settings = self._context.settings
        now_ms = self._context.clock.now_ms()
        cancel_after_ms = settings.scaled(settings.cancel_after_ms)
        match next_step(order, now_ms=now_ms, cancel_after_ms=cancel_after_ms):
            case Step.CHARGE:
                moved = await self._charge(order, lease, tries)
            case Step.FENCE:
                moved = await self._fence(order, lease)
            case Step.UNDO:
                moved = await self._undo(order, lease)
            case never:
                assert_never(never)
        return moved or await self._put_off(order, lease, attempts)

    async def _charge(self, order: Order, lease: Lease, tries: int | None) -> Order | None:
        outcome = await self._payments.charge(order, tries=tries)
        match outcome:
            case Charged():
                return await self._confirm(order, lease, outcome)
            case Declined(reason=reason):
                return await self._roll_back(order, lease, Status.FAILED, reason)
            case Refused(reason=reason):
                # The refused request did nothing, an earlier one may have: fence before failing.
                return await self._fence(order, lease, Status.FAILED, reason)
            case Unresolved():
                return None
            case never:
                assert_never(never)

    async def _fence(
        self,
        order: Order,
        lease: Lease,
        status: Status = Status.CANCELED,
        reason: str = _UNRESOLVED,
    ) -> Order | None:
        """Forbid the charge; if it was made, its stored answer is fetched and gone forward with."""
        if not await self._renewed(lease):
            return None
        outcome = await self._payments.cancel(order)
        match outcome:
            case Fenced():
                return await self._roll_back(order, lease, status, reason)
            case AlreadyCharged():
                if not await self._renewed(lease):
                    return None
                return await self._go_forward(order, lease)
            case Unresolved():
                return None
            case never:
                assert_never(never)

    async def _go_forward(self, order: Order, lease: Lease) -> Order | None:
        """Fetch the stored answer of a charge that beat the fence, and act on it."""
        outcome = await self._payments.charge(order, tries=1)
        match outcome:
            case Charged():
                return await self._confirm(order, lease, outcome)
            case Declined(reason=reason):
                return await self._roll_back(order, lease, Status.FAILED, reason)
            case Refused():  # charged, but not what this order says: it can never be confirmed
                await self.want_cancel(order.id, _AMOUNT_MISMATCH)
                return None
            case Unresolved():
                return None
            case never:
                assert_never(never)

    async def _undo(self, order: Order, lease: Lease) -> Order | None:
        """Forbid the charge; if it was made, give it back: the shopper wants out (R10)."""
        reason = order.reason or _SHOPPER_CANCELED
        if not await self._renewed(lease):
            return None
        fenced = await self._payments.cancel(order)
        if isinstance(fenced, Fenced):
            return await self._roll_back(order, lease, Status.CANCELED, reason)
        if not isinstance(fenced, AlreadyCharged) or not await self._renewed(lease):
            return None
        undone = await self._payments.refund(order)
        if isinstance(undone, Undone):
            return await self._roll_back(order, lease, Status.CANCELED, reason)
        return None

    async def _confirm(self, order: Order, lease: Lease, paid: Charged) -> Order | None:
        if await self._ended(order, Status.CONFIRMED, commits.confirm, order, lease, paid):
            self._context.events.emit("order.confirmed", order=order.id, reason=None)
            return replace(order, status=Status.CONFIRMED)
        if (paid.amount_minor, paid.currency) != (order.total_minor, order.currency):
            await self.want_cancel(order.id, _AMOUNT_MISMATCH)
        return None

    async def _roll_back(
        self, order: Order, lease: Lease, status: Status, reason: str
    ) -> Order | None:
        rolled_back = await self._ended(
            order, status, commits.roll_back, order, lease, status, reason
        )
        if not rolled_back:
            return None
        self._context.events.emit(f"order.{status.value}", order=order.id, reason=reason)
        return replace(order, status=status, reason=reason)

    async def _ended(
        self,
        order: Order,
        status: Status,
        commit: Callable[Concatenate[Connection, P], bool],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> bool:
        """Commit the end `status`; where COMMIT was not answered, read what stands (R9)."""
        db = self._context.db
        try:
            return await db.run(commit, *args, **kwargs)
        except DatabaseUnavailable as error:
            if error.definite:
                raise
            present = await db.reread(store.order_by_id, order.id)
            if present is None or present.status is not status:
                raise DatabaseUnavailable(error.error, definite=True) from error
            return True

    async def want_cancel(self, order_id: str, reason: str = _SHOPPER_CANCELED) -> bool:
        """Record that a pending order is wanted back; False if it was already, or has ended."""
        db = self._context.db
        try:
            wanted = await db.run(commits.want_cancel, order_id, reason)
        except DatabaseUnavailable as error:
            if error.definite:
                raise
            present = await db.reread(store.order_by_id, order_id)
            if present is None or not present.cancel_wanted:
                raise DatabaseUnavailable(error.error, definite=True) from error
            wanted = True
        if wanted:
            self._context.events.emit("order.cancel_wanted", order=order_id, reason=reason)
        return wanted

    async def _put_off(self, order: Order, lease: Lease, attempts: int) -> Order:
        """Give the lease back and return the order as others left it."""
        now_ms = self._context.clock.now_ms()
        present = await self._context.db.read(store.order_by_id, order.id) or order
        if present.is_decided:
            return present
        # Somebody began to want it back during this step: that need not wait.
        at_once = present.cancel_wanted and not order.cancel_wanted
        again_at_ms = now_ms if at_once else now_ms + round(self._back_off_ms(attempts))
        await self._context.db.run(commits.postpone, lease, again_at_ms)
        return present

    def _back_off_ms(self, attempts: int) -> float:
        """Return the wait before the next step: doubling, bounded, with jitter downwards."""
        settings = self._context.settings
        low_ms = settings.scaled(settings.retry_low_ms)
        high_ms = settings.scaled(settings.retry_high_ms)
        full_ms = min(high_ms, low_ms * 2 ** min(attempts, _DOUBLINGS_MAX))
        return self._context.ids.uniform(full_ms / 2, full_ms)

    async def _renewed(self, lease: Lease) -> bool:
        return await self._context.db.run(commits.renew, lease, lease_until_ms(self._context))


def lease_until_ms(context: Context) -> int:
    """Return when a lease taken or renewed now ends."""
    settings = context.settings
    return context.clock.now_ms() + round(settings.scaled(settings.lease_ms))


def _payments(context: Context) -> Payments:
    settings = context.settings
    link = Link("order_to_payment", events=context.events, clock=context.clock, ids=context.ids)
    breaker = Breaker(
        link.name,
        failures=settings.breaker_failures,
        open_ms=settings.scaled(settings.breaker_open_ms),
        counts=counts_against_callee,
    )
    budget = CallBudget(
        try_ms=settings.scaled(settings.payment_try_ms),
        tries=settings.payment_tries,
        total_ms=settings.scaled(settings.payment_total_ms),
        backoff_low_ms=settings.scaled(settings.backoff_low_ms),
        backoff_high_ms=settings.scaled(settings.backoff_high_ms),
    )
    return Payments(
        context.http,
        link=link,
        breaker=breaker,
        budget=budget,
        clock=context.clock,
        ids=context.ids,
    )
