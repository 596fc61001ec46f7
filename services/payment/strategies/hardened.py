"""The chapter that keeps every promise with keys, a fence and a reconciler.

4. payment commits B: the row, unique by order, `create:1`, a lease
5. payment → gateway create, unconfirmed
6. payment commits C: PaymentIntent id and `confirm:1`
7. payment → gateway confirm
8. payment commits D: `completed` | `failed` | `unknown` with a time to look again; answers
   200 | 402 | 202

(The order service's steps 1-3 and 9 are in its own chapter of this name.) A crash after any
commit is taken up by the reconciler: B-C repeats the create, C-D confirms again, reads, fences.
Not survived: loss of the database file, and a gateway that forgets its keys.
"""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from ...chassis.errors import DatabaseUnavailable, ServiceError
from .. import replies, store
from ..charging import Charging
from ..context import Context, Reply
from ..payment import Charge, Payment, Phase, Wanted, is_open
from ..reconciler import reconcile
from ..recording import new_payment

_NO_CARD = ""  # a tombstone charges nothing, so any charge of its order meets 402


class Hardened:
    """Records before it acts, resolves what it does not know."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._charging = Charging(context)

    async def process(self, charge: Charge) -> Reply:
        """Charge an order once, however often it is asked to."""
        context = self._context
        fresh = new_payment(
            _id_of(charge.order_id),
            charge,
            phase=Phase.INTENT,
            now_ms=context.clock.now_ms(),
            keys=(f"{charge.order_id}:create:1",),
            lease_until_ms=self._charging.lease_until_ms(),
        )
        known = await self._added(fresh)
        if known is not None:
            return await self._repeated(known, charge)
        context.events.emit(
            "payment.recorded", order=charge.order_id, amount_minor=charge.amount_minor
        )
        return replies.charged(await self._driven(fresh))

    async def cancel(self, order_id: str) -> Reply:
        """Fence an order, seen here or not."""
        return replies.fenced(await self._undo(order_id, Wanted.CANCEL))

    async def refund(self, order_id: str) -> Reply:
        """Bring an order's net to zero: cancel what is open, give back what was charged."""
        return replies.undone(await self._undo(order_id, Wanted.REFUND))

    def record(
        self,
        connection: Connection,
        before: Payment,
        after: Payment,
        *,
        written: Callable[[], None] | None = None,
    ) -> Payment | None:
        """Replace a row; there is no news beside it."""
        return store.write(connection, before, after, written=written)

    def workers(self) -> Sequence[Coroutine[Any, Any, None]]:
        """Return the reconciler."""
        return (reconcile(self._context, self._charging),)

    async def _added(self, fresh: Payment) -> Payment | None:
        """Commit B; where COMMIT was not answered, read before a byte leaves (R9)."""
        db = self._context.db
        try:
            return await db.run(store.add, fresh)
        except DatabaseUnavailable as error:
            if error.definite:
                raise
            stands = await db.reread(store.by_id, fresh.id)
            if stands is None:
                raise DatabaseUnavailable(error.error, definite=True) from error
            return None if stands == fresh else stands

    async def _repeated(self, known: Payment, charge: Charge) -> Reply:
        if known.card != _NO_CARD and known.charge != charge:
            sentence = f"Order {charge.order_id} was recorded with another amount, card or user."
            raise ServiceError(422, "charge_mismatch", sentence)
        self._context.events.emit("payment.deduplicated", order=charge.order_id)
        return replies.charged(await self._pushed(known))

    async def _undo(self, order_id: str, wanted: Wanted) -> Payment:
        now_ms = self._context.clock.now_ms()
        nothing = Charge(
            order_id=order_id, user_id="", amount_minor=0, currency="usd", card=_NO_CARD
        )
        tombstone = replace(
            new_payment(_id_of(order_id), nothing, phase=Phase.CANCELED, now_ms=now_ms),
            wanted=wanted,
            next_at_ms=None,
            code="canceled",
            message="The order was canceled before its charge arrived.",
        )
        payment, settled = await self._context.db.run(store.want, wanted, tombstone)
        if settled:
            self._context.events.emit("payment.canceled", order=order_id)
        return await self._pushed(payment)

    async def _pushed(self, payment: Payment) -> Payment:
        """Return `payment` after one more round, if it is open and nobody is at it."""
        if not is_open(payment):
            return payment
        taken = await self._charging.take_lease(payment)
        return payment if taken is None else await self._driven(taken)

    async def _driven(self, payment: Payment) -> Payment:
        """Return `payment` after a round; as it was, when the result could not be recorded (R9)."""
        try:
            return await self._charging.drive(payment)
        except DatabaseUnavailable:
            return payment


def _id_of(order_id: str) -> str:
    """Return the one payment id of an order: the unique column then admits one row."""
    return f"pay_{order_id}"
