"""The relay against a publisher made by hand: at least once, in the end, under one id."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from services.chassis import outbox
from services.chassis.background import ended
from services.chassis.bus import Message
from services.chassis.database import Database
from services.chassis.ids import Ids
from services.chassis.logs import EventLog
from services.chassis.messaging import NotPublished
from services.chassis.outbox import Owed
from services.chassis.relay import Relay
from services.chassis.sqlite import SqliteDatabase
from services.order.settings import OrderSettings
from tests.services.order.world import LIMIT_S, HandClock

QUICK = OrderSettings(tick_ms=5, retry_low_ms=1, retry_high_ms=5)


class Broker:
    """Confirms what it is given, unless told how many publications to fail first."""

    def __init__(self) -> None:
        self.heard: list[Message] = []
        self.failing = 0
        self.arrivals: asyncio.Queue[Message] = asyncio.Queue()

    async def publish(self, message: Message) -> None:
        self.heard.append(message)
        self.arrivals.put_nowait(message)
        if self.failing:
            self.failing -= 1
            raise NotPublished("no confirmation")


class Owner:
    """One instance of the service, as far as the relay knows it."""

    def __init__(self, db: Database, clock: HandClock, broker: Broker) -> None:
        self.events: list[Any] = []
        self.clock = clock
        self.db = db
        self.relay = self.made(broker, QUICK)

    def made(self, broker: Broker, settings: OrderSettings) -> Relay:
        """Return a relay of this instance's."""
        log = EventLog(self.clock, fd=None, listener=self.events.append)
        return Relay(broker, settings=settings, db=self.db, clock=self.clock, ids=Ids(), events=log)

    async def owes(self, *names: str) -> None:
        """Commit messages, as the service would beside an order."""
        claim = self.relay.claim()

        def write(conn: Connection) -> None:
            for name in names:
                owed = Owed(id=name, order_id="ord_1", topic="order.placed", payload="{}")
                outbox.add(conn, owed, claim)

        await self.db.run(write)
        self.relay.wake()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        running = asyncio.create_task(self.relay.run())
        try:
            yield
        finally:
            await ended(running)


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    database = SqliteDatabase.file(str(tmp_path / "order.db"), outbox.metadata)
    yield database
    database.close()


@pytest.fixture
def broker() -> Broker:
    return Broker()


async def left_unsent(db: Database, count: int) -> None:
    """Wait until so many messages are not sent."""
    async with asyncio.timeout(LIMIT_S):
        while await db.read(outbox.unsent_count) != count:  # noqa: ASYNC110 - as the tool asks
            await asyncio.sleep(0.001)


async def all_sent(db: Database) -> None:
    await left_unsent(db, 0)


async def test_what_is_committed_is_published_and_marked(db: Database, broker: Broker) -> None:
    owner = Owner(db, HandClock(), broker)
    async with owner.running():
        await owner.owes("msg_1", "msg_2")
        await all_sent(db)
    assert [message.id for message in broker.heard] == ["msg_1", "msg_2"]
    assert [event["kind"] for event in owner.events] == ["outbox.sent", "outbox.sent"]


async def test_what_was_not_confirmed_is_published_again_under_its_id(
    db: Database, broker: Broker
) -> None:
    broker.failing = 3
    owner = Owner(db, HandClock(), broker)
    async with owner.running():
        await owner.owes("msg_1")
        await all_sent(db)
    assert [message.id for message in broker.heard] == ["msg_1"] * 4
    assert [message.attempt for message in broker.heard] == [1, 2, 3, 4]


async def test_a_message_is_not_marked_before_it_is_confirmed(db: Database, broker: Broker) -> None:
    broker.failing = 1_000_000
    owner = Owner(db, HandClock(), broker)
    async with owner.running():
        await owner.owes("msg_1")
        async with asyncio.timeout(LIMIT_S):
            for _ in range(3):
                await broker.arrivals.get()
        assert await db.read(outbox.unsent_count) == 1


async def test_a_new_connection_ends_the_wait(db: Database, broker: Broker) -> None:
    broker.failing = 1
    owner = Owner(db, HandClock(), broker)
    patient = owner.made(
        broker, OrderSettings(tick_ms=60_000, retry_low_ms=60_000, retry_high_ms=60_000)
    )
    owner.relay = patient
    async with owner.running():
        await owner.owes("msg_1")
        async with asyncio.timeout(LIMIT_S):
            await broker.arrivals.get()
            mine = patient.claim().owner
            while (await db.read(outbox.unsent_of, mine, 1))[0].attempts == 0:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.001)
        patient.connected()
        await all_sent(db)


async def test_what_a_dead_instance_left_is_sent_once_its_claim_has_run_out(
    db: Database, broker: Broker
) -> None:
    clock = HandClock()
    dead = Owner(db, clock, broker)
    await dead.owes("msg_1")
    heir = Owner(db, clock, broker)
    async with heir.running():
        await heir.owes("msg_2")
        async with asyncio.timeout(LIMIT_S):
            assert (await broker.arrivals.get()).id == "msg_2"
        await left_unsent(db, 1)
        clock.ahead_ms = 60_000
        await all_sent(db)
    assert [message.id for message in broker.heard] == ["msg_2", "msg_1"]
