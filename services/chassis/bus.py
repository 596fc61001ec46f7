"""RabbitMQ through FastStream: one session after another, each declared, subscribed and proved.

A `Bus` keeps a connection for as long as its `run` lasts. It publishes persistent, mandatory
messages and returns once the broker has confirmed them; it consumes one queue and acknowledges a
message after its handler returned, that is after the commit of its effect.

When a connection breaks, a session is thrown away whole and a new one is built. Healing it in
place loses consumers (ag2ai/faststream#2758) and raises from a channel that looks open
(mosquito/aio-pika#508); a watch asks the broker every second whether it still knows our consumer.
"""

import asyncio
import contextlib
import logging
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aio_pika.exceptions import AMQPError, DeliveryError
from faststream import AckPolicy
from faststream.rabbit import Channel, RabbitBroker, RabbitMessage

from .background import ended
from .clock import Clock
from .consuming import Consuming
from .delivery import ORDER_HEADER, TOPIC_HEADER, Handler
from .health import InFlight
from .http_client import Link
from .http_client import error_of as http_error_of
from .logs import EventLog
from .messaging import LOST, NotPublished, Topology, declare, naming_loss

PREFETCH = 32  # unacknowledged messages: as many commits as one group may share
TIMEOUTS_MAX = 3  # unconfirmed publications in a row, after which the connection is not believed
_OPENING = 10  # times a connection's limit: a session is two dozen questions, one after another

# Both libraries report what is handled here, and to standard error.
for _name in ("aio_pika", "aiormq"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)


class _Refused(NotPublished):
    """There was no connection: this try was not sent."""


class _Returned(NotPublished):
    """The broker has no queue for it, or said no."""


