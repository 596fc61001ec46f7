"""The chapter without a conductor: payment hears of orders and tells what became of the charge.

4. a message arrives; payment commits inbox and `intent` (or meets a tombstone), then acknowledges
5. its worker leases the row and takes hardened's steps 5-8, outside consumer and transaction; the
   commit that settles the payment puts `payment.completed` | `.failed` | `.canceled` in the outbox
6. payment's relay publishes it; once the broker has confirmed, it commits `sent_at`

`order.cancel_requested` fences: an order never seen gets a tombstone, an open charge is canceled,
a settled one told again. `order.refund_requested` gives the money back, then `payment.refunded`.
A crash after 4 is redelivery's or the reconciler's, after 5 the outbox's.
Not survived: loss of the database file, and a broker that never comes back.
"""

import asyncio
import sys
import traceback
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from ...chassis.bus import Bus, BusBudget, error_of
from ...chassis.delivery import Delivery
from ...chassis.errors import DatabaseUnavailable, ServiceError
from ...chassis.http_client import Link
from ...chassis.messaging import Topology
from ...chassis.relay import Relay
from .. import news
from ..charging import Charging
from ..context import Context, Reply
from ..news import NO_CARD, News, Noted, Turn
from ..payment import Charge, Payment, Phase, is_open
from ..reconciler import reconcile
from ..recording import new_payment

QUEUE = "payment.events"
AT_ONCE = 64  # charges driven together; more are recorded, and left to the reconciler


class Choreographed:
    """Records what it hears, charges apart from it, and tells."""

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
        self._charging = Charging(context, write=self._write)
        self._to_drive: asyncio.Queue[Noted] = asyncio.Queue()
        self._driving = 0

    async def process(self, charge: Charge) -> Reply:
        """Refuse: payments are asked for by `order.placed`."""
        raise _not_offered(charge.order_id)

    async def cancel(self, order_id: str) -> Reply:
        """Refuse: `order.cancel_requested` asks for it."""
        raise _not_offered(order_id)

    async def refund(self, order_id: str) -> Reply:
        """Refuse: `order.refund_requested` asks for it."""
        raise _not_offered(order_id)

    def record(
        self,
        connection: Connection,
        before: Payment,
        after: Payment,
        *,
        written: Callable[[], None] | None = None,
    ) -> Payment | None:
        """Replace a row with the news of it, which the relay finds at its next tick."""
        return news.write(connection, before, after, self._turn(), written=written)

    def workers(self) -> Sequence[Coroutine[Any, Any, None]]:
        """Return the bus, the relay, the worker that charges and the reconciler."""
        return (
            self._bus.run(self._handle, self._relay.connected),
            self._relay.run(),
            self._work(),
            reconcile(self._context, self._charging),
        )

    async def _handle(self, delivery: Delivery) -> None:
        """Note what order tells; the message is acknowledged when this returns."""
        events = self._context.events
        heard = news.read(delivery)
        noted = await self._noted(heard)
        about = {
            "consumer": heard.consumer,
            "message_id": heard.message_id,
            "topic": heard.topic.value,
        }
        if noted.duplicate:
            events.emit("message.deduplicated", order=heard.order_id, **about)
            return
        if noted.recorded:
            events.emit(
                "payment.recorded", order=heard.order_id, amount_minor=noted.payment.amount_minor
            )
        if noted.settled:
            events.emit("payment.canceled", order=heard.order_id)
        events.emit("message.handled", order=heard.order_id, **about)
        if noted.told:
            self._relay.wake()
        if is_open(noted.payment):
            self._to_drive.put_nowait(noted)

    async def _noted(self, heard: News) -> Noted:
        db, now_ms = self._context.db, self._context.clock.now_ms()
        if heard.charge is None:
            return await db.run(news.want, heard, _tombstone(heard, now_ms), self._turn())
        room = self._driving + self._to_drive.qsize() < AT_ONCE
        fresh = new_payment(
            _id_of(heard.order_id),
            heard.charge,
            phase=Phase.INTENT,
            now_ms=now_ms,
            keys=(f"{heard.order_id}:create:1",),
            lease_until_ms=self._charging.lease_until_ms() if room else 0,
        )
        return await db.run(news.record, heard, fresh, self._turn())

    async def _work(self) -> None:
        """Charge what was recorded, each payment under its lease, until cancelled."""
        async with asyncio.TaskGroup() as charges:
            while True:
                noted = await self._to_drive.get()
                self._driving += 1
                charges.create_task(self._drive(noted))

    async def _drive(self, noted: Noted) -> None:
        """Take one payment a budget further; what goes wrong is left to the reconciler."""
        payment = noted.payment
        try:
            ours = noted.recorded and payment.lease_until_ms > 0
            leased = payment if ours else await self._charging.take_lease(payment)
            if leased is not None:
                await self._charging.drive(leased)
        except DatabaseUnavailable as error:
            sys.stderr.write(f"payment's worker, {payment.order_id}: {error.error}\n")
        except Exception:  # noqa: BLE001 - the outermost boundary of a worker: record it, live on
            sys.stderr.write(f"payment's worker, {payment.order_id}\n{traceback.format_exc()}")
        finally:
            self._driving -= 1
            self._relay.wake()  # a webhook may have settled it, with its news

    async def _write(
        self, before: Payment, after: Payment, *, written: Callable[[], None] | None = None
    ) -> Payment | None:
        """Replace a row with the news of it, and have them sent."""
        turn = self._turn()
        stands = await self._context.db.run(news.write, before, after, turn, written=written)
        if stands is not None and stands.phase is not before.phase:
            self._relay.wake()
        return stands

    def _turn(self) -> Turn:
        return Turn(message_id=self._context.ids.new("msg"), claim=self._relay.claim())


def _tombstone(heard: News, now_ms: int) -> Payment:
    nothing = Charge(
        order_id=heard.order_id, user_id="", amount_minor=0, currency="usd", card=NO_CARD
    )
    return replace(
        new_payment(_id_of(heard.order_id), nothing, phase=Phase.CANCELED, now_ms=now_ms),
        wanted=heard.wanted,
        next_at_ms=None,
        code="canceled",
        message="The order was canceled before its charge arrived.",
    )


def _id_of(order_id: str) -> str:
    """Return the one payment id of an order: the unique column then admits one row."""
    return f"pay_{order_id}"


def _not_offered(order_id: str) -> ServiceError:
    sentence = f"The choreographed strategy hears of {order_id} from the broker, not over HTTP."
    return ServiceError(404, "not_offered", sentence)


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
            "payment_to_broker",
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
