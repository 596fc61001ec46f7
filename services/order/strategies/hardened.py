"""hardened: the same hops as naive, with every promise kept.

1. shopper → order `POST /order/place`, with its own `Idempotency-Key`
2. order commits A: `pending`, line snapshot, cart claim, client key and body hash, lease
3. order → payment `POST /payment/process` under `{order}:charge`
4. order commits E: `confirmed` and the taken lines deleted | `failed` and the cart given back |
   still `pending`, and when to ask again
5. the reconciler repeats 3 and 4 for what is pending: after a crash, a lost answer, a 202. Beyond
   `cancel_after_ms` it fences the charge; a shopper's cancel it undoes

Not survived: a payment service that never comes back. The order then stays pending, and says so.
"""

import asyncio
import hashlib
import json
from collections.abc import Coroutine, Sequence
from typing import Any

from ...chassis.errors import DatabaseUnavailable
from .. import commits, replies, store
from ..commits import Fresh, Intent, Known
from ..context import Context
from ..order import Lease, Order
from ..reconciler import Reconciler
from ..replies import Reply
from ..resolver import Resolver, lease_until_ms
from ..schemas import Place


class Hardened:
    """An order service that says unknown when it does not know, and finds out."""

    reads_client_keys = True

    def __init__(self, context: Context) -> None:
        self._context = context
        self._resolver = Resolver(context)
        self._reconciler = Reconciler(context, self._resolver)
        self._driving: dict[str, asyncio.Future[None]] = {}  # orders whose handler is at work

    async def place(self, wish: Place, client_key: str | None) -> Reply:
        """Record the intent, then act on it; a repeated request only looks."""
        events = self._context.events
        match await self._admit(wish, client_key):
            case Known(order=order):
                events.emit("order.deduplicated", order=order.id, key=client_key)
                return replies.placed(await self._present(order))
            case Fresh(order=order, lease=lease):
                events.emit(
                    "order.created",
                    order=order.id,
                    key=client_key,
                    user_id=order.user_id,
                    total_minor=order.total_minor,
                    currency=order.currency,
                    card=order.card,
                )
                return replies.placed(await self._drive(order, lease))

    async def cancel(self, order_id: str) -> Reply:
        """Record that the order is wanted back and leave the rest to the reconciler."""
        if await self._resolver.want_cancel(order_id):
            self._reconciler.wake()
        order = await self._context.db.read(store.order_by_id, order_id)
        if order is None:
            raise replies.order_not_found(order_id)
        return replies.canceled(order)

    def workers(self) -> Sequence[Coroutine[Any, Any, None]]:
        """Run the reconciler."""
        return (self._reconciler.run(),)

    async def _admit(self, wish: Place, client_key: str | None) -> Fresh | Known:
        intent = Intent(
            order_id=self._context.ids.new("ord"),
            user_id=wish.user_id,
            card=wish.payment_method,
            client_key=client_key,
            request_hash=_hash_of(wish),
            now_ms=self._context.clock.now_ms(),
            lease_until_ms=lease_until_ms(self._context),
        )
        try:
            return await self._context.db.run(commits.admit, intent)
        except DatabaseUnavailable as error:
            if error.definite:
                raise
            # COMMIT was not answered: look before saying that nothing happened (R9). If the order
            # is there after all, it is as fresh as it was, and so is its lease.
            order = await self._context.db.reread(store.order_by_id, intent.order_id)
            if order is None:
                raise DatabaseUnavailable(error.error, definite=True) from error
            return Fresh(order=order, lease=commits.first_lease(order.id))

    async def _drive(self, order: Order, lease: Lease) -> Order:
        """Take the first step while the shopper waits; whatever happens, the order is on record."""
        done = self._driving[order.id] = asyncio.get_running_loop().create_future()
        try:
            after = await self._resolver.advance(order, lease)
        except DatabaseUnavailable:
            return order  # a result that cannot be recorded is not a failure (R9)
        finally:
            del self._driving[order.id]
            done.set_result(None)
        if after.cancel_wanted and not after.is_decided:
            self._reconciler.wake()
        return after

    async def _present(self, order: Order) -> Order:
        """Return the order as it stands, after waiting for a handler that is at work on it."""
        driving = self._driving.get(order.id)
        if driving is None:
            return order
        settings = self._context.settings
        await asyncio.wait({driving}, timeout=settings.scaled(settings.payment_total_ms) / 1000)
        return await self._context.db.read(store.order_by_id, order.id) or order


def _hash_of(wish: Place) -> str:
    body = json.dumps([wish.user_id, wish.payment_method])
    return hashlib.sha256(body.encode()).hexdigest()