def error_of(error: BaseException) -> str:
    """Return the `call.ended` name of what ended a publication (services/README.md, "Events")."""
    match error:
        case _Refused():
            return "refused"
        case _Returned() | DeliveryError():
            return "unreadable"
        case TimeoutError():
            return "timeout"
        case AMQPError() | RuntimeError():
            return "disconnected"
        case _:
            return http_error_of(error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is to be published: `id` is the outbox row's, the same at every publication."""

    id: str
    topic: str
    order: str
    body: str
    attempt: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BusBudget:
    """How long things may take, scaled, and how often a message may be tried."""

    connect_ms: float
    confirm_ms: float
    reconnect_ms: float
    watch_ms: float
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Session:
    """One connection with everything on it; `lost` is set once, for whatever reason."""

    broker: RabbitBroker
    connection: Any  # aio_pika's
    channel: Any  # aio_pika's channel for publishing and asking
    lost: asyncio.Event


class Bus:
    """One service's end of the broker."""

    def __init__(
        self,
        url: str,
        *,
        topology: Topology,
        consumes: str,
        link: Link,
        budget: BusBudget,
        events: EventLog,
        clock: Clock,
        in_flight: InFlight,
    ) -> None:
        self._url = url
        self._topology = topology
        self._consumes = consumes
        self._link = link
        self._budget = budget
        self._events = events
        self._clock = clock
        self._session: _Session | None = None
        self._told = asyncio.Event()  # whether there is a session is known: yes, or refused
        self._refused = False
        self._timeouts = 0
        self._consuming = Consuming(
            consumes,
            topology=topology,
            send=self._send,
            tries=budget.tries,
            events=events,
            clock=clock,
            in_flight=in_flight,
        )

    async def run(self, handle: Handler, on_connected: Callable[[], None]) -> None:
        """Keep a session up until cancelled; `on_connected` is called for each.

        Each session is a task of its own, so that a cancellation which the libraries lose, or
        make up, is theirs alone.
        """
        while True:
            session = asyncio.create_task(self._one_session(handle, on_connected))
            try:
                await asyncio.wait({session})
            finally:
                await ended(session)
            if session.cancelled() or not session.result():
                await self._clock.sleep_ms(self._budget.reconnect_ms)

    async def _one_session(self, handle: Handler, on_connected: Callable[[], None]) -> bool:
        """Return False at once if none could be had, else True when it is lost."""
        session = await self._opened(handle)
        if session is None:
            return False
        try:
            self._session, self._refused, self._timeouts = session, False, 0
            self._told.set()
            on_connected()
            await self._watch(session)
        finally:
            await self._abandon()
        return True

    async def publish(self, message: Message) -> None:
        """Return once the broker has confirmed `message`; NotPublished when it did not in time."""
        call = self._link.call(
            "publish", attempt=message.attempt, order=message.order, key=message.id
        )
        try:
            with call:
                await self._send(
                    message.body.encode(),
                    exchange=self._topology.events,
                    routing_key=message.topic,
                    message_id=message.id,
                    headers={ORDER_HEADER: message.order, TOPIC_HEADER: message.topic},
                )
        except NotPublished:
            raise
        except LOST as error:
            raise NotPublished(str(error) or type(error).__name__) from error
        self._events.emit(
            "message.published", order=message.order, message_id=message.id, topic=message.topic
        )

    async def _send(self, body: bytes, **how: Any) -> None:
        """Publish and await the confirmation, both within one limit."""
        async with asyncio.timeout(self._budget.confirm_ms / 1000):
            session = await self._present()
            try:
                with naming_loss():
                    await session.broker.publish(
                        body,
                        mandatory=True,
                        persist=True,
                        content_type="application/json",
                        **how,
                    )
            except DeliveryError as error:
                raise _Returned(f"returned by the broker: {error}") from error
            except TimeoutError:
                self._unconfirmed(session)
                raise
            except asyncio.CancelledError:
                self._unconfirmed(session)  # by the limit above, most likely
                raise
            except LOST:
                session.lost.set()
                raise
            self._timeouts = 0

    def _unconfirmed(self, session: _Session) -> None:
        self._timeouts += 1
        if self._timeouts >= TIMEOUTS_MAX:
            session.lost.set()

    async def _present(self) -> _Session:
        """Return the session; without one, wait for it, unless the broker's port refuses."""
        while self._session is None:
            if self._refused:
                raise _Refused("nobody listens where the broker should")
            await self._told.wait()
        return self._session

    # ── sessions ───────────────────────────────────────────────────────────────────────────────

    async def _opened(self, handle: Handler) -> _Session | None:
        """Return a new session whose consumer the broker knows, or None."""
        lost = asyncio.Event()
        broker = RabbitBroker(
            self._url,
            timeout=self._budget.connect_ms / 1000,
            default_channel=Channel(publisher_confirms=True, on_return_raises=True),
            on_close=(lambda *_: lost.set(),),
            graceful_timeout=0,  # what is being handled ends by itself; its message comes again
            logger=None,
            apply_types=False,
        )

        async def consume(message: RabbitMessage) -> None:
            await self._consuming.meet(message, handle)

        subscriber = broker.subscriber(
            self._topology.queue(self._consumes),
            channel=Channel(prefetch_count=PREFETCH),
            ack_policy=AckPolicy.MANUAL,
            decoder=_undecoded,
            no_reply=True,
        )
        subscriber(consume)
        connection = None
        try:
            with naming_loss():
                async with asyncio.timeout(_OPENING * self._budget.connect_ms / 1000):
                    connection = await broker.connect()
                    channel = await connection.channel(publisher_confirms=False)
                    await declare(self._topology, channel)
                    await broker.start()
                    session = _Session(
                        broker=broker, connection=connection, channel=channel, lost=lost
                    )
                    if await self._is_subscribed(session):
                        return session
        except LOST as error:
            # Whatever but silence means that nobody is there to be sent anything.
            self._refused = not isinstance(error, TimeoutError)
            if self._refused:
                self._told.set()
            else:
                self._told.clear()
        except Exception:  # noqa: BLE001 - the outermost boundary of a session: record it, try again
            sys.stderr.write(f"{self._consumes}: no session\n{traceback.format_exc()}")
        except BaseException:
            await _stop(broker, connection)
            raise
        await _stop(broker, connection)
        return None

    async def _watch(self, session: _Session) -> None:
        """Return when the session is lost, or the broker no longer knows its consumer."""
        while not session.lost.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._budget.watch_ms / 1000):
                    await session.lost.wait()
                    return
            try:
                async with asyncio.timeout(2 * self._budget.confirm_ms / 1000):
                    if not await self._is_subscribed(session):
                        return
            except LOST:
                return

    async def _is_subscribed(self, session: _Session) -> bool:
        """Return whether the broker counts a consumer on the queue this service reads."""
        name = self._topology.name(self._consumes)
        with naming_loss():
            underlay = await session.channel.get_underlay_channel()
            declared = await underlay.queue_declare(name, passive=True)
        return bool(declared.consumer_count)

    async def _abandon(self) -> None:
        session, self._session = self._session, None
        self._told.clear()
        if session is not None:
            await _stop(session.broker, session.connection)


async def _undecoded(message: RabbitMessage) -> RabbitMessage:
    """Keep FastStream from reading bodies: what cannot be read must reach the handler too."""
    return message


async def _stop(broker: RabbitBroker, connection: Any) -> None:
    """End a session, whole or broken: FastStream's end, and then surely its connection's.

    FastStream gives up half-way, by an ExceptionGroup, where a subscriber's channel is gone; the
    connection left behind would heal itself, and consume for nobody.
    """
    endings = [broker.stop] if connection is None else [broker.stop, connection.close]
    for ending in endings:
        with contextlib.suppress(Exception):
            async with asyncio.timeout(1):
                await ending()
