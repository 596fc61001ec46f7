"""What becomes of a delivery: handled and acknowledged, tried again later, or set aside for good.

An acknowledgement follows the handler's return, that is the commit of the effect. What cannot be
handled is rejected into the retry queue; after its tries it is put into the dead queue, confirmed,
and acknowledged only then. A database that is down is no fault of a message: it is held meanwhile.
"""

import sys
import traceback
from collections.abc import Awaitable, Callable, Mapping

from aio_pika.abc import AbstractIncomingMessage
from faststream.rabbit import RabbitExchange, RabbitMessage

from .clock import Clock
from .delivery import ORDER_HEADER, TOPIC_HEADER, Delivery, Handler, Unhandled, rejections_of
from .errors import DatabaseUnavailable
from .health import InFlight
from .logs import EventLog
from .messaging import LOST, NotPublished, Topology, naming_loss

_HELD_MS = 100.0

Send = Callable[..., Awaitable[None]]  # Bus's: returns once the broker has confirmed


class Consuming:
    """One queue's reader, whatever session its messages come by."""

    def __init__(
        self,
        consumer: str,
        *,
        topology: Topology,
        send: Send,
        tries: int,
        events: EventLog,
        clock: Clock,
        in_flight: InFlight,
    ) -> None:
        self._consumer = consumer
        self._topology = topology
        self._send = send
        self._tries = tries
        self._events = events
        self._clock = clock
        self._in_flight = in_flight  # messages too: received, and not yet acknowledged

    async def meet(self, message: RabbitMessage, handle: Handler) -> None:
        """Handle one delivery and answer for it; what a dead channel cannot be told comes again."""
        delivery = self._delivery(message.raw_message)
        self._in_flight.count += 1
        try:
            self._events.emit(
                "message.received",
                order=delivery.order,
                consumer=delivery.consumer,
                message_id=delivery.message_id,
                deliveries=delivery.deliveries,
            )
            problem = await self._handled(delivery, handle)
            with naming_loss():
                if problem is None:
                    await message.ack()
                elif delivery.deliveries < self._tries:
                    await message.reject(requeue=False)  # to the retry queue
                else:
                    await self._bury(delivery, problem)
                    await message.ack()
        except (*LOST, NotPublished):
            return
        finally:
            self._in_flight.count -= 1

    async def _handled(self, delivery: Delivery, handle: Handler) -> str | None:
        """Return None after the commit, or why the message cannot be handled."""
        while True:
            try:
                await handle(delivery)
            except Unhandled as problem:
                return str(problem)
            except DatabaseUnavailable as error:
                # Hold the message: the database being down is no fault of it (R9).
                sys.stderr.write(f"{self._consumer}: {error.error}\n")
                await self._clock.sleep_ms(_HELD_MS)
            except Exception:  # noqa: BLE001 - the outermost boundary of a consumer: record it
                sys.stderr.write(f"{self._consumer}\n{traceback.format_exc()}")
                return "it broke its consumer"
            else:
                return None

    async def _bury(self, delivery: Delivery, problem: str) -> None:
        """Put a message that cannot be handled into the dead queue, confirmed. No outcome."""
        headers: Mapping[str, str | None] = {
            "reason": problem,
            TOPIC_HEADER: delivery.topic,
            **({} if delivery.order is None else {ORDER_HEADER: delivery.order}),
        }
        await self._send(
            delivery.body,
            exchange=RabbitExchange(),
            routing_key=self._topology.dead(self._consumer),
            message_id=delivery.message_id,
            headers=headers,
        )
        self._events.emit(
            "message.dead_lettered",
            order=delivery.order,
            consumer=delivery.consumer,
            message_id=delivery.message_id,
            deliveries=delivery.deliveries,
            reason=problem,
        )

    def _delivery(self, raw: AbstractIncomingMessage) -> Delivery:
        order = raw.headers.get(ORDER_HEADER)
        queue = self._topology.name(self._consumer)
        return Delivery(
            consumer=self._consumer,
            message_id=raw.message_id,
            topic=str(raw.headers.get(TOPIC_HEADER) or raw.routing_key or ""),
            order=order if isinstance(order, str) else None,
            body=raw.body,
            deliveries=1 + rejections_of(raw.headers, queue),
        )
