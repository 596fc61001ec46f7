"""choreographed: nobody conducts; order and payment tell each other what they have committed.

1. shopper → order `POST /order/place`, with its own `Idempotency-Key`
2. order commits `pending` and, in its outbox, `order.placed`
3. order's relay publishes it; once the broker has confirmed, it commits `sent_at`
4.-6. payment commits what it heard, charges, commits the result with its own news, and tells it
7. order commits inbox and `confirmed`, the taken lines deleted | `failed`, the cart given back;
   then acknowledges
8. the waiting request answers; after `answer_ms` it answers 202

An order pending beyond `cancel_after_ms` is swept: `order.cancel_requested` asks payment to forbid
the charge or to say again what became of it, as often as it takes. A shopper's cancel asks the
same and, if the charge was made after all, `order.refund_requested`.

Not survived: a broker that never comes back. What was committed then stays owed, and says so.
"""

import hashlib
import json
import sys
from collections.abc import Coroutine, Sequence
from typing import Any

from ...chassis.bus import Bus, BusBudget, error_of
from ...chassis.delivery import Delivery
from ...chassis.errors import DatabaseUnavailable
from ...chassis.http_client import Link
from ...chassis.messaging import Topology
from ...chassis.relay import Relay
from .. import commits, news, replies, store
from ..commits import Fresh, Intent, Known
from ..context import Context
from ..news import Effect, Turn
from ..replies import Reply
from ..schemas import Place
from ..waiting import Waiting

QUEUE = "order.events"
SWEPT_AT_ONCE = 64
_EVENTS = {
    Effect.CONFIRMED: "order.confirmed",
    Effect.FAILED: "order.failed",
    Effect.CANCELED: "order.canceled",
}


class Choreographed:
    """An order service that tells what happened and believes only what it is told."""

    reads_client_keys = True

    def __init__(self, context: Context) -> None:
        self._context = context
        self._bus = _bus(context)
        self._relay = Relay(
            self._bus,
            settings=context.settings,
            db=context.db,
            clock=context.clock,
            ids=context.ids,
            events=context.events,
        )
        self._waiting = Waiting(context)

    async def place(self, wish: Place, client_key: str | None) -> Reply:
        """Record the order with its news, then wait for payment's, so long as a shopper will."""
        events = self._context.events
        match await self._admit(wish, client_key):
            case Known(order=order):
                events.emit("order.deduplicated", order=order.id, key=client_key)
            case Fresh(order=order):
                events.emit(
                    "order.created",
                    order=order.id,
                    key=client_key,
                    user_id=order.user_id,
                    total_minor=order.total_minor,
                    currency=order.currency,
                    card=order.card,
                )
                self._relay.wake()
        return replies.placed(await self._waiting.until_decided(order))

    async def cancel(self, order_id: str) -> Reply:
        """Record that the order is wanted back, and tell payment."""
        if await self._context.db.run(news.want_cancel, order_id, self._turn()):
            self._context.events.emit(
                "order.cancel_wanted", order=order_id, reason=news.SHOPPER_CANCELED
            )
            self._relay.wake()
        order = await self._context.db.read(store.order_by_id, order_id)
        if order is None:
            raise replies.order_not_found(order_id)
        return replies.canceled(order)

    def workers(self) -> Sequence[Coroutine[Any, Any, None]]:
        """Run the bus, the relay and the timeout sweeper."""
        return (
            self._bus.run(self._handle, self._relay.connected),
            self._relay.run(),
            self._sweep(),
        )

    async def _handle(self, delivery: Delivery) -> None:
        """Do what payment's news means; the message is acknowledged when this returns."""
        events = self._context.events
        heard = news.read(delivery)
        effect = await self._context.db.run(news.apply, heard, self._turn())
        about = {
            "consumer": heard.consumer,
            "message_id": heard.message_id,
            "topic": heard.topic.value,
        }
        if effect is Effect.DUPLICATE:
            events.emit("message.deduplicated", order=heard.order_id, **about)
            return
        if effect in _EVENTS:
            events.emit(_EVENTS[effect], order=heard.order_id, reason=heard.reason)
        events.emit("message.handled", order=heard.order_id, **about)
        self._waiting.decided(heard.order_id)
        if effect is Effect.TOLD:
            self._relay.wake()

    async def _sweep(self) -> None:
        """Ask payment, every tick, about the orders that have been pending too long."""
        settings, clock, db = self._context.settings, self._context.clock, self._context.db
        tick_ms = settings.scaled(settings.tick_ms)
        again_ms = round(settings.scaled(settings.retry_high_ms))
        while True:
            await clock.sleep_ms(tick_ms)
            now_ms = clock.now_ms()
            try:
                if not await db.read(commits.is_any_due, now_ms):
                    continue
                turns = tuple(self._turn() for _ in range(SWEPT_AT_ONCE))
                if await db.run(news.sweep, now_ms, now_ms + again_ms, turns):
                    self._relay.wake()
            except DatabaseUnavailable as error:
                sys.stderr.write(f"order's sweeper: {error.error}\n")

    async def _admit(self, wish: Place, client_key: str | None) -> Fresh | Known:
        settings, now_ms = self._context.settings, self._context.clock.now_ms()
        intent = Intent(
            order_id=self._context.ids.new("ord"),
            user_id=wish.user_id,
            card=wish.payment_method,
            client_key=client_key,
            request_hash=_hash_of(wish),
            now_ms=now_ms,
            # Nobody drives the order; the lease only keeps the sweeper away from it so long.
            lease_until_ms=now_ms + round(settings.scaled(settings.cancel_after_ms)),
        )
        try:
            return await self._context.db.run(news.place, intent, self._turn())
        except DatabaseUnavailable as error:
            if error.definite:
                raise
            # The COMMIT broke: look before promising that nothing happened (R9).
            order = await self._context.db.reread(store.order_by_id, intent.order_id)
            if order is None:
                raise DatabaseUnavailable(error.error, definite=True) from error
            return Known(order=order)

    def _turn(self) -> Turn:
        return Turn(message_id=self._context.ids.new("msg"), claim=self._relay.claim())


def _hash_of(wish: Place) -> str:
    body = json.dumps([wish.user_id, wish.payment_method])
    return hashlib.sha256(body.encode()).hexdigest()


def _bus(context: Context) -> Bus:
    settings = context.settings
    return Bus(
        settings.broker_url,
        topology=Topology(
            prefix=settings.broker_prefix,
            retry_ms=round(settings.scaled(settings.message_retry_ms)),
        ),
        consumes=QUEUE,
        link=Link(
            "order_to_broker",
            events=context.events,
            clock=context.clock,
            ids=context.ids,
            error_of=error_of,
        ),
        budget=BusBudget(
            connect_ms=settings.scaled(settings.broker_connect_ms),
            confirm_ms=settings.scaled(settings.broker_confirm_ms),
            reconnect_ms=settings.scaled(settings.broker_reconnect_ms),
            watch_ms=settings.scaled(settings.broker_watch_ms),
            tries=settings.message_tries,
        ),
        events=context.events,
        clock=context.clock,
        in_flight=context.in_flight,
    )
