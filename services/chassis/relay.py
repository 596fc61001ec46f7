"""The relay: publishes what the outbox holds, and marks as sent what the broker has confirmed.

At least once: a crash between the confirmation and its mark publishes again, under the same id,
which the reader's inbox knows. Woken after each commit that wrote a row; otherwise it looks every
tick, for rows whose writer died. While nothing can be published it waits and tries again, longer
each time; a new connection ends the wait.
"""

import asyncio
import sys
from typing import Protocol

from . import outbox
from .bus import Message
from .clock import Clock
from .database import Database
from .errors import DatabaseUnavailable
from .ids import Ids
from .logs import EventLog
from .messaging import NotPublished
from .outbox import Claim, Owed

BATCH = 64  # messages on their way to the broker at once, confirmed together


class Publisher(Protocol):
    """What is needed of the bus."""

    async def publish(self, message: Message) -> None:
        """Return once the broker has confirmed it; NotPublished otherwise."""
        ...


class RelaySettings(Protocol):
    """What is needed of a service's settings."""

    @property
    def service(self) -> str:
        """Whose relay this is."""
        ...

    @property
    def broker_confirm_ms(self) -> float:
        """How long a publication may take."""
        ...

    @property
    def tick_ms(self) -> float:
        """How long to wait before looking again where nothing wakes it."""
        ...

    @property
    def retry_low_ms(self) -> float:
        """The first wait after a publication that failed."""
        ...

    @property
    def retry_high_ms(self) -> float:
        """The longest."""
        ...

    def scaled(self, ms: float) -> float:
        """Return a budget as this run counts it."""
        ...


class Relay:
    """Sends this process's messages; `claim` is what its writers put beside a new row."""

    def __init__(
        self,
        publisher: Publisher,
        *,
        settings: RelaySettings,
        db: Database,
        clock: Clock,
        ids: Ids,
        events: EventLog,
    ) -> None:
        self._publisher = publisher
        self._settings = settings
        self._db = db
        self._clock = clock
        self._events = events
        self._owner = ids.new("relay")
        self._woken = asyncio.Event()
        self._connected = asyncio.Event()

    def claim(self) -> Claim:
        """Return the claim of a row written or taken over now."""
        settings = self._settings
        now_ms = self._clock.now_ms()
        # Longer than a publication may take: whoever lives has sent or renewed it by then.
        until_ms = now_ms + round(2 * settings.scaled(settings.broker_confirm_ms))
        return Claim(owner=self._owner, now_ms=now_ms, until_ms=until_ms)

    def wake(self) -> None:
        """Look at once: something was committed."""
        self._woken.set()

    def connected(self) -> None:
        """Try again at once: the broker is there."""
        self._connected.set()
        self._woken.set()

    async def run(self) -> None:
        """Relay until cancelled."""
        settings = self._settings
        low_ms, high_ms = (
            settings.scaled(settings.retry_low_ms),
            settings.scaled(settings.retry_high_ms),
        )
        tick_ms, wait_ms = settings.scaled(settings.tick_ms), low_ms
        while True:
            self._woken.clear()
            self._connected.clear()
            if await self._send_batches():
                wait_ms = low_ms
                await _first_of(self._woken, tick_ms)
            else:
                await _first_of(self._connected, wait_ms)
                wait_ms = min(high_ms, 2 * wait_ms)

    async def _send_batches(self) -> bool:
        """Send until nothing is left; False when something could not be published or marked."""
        db = self._db
        try:
            if await db.read(outbox.is_any_abandoned, self.claim()):
                await db.run(outbox.take_over, self.claim(), BATCH)
            while owed := await db.read(outbox.unsent_of, self._owner, BATCH):
                confirmed = await asyncio.gather(*(self._published(one) for one in owed))
                sent = [one for one, done in zip(owed, confirmed, strict=True) if done]
                unsent = [one.id for one, done in zip(owed, confirmed, strict=True) if not done]
                await db.run(outbox.mark, [one.id for one in sent], unsent, self.claim())
                for one in sent:
                    self._events.emit(
                        "outbox.sent", order=one.order_id, message_id=one.id, topic=one.topic
                    )
                if unsent:
                    return False
        except DatabaseUnavailable as error:
            sys.stderr.write(f"{self._settings.service}'s relay: {error.error}\n")
            return False
        return True

    async def _published(self, owed: Owed) -> bool:
        message = Message(
            id=owed.id,
            topic=owed.topic,
            order=owed.order_id,
            body=owed.payload,
            attempt=owed.attempts + 1,
        )
        try:
            await self._publisher.publish(message)
        except NotPublished:
            return False
        return True


async def _first_of(event: asyncio.Event, limit_ms: float) -> None:
    """Wait for the event, so long at most."""
    try:
        async with asyncio.timeout(limit_ms / 1000):
            await event.wait()
    except TimeoutError:
        return
