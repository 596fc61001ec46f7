"""orchestrated: an order service that does as it is told, once.

3. orchestrator → order `POST /order/create`; order commits `pending`, the line snapshot, the cart
   claim, and its answer under the step's key
7. orchestrator → order `POST /order/confirm`; order commits `confirmed`, deletes the taken lines,
   and its answer; or refuses, because the shopper wants out
9. orchestrator → order `POST /order/cancel`, the undo of 3; order commits `failed` or `canceled`,
   gives the cart back, and its answer; an order it has never seen it writes canceled, a tombstone

A shopper's `/order/cancel` commits `cancel_wanted`, which the next confirmation meets. The other
steps are in the orchestrator's chapter of this name.

Not survived: an orchestrator that never comes back. What it began stays pending, and says so:
nothing here may decide alone what payment has done meanwhile.
"""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from sqlalchemy import Connection

from ...chassis.database import UniqueViolated
from ...chassis.errors import ServiceError
from .. import applied, commits, replies, store
from ..answers import Charged
from ..applied import Applied, StepKey
from ..commits import Intent
from ..context import Context
from ..order import Order, Status
from ..replies import Reply
from ..schemas import CancelStep, ConfirmStep, CreateStep, Place

_SHOPPER_CANCELED = "shopper_canceled"


class Orchestrated:
    """A participant: every step is committed with its answer, under its key."""

    reads_client_keys = True

    def __init__(self, context: Context) -> None:
        self._context = context

    async def place(self, wish: Place, client_key: str | None) -> Reply:  # noqa: ARG002 - refused
        """Refuse: here somebody else coordinates."""
        sentence = "Orders are placed at the orchestrator: POST /saga/place-order."
        raise ServiceError(404, "not_offered", sentence)

    async def cancel(self, order_id: str) -> Reply:
        """Record that the shopper wants an order back, and leave the rest to its saga."""
        wanted, order = await self._context.db.run(_want_back, order_id)
        if wanted:
            events = self._context.events
            events.emit("order.cancel_wanted", order=order_id, reason=_SHOPPER_CANCELED)
        if order is None:
            raise replies.order_not_found(order_id)
        return replies.canceled(order)

    async def create(self, asked: CreateStep, key: StepKey) -> Applied:
        """Step 3."""
        intent = Intent(
            order_id=asked.order_id,
            user_id=asked.user_id,
            card=asked.payment_method,
            client_key=None,  # the orchestrator keeps the shopper's
            request_hash=key.request_hash,
            now_ms=self._context.clock.now_ms(),
            lease_until_ms=0,  # the saga's own lease and fence are all there is
        )
        return await self._once(key, asked.order_id, lambda conn: applied.create(conn, key, intent))

    async def confirm(self, asked: ConfirmStep, key: StepKey) -> Applied:
        """Step 7."""
        paid = Charged(amount_minor=asked.amount_minor, currency=asked.currency)
        return await self._once(
            key, asked.order_id, lambda conn: applied.confirm(conn, key, asked.order_id, paid)
        )

    async def undo(self, asked: CancelStep, key: StepKey) -> Applied:
        """Step 9."""
        rolled_back = Order(
            id=asked.order_id,
            user_id=asked.user_id,
            lines=(),
            total_minor=0,
            currency="usd",
            card=asked.payment_method,
            status=Status(asked.status),
            created_at_ms=self._context.clock.now_ms(),
            reason=asked.reason,
        )
        create_key = f"{asked.order_id}:create"
        return await self._once(
            key,
            asked.order_id,
            lambda conn: applied.cancel(conn, key, rolled_back, create_key),
        )

    def workers(self) -> Sequence[Coroutine[Any, Any, None]]:
        """Nothing is driven from here."""
        return ()

    async def _once(
        self, key: StepKey, order_id: str, step: Callable[[Connection], Applied]
    ) -> Applied:
        """Run a step, or find what it answered when it was run before; tell of it afterwards."""
        db = self._context.db
        try:
            done = await db.run(step)
        except UniqueViolated:  # the same step, at the same moment, on another connection
            done = await db.run(step)
        if done.is_repeated:
            self._context.events.emit("order.deduplicated", order=order_id, key=key.key)
        elif done.changed is not None:
            self._tell(done.changed, key.key)
        return done

    def _tell(self, order: Order, key: str) -> None:
        events = self._context.events
        if order.status is not Status.PENDING:
            events.emit(f"order.{order.status.value}", order=order.id, reason=order.reason)
            return
        events.emit(
            "order.created",
            order=order.id,
            key=key,
            user_id=order.user_id,
            total_minor=order.total_minor,
            currency=order.currency,
            card=order.card,
        )


def _want_back(conn: Connection, order_id: str) -> tuple[bool, Order | None]:
    """Record the wish and read the order at one moment.

    Between two, the order might be created: pending, and its shopper told that the wish counts.
    """
    wanted = commits.want_cancel(conn, order_id, _SHOPPER_CANCELED)
    return wanted, store.order_by_id(conn, order_id)
