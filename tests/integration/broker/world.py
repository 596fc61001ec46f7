"""A bus in hand: what it heard, what it emitted, and how its next messages are to be met."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from services.chassis.background import ended
from services.chassis.bus import Bus, BusBudget, Message, error_of
from services.chassis.clock import SystemClock
from services.chassis.delivery import Delivery
from services.chassis.health import InFlight
from services.chassis.http_client import Link
from services.chassis.ids import Ids
from services.chassis.logs import EventLog
from services.chassis.messaging import Topology

LIMIT_S = 30.0
TRIES = 3


class Reader:
    """One service's end: reads `queue`, and is met by `failures` before it handles anything."""

    def __init__(
        self,
        url: str,
        prefix: str,
        queue: str,
        *,
        confirm_ms: float = 10_000,
        watch_ms: float = 100,
    ) -> None:
        self.events: list[Mapping[str, Any]] = []
        self.handled: list[Delivery] = []
        self.failures: deque[BaseException] = deque()
        self.always: BaseException | None = None
        self.connections = 0
        self._changed = asyncio.Event()
        clock = SystemClock()
        log = EventLog(clock, fd=None, listener=self._emitted)
        self.bus = Bus(
            url,
            topology=Topology(prefix=prefix, retry_ms=20),
            consumes=queue,
            link=Link("order_to_broker", events=log, clock=clock, ids=Ids(), error_of=error_of),
            budget=BusBudget(
                connect_ms=10_000,
                confirm_ms=confirm_ms,
                reconnect_ms=10,
                watch_ms=watch_ms,
                tries=TRIES,
            ),
            events=log,
            clock=clock,
            in_flight=InFlight(),
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Reader"]:
        running = asyncio.create_task(self.bus.run(self._handle, self._connected))
        try:
            yield self
        finally:
            await ended(running)

    async def until_connected(self, times: int = 1) -> None:
        """Wait for so many sessions, in all."""
        await self._until(lambda: self.connections >= times)

    async def until_handled(self, count: int = 1) -> None:
        """Wait for so many handled messages, in all."""
        await self._until(lambda: len(self.handled) >= count)

    async def until_emitted(self, kind: str, count: int = 1) -> list[Mapping[str, Any]]:
        """Wait for so many events of a kind, in all, and return them."""
        await self._until(lambda: len(self.emitted(kind)) >= count)
        return self.emitted(kind)

    def emitted(self, kind: str) -> list[Mapping[str, Any]]:
        return [event for event in self.events if event["kind"] == kind]

    async def _until(self, holds: Any) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    async def _handle(self, delivery: Delivery) -> None:
        if self.always is not None:
            raise self.always
        if self.failures:
            raise self.failures.popleft()
        self.handled.append(delivery)
        self._changed.set()

    def _connected(self) -> None:
        self.connections += 1
        self._changed.set()

    def _emitted(self, event: Mapping[str, Any]) -> None:
        self.events.append(event)
        self._changed.set()


def placed(name: str = "msg_1", body: str = '{"orderId": "ord_1"}') -> Message:
    return Message(id=name, topic="order.placed", order="ord_1", body=body)
