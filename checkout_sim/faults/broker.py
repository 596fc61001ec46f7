"""Messages as the tool may meddle with them: on the broker itself, past every proxy.

Implements what the injector and the ledgers need of a broker. Each deed is confirmed by the broker
before it returns. Messages keep their ids and headers, so a consumer cannot tell a copy from a
redelivery. What waits is counted by passive declarations, which change nothing.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from checkout_sim.amqp import within
from checkout_sim.model.broker import CONSUMED_QUEUES, DEAD_QUEUES, RETRY_QUEUES
from checkout_sim.model.errors import FaultNotApplied, LedgerUnreadable, StackDidNotStart
from checkout_sim.model.fault import ORDER_PLACEHOLDER, BrokerFault
from checkout_sim.model.plan import Inject
from checkout_sim.model.seen import Done, ServiceLine, Undecided

if TYPE_CHECKING:
    import aiormq
    from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage

T = TypeVar("T")

LIMIT_S = 5.0
_WAIT_LIMIT_S = 3.0  # for messages to be there, which were confirmed a moment ago
_POLL_S = 0.005
_PAST_TENSE = {"publish": "published", "duplicate": "duplicated", "reverse": "reversed"}
_SHOWN_BYTES = 500


class BrokerDesk:
    """One run's messages; `scope` is the prefix of its queues. Connects on first use."""

    def __init__(self, url: str, scope: str) -> None:
        self._url = url
        self._scope = scope
        self._connection: AbstractConnection | None = None
        self._turn = asyncio.Lock()  # a channel of AMQP answers in order: one question at a time
        self._orders: dict[str, str] = {}  # user → order id

    def before(self, hear: Callable[[ServiceLine], None]) -> Callable[[ServiceLine], None]:
        """Return `hear`, with this desk learning first whose order is whose: messages name one."""

        def both(line: ServiceLine) -> None:
            if line.kind == "order.created" and line.order is not None:
                self._orders[str(line.data.get("user_id"))] = line.order
            hear(line)

        return both

    async def meddle(self, step: Inject, kind: BrokerFault) -> Done:
        """Do it, and return the broker's word. Raises FaultNotApplied."""
        try:
            data = await self._ask(lambda channel: self._deed(channel, step, kind))
        except _failures() as error:
            message = f"fault {step.fault}: the broker did not confirm: {error!r}"
            raise FaultNotApplied(message) from error
        about = {"type": kind.do, "queue": kind.queue, "bounce": False, **data}
        return Done(target=kind.queue, data=about, seen=f"broker.{_PAST_TENSE[kind.do]}")

    async def waiting(self) -> Undecided:
        """Return the messages that are ready in a queue somebody reads, or wait to be tried again.

        Those delivered and not acknowledged are told by their reader, as requests in flight.
        Raises LedgerUnreadable.
        """
        try:
            ready = await self._ask(self._ready)
        except _failures() as error:
            raise LedgerUnreadable(f"the broker does not tell what waits: {error!r}") from error
        return Undecided(
            count=sum(ready.values()),
            ids=tuple(f"{queue}: {count} waiting" for queue, count in ready.items() if count),
            in_flight=0,
            last_seq=None,
        )

    async def ready(self, limit_s: float) -> None:
        """Return once both queues have a reader. Raises StackDidNotStart.

        A service is healthy before it is subscribed, and the first orders would wait for that.
        """
        unread = ", ".join(CONSUMED_QUEUES)  # until the broker has said otherwise
        try:
            async with asyncio.timeout(limit_s):
                while unread:
                    unread = await self._unread()
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            message = (
                f"broker: {unread} had no reader within {limit_s:.0f} s of the services' start"
            )
            raise StackDidNotStart(message) from None

    async def _unread(self) -> str:
        """Return the queues that are not there or that nobody reads."""
        unread = []
        for queue in CONSUMED_QUEUES:
            try:
                consumers = (await self._ask(partial(self._counts, queue))).consumer_count
            except _failures():
                consumers = 0
            if not consumers:
                unread.append(queue)
        return ", ".join(unread)

    async def dead_letters(self) -> Sequence[Mapping[str, Any]]:
        """Return every message in a dead queue, and leave it there. Raises LedgerUnreadable."""
        try:
            return await self._ask(self._dead)
        except _failures() as error:
            raise LedgerUnreadable(
                f"the broker does not tell its dead letters: {error!r}"
            ) from error

    async def close(self) -> None:
        """Close the connection; a second call does nothing."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _ask(self, deed: Callable[["AbstractChannel"], Awaitable[T]]) -> T:
        """Do one thing on a fresh channel, when it is its turn. Raises `_failures()`."""
        async with self._turn:
            return await within(LIMIT_S, self._on_channel(deed))

    async def _on_channel(self, deed: Callable[["AbstractChannel"], Awaitable[T]]) -> T:
        async with self._channel() as channel:
            return await deed(channel)

    async def _counts(
        self, queue: str, channel: "AbstractChannel"
    ) -> "aiormq.spec.Queue.DeclareOk":
        """Return how many messages wait in a queue and how many read it."""
        declared = await channel.declare_queue(self._name(queue), passive=True)
        return declared.declaration_result

    async def _ready(self, channel: "AbstractChannel") -> Mapping[str, int]:
        return {
            queue: (await self._counts(queue, channel)).message_count or 0
            for queue in CONSUMED_QUEUES + RETRY_QUEUES
        }

    async def _dead(self, channel: "AbstractChannel") -> Sequence[Mapping[str, Any]]:
        """Return what is in the dead queues; closing the channel gives all back, in its place."""
        return [
            _as_row(queue, message)
            for queue in DEAD_QUEUES
            for message in await self._look(channel, queue)
        ]

    async def _deed(
        self, channel: "AbstractChannel", step: Inject, kind: BrokerFault
    ) -> Mapping[str, Any]:
        match kind.do:
            case "publish":
                return await self._publish(channel, step, kind)
            case "duplicate":
                return await self._duplicate(channel, kind)
            case "reverse":
                return await self._reverse(channel, kind)

    async def _publish(
        self, channel: "AbstractChannel", step: Inject, kind: BrokerFault
    ) -> Mapping[str, Any]:
        body = kind.body
        if kind.checkout is not None:
            order = self._orders.get(f"shopper-{kind.checkout}")
            if order is None:
                message = f"fault {step.fault}: checkout {kind.checkout} has no order yet"
                raise FaultNotApplied(message)
            body = body.replace(ORDER_PLACEHOLDER, order)
        message_id = f"injected-{step.fault}-{step.window}"
        headers = {"topic": kind.topic} if kind.topic else {}
        await self._put(channel, kind.queue, body.encode(), message_id=message_id, headers=headers)
        return {"message_ids": [message_id], "body": body[:_SHOWN_BYTES]}

    async def _duplicate(self, channel: "AbstractChannel", kind: BrokerFault) -> Mapping[str, Any]:
        taken = await self._take(channel, kind)
        for message in taken:
            await self._put_again(channel, kind.queue, message)
        for message in reversed(taken):
            await message.nack(requeue=True)  # RabbitMQ puts it back in its place
        return {"message_ids": [message.message_id for message in taken]}

    async def _reverse(self, channel: "AbstractChannel", kind: BrokerFault) -> Mapping[str, Any]:
        taken = await self._take(channel, kind)
        for message in reversed(taken):
            await self._put_again(channel, kind.queue, message)
        for message in taken:
            await message.ack()
        return {"message_ids": [message.message_id for message in reversed(taken)]}

    async def _take(
        self, channel: "AbstractChannel", kind: BrokerFault
    ) -> list["AbstractIncomingMessage"]:
        """Hold the first `count` messages, once so many wait; FaultNotApplied when they do not."""
        name = self._name(kind.queue)
        ready = 0
        try:
            async with asyncio.timeout(_WAIT_LIMIT_S):
                while ready < kind.count:
                    queue = await channel.declare_queue(name, passive=True)
                    ready = queue.declaration_result.message_count or 0
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            message = (
                f"{kind.do} on {kind.queue}: {ready} messages waited there within "
                f"{_WAIT_LIMIT_S:.0f} s, expected {kind.count}; is its reader still running?"
            )
            raise FaultNotApplied(message) from None
        return [await queue.get() for _ in range(kind.count)]

    async def _put_again(
        self, channel: "AbstractChannel", queue: str, message: "AbstractIncomingMessage"
    ) -> None:
        headers = dict(message.headers)
        headers.setdefault("topic", message.routing_key)
        await self._put(
            channel, queue, message.body, message_id=message.message_id, headers=headers
        )

    async def _put(
        self,
        channel: "AbstractChannel",
        queue: str,
        body: bytes,
        *,
        message_id: str | None,
        headers: Mapping[str, Any],
    ) -> None:
        """Publish to one queue, persistent; returns when the broker has confirmed."""
        import aio_pika  # noqa: PLC0415 - 60 ms that no other strategy needs to pay

        message = aio_pika.Message(
            body,
            message_id=message_id,
            headers=dict(headers),
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        await channel.default_exchange.publish(message, routing_key=self._name(queue))

    async def _look(
        self, channel: "AbstractChannel", queue: str
    ) -> list["AbstractIncomingMessage"]:
        found = []
        declared = await channel.declare_queue(self._name(queue), passive=True)
        while (message := await declared.get(fail=False)) is not None:
            found.append(message)
        return found

    @asynccontextmanager
    async def _channel(self) -> AsyncIterator["AbstractChannel"]:
        """Yield a fresh channel that raises what comes back, on a connection that works."""
        import aio_pika  # noqa: PLC0415 - as above

        if self._connection is None or self._connection.is_closed:
            self._connection = await aio_pika.connect(self._url)
        try:
            channel = await self._connection.channel(on_return_raises=True)
        except Exception:
            await self.close()
            raise
        try:
            yield channel
        finally:
            await channel.close()

    def _name(self, queue: str) -> str:
        return f"{self._scope}.{queue}"


def _as_row(queue: str, message: "AbstractIncomingMessage") -> Mapping[str, Any]:
    """Return a dead letter as the ledger shows it: what it was, and why it is here."""
    headers = message.headers
    order = headers.get("order-id")
    return {
        "queue": queue,
        "message_id": message.message_id,
        "order_id": order if isinstance(order, str) else None,
        "topic": _text(headers.get("topic")),
        "reason": _text(headers.get("reason")),
        "body": message.body[:_SHOWN_BYTES].decode(errors="replace"),
    }


def _text(value: object) -> str | None:
    return None if value is None else value if isinstance(value, str) else json.dumps(str(value))


def _failures() -> tuple[type[Exception], ...]:
    import aio_pika  # noqa: PLC0415 - as above

    return (OSError, aio_pika.exceptions.AMQPError, RuntimeError)  # OSError: TimeoutError too
