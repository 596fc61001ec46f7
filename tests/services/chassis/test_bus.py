"""A bus ends when it is told to, whatever the libraries below it make of the word."""

import asyncio

import pytest

from services.chassis.bus import Bus, BusBudget, error_of
from services.chassis.clock import SystemClock
from services.chassis.delivery import Delivery, Handler
from services.chassis.health import InFlight
from services.chassis.http_client import Link
from services.chassis.ids import Ids
from services.chassis.logs import EventLog
from services.chassis.messaging import Topology

LIMIT_S = 20


class Opening(Bus):
    """A bus whose library, while it connects, takes a cancellation for a broken connection."""

    def __init__(self) -> None:
        clock = SystemClock()
        events = EventLog(clock, fd=None)
        super().__init__(
            "amqp://nowhere",
            topology=Topology(prefix="test", retry_ms=20),
            consumes="order.events",
            link=Link("order_to_broker", events=events, clock=clock, ids=Ids(), error_of=error_of),
            budget=BusBudget(
                connect_ms=1_000, confirm_ms=1_000, reconnect_ms=1, watch_ms=10, tries=1
            ),
            events=events,
            clock=clock,
            in_flight=InFlight(),
        )
        self.openings = 0
        self.opening = asyncio.Event()
        self.makes_one_up = False

    async def _opened(self, handle: Handler) -> None:  # noqa: ARG002 - nothing is ever handled
        self.openings += 1
        if self.makes_one_up and self.openings == 1:
            raise asyncio.CancelledError
        self.opening.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return


async def never(delivery: Delivery) -> None:
    raise AssertionError(f"nothing was sent, yet this came: {delivery}")


async def test_a_cancellation_that_is_lost_as_it_connects_ends_it_all_the_same() -> None:
    bus = Opening()
    running = asyncio.create_task(bus.run(never, lambda: None))
    await bus.opening.wait()
    running.cancel()
    await asyncio.wait({running}, timeout=LIMIT_S)

    assert running.cancelled()
    assert bus.openings == 1


async def test_a_cancellation_that_nobody_asked_for_costs_a_session_and_no_more() -> None:
    bus = Opening()
    bus.makes_one_up = True
    running = asyncio.create_task(bus.run(never, lambda: None))
    async with asyncio.timeout(LIMIT_S):
        await bus.opening.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert bus.openings == 2
