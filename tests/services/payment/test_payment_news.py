"""What order's messages do to a payment: each transaction on a real SQLite file, one at a time."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from services.chassis import inbox, outbox
from services.chassis.database import Database
from services.chassis.delivery import Delivery, Unhandled
from services.chassis.outbox import Claim
from services.chassis.sqlite import SqliteDatabase
from services.payment import news, store
from services.payment.news import News, Noted, Turn
from services.payment.payment import Charge, Payment, Phase, Wanted
from services.payment.recording import new_payment
from services.payment.tables import METADATA

CLAIM = Claim(owner="relay_1", now_ms=0, until_ms=1000)
ORDER = "ord_1"
CHARGE = Charge(
    order_id=ORDER, user_id="ada", amount_minor=4200, currency="usd", card="pm_card_visa"
)
NOTHING = Charge(order_id=ORDER, user_id="", amount_minor=0, currency="usd", card=news.NO_CARD)


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    database = SqliteDatabase.file(
        str(tmp_path / "payment.db"), METADATA, outbox.metadata, inbox.metadata
    )
    yield database
    database.close()


def turn(number: int = 1) -> Turn:
    return Turn(message_id=f"msg_{number}", claim=CLAIM)


def heard(topic: str, message_id: str = "ord_msg_1", **document: Any) -> News:
    body = {
        "orderId": ORDER,
        "userId": "ada",
        "amountMinor": 4200,
        "currency": "usd",
        "paymentMethod": "pm_card_visa",
        **document,
    }
    return news.read(
        Delivery(
            consumer="payment.events",
            message_id=message_id,
            topic=topic,
            order=ORDER,
            body=json.dumps(body).encode(),
            deliveries=1,
        )
    )


async def recorded(db: Database, told: News, number: int = 1) -> Noted:
    assert told.charge is not None
    fresh = new_payment(f"pay_{ORDER}", told.charge, phase=Phase.INTENT, now_ms=0)
    return await db.run(news.record, told, fresh, turn(number))


async def wanted(db: Database, told: News, number: int = 1) -> Noted:
    tombstone = replace(
        new_payment(f"pay_{ORDER}", NOTHING, phase=Phase.CANCELED, now_ms=0),
        wanted=told.wanted,
        next_at_ms=None,
        code="canceled",
    )
    return await db.run(news.want, told, tombstone, turn(number))


async def moved(db: Database, before: Payment, phase: Phase, number: int = 1) -> Payment:
    after = replace(before, phase=phase, next_at_ms=None)
    stands = await db.run(news.write, before, after, turn(number))
    assert stands is not None
    return stands


async def told(db: Database) -> list[str]:
    def found(conn: Connection) -> list[str]:
        return list(conn.execute(text("SELECT topic FROM outbox ORDER BY seq")).scalars())

    return await db.read(found)


async def test_an_order_heard_of_is_recorded_and_nothing_is_told_yet(db: Database) -> None:
    noted = await recorded(db, heard("order.placed"))
    assert (noted.recorded, noted.payment.phase, noted.payment.charge) == (
        True,
        Phase.INTENT,
        CHARGE,
    )
    assert await told(db) == []


async def test_an_order_heard_of_twice_is_recorded_once(db: Database) -> None:
    await recorded(db, heard("order.placed"))
    assert (await recorded(db, heard("order.placed"), 2)).duplicate


async def test_an_order_of_another_amount_under_the_same_id_is_not_believed(db: Database) -> None:
    await recorded(db, heard("order.placed"))
    with pytest.raises(Unhandled, match="recorded with another amount"):
        await recorded(db, heard("order.placed", "ord_msg_2", amountMinor=1), 2)
    assert (await recorded(db, heard("order.placed", "ord_msg_2"), 3)).duplicate is False


async def test_a_settled_charge_and_the_news_of_it_are_one_commit(db: Database) -> None:
    payment = (await recorded(db, heard("order.placed"))).payment
    confirming = await moved(db, payment, Phase.CONFIRMING)
    assert await told(db) == []
    await moved(db, confirming, Phase.COMPLETED)
    (owed,) = await db.read(outbox.unsent_of, "relay_1", 9)
    assert owed.topic == "payment.completed"
    document = json.loads(owed.payload)
    assert (document["orderId"], document["amountMinor"], document["currency"]) == (
        ORDER,
        4200,
        "usd",
    )


async def test_a_write_that_came_too_late_tells_nothing(db: Database) -> None:
    payment = (await recorded(db, heard("order.placed"))).payment
    confirming = await moved(db, payment, Phase.CONFIRMING)
    stale = replace(confirming, fence=confirming.fence - 1)
    after = replace(stale, phase=Phase.COMPLETED, next_at_ms=None)
    assert await db.run(news.write, stale, after, turn(2)) is None
    assert await told(db) == []


async def test_a_cancel_that_overtook_its_order_leaves_a_tombstone_no_charge_passes(
    db: Database,
) -> None:
    canceled = await wanted(db, heard("order.cancel_requested"))
    assert (canceled.settled, canceled.payment.phase) == (True, Phase.CANCELED)
    late = await recorded(db, heard("order.placed", "ord_msg_2"), 2)
    assert (late.recorded, late.payment.phase) == (False, Phase.CANCELED)
    assert await told(db) == ["payment.canceled", "payment.canceled"]


async def test_an_intent_is_canceled_on_the_spot_and_told(db: Database) -> None:
    await recorded(db, heard("order.placed"))
    noted = await wanted(db, heard("order.cancel_requested", "ord_msg_2"), 2)
    assert (noted.settled, noted.payment.phase) == (True, Phase.CANCELED)
    assert await told(db) == ["payment.canceled"]


async def test_a_charge_under_way_is_left_to_the_fence_and_told_when_it_is_settled(
    db: Database,
) -> None:
    payment = (await recorded(db, heard("order.placed"))).payment
    await moved(db, payment, Phase.CONFIRMING)
    noted = await wanted(db, heard("order.cancel_requested", "ord_msg_2"), 2)
    assert (noted.settled, noted.payment.wanted) == (False, Wanted.CANCEL)
    assert await told(db) == []
    await moved(db, noted.payment, Phase.CANCELED, 3)
    assert await told(db) == ["payment.canceled"]


async def test_a_cancel_of_what_was_charged_is_told_that_it_was(db: Database) -> None:
    payment = (await recorded(db, heard("order.placed"))).payment
    await moved(db, await moved(db, payment, Phase.CONFIRMING), Phase.COMPLETED)
    noted = await wanted(db, heard("order.cancel_requested", "ord_msg_2"), 2)
    assert noted.payment.phase is Phase.COMPLETED
    assert await told(db) == ["payment.completed", "payment.completed"]


async def test_a_refund_is_told_once_the_money_is_back(db: Database) -> None:
    payment = (await recorded(db, heard("order.placed"))).payment
    await moved(db, await moved(db, payment, Phase.CONFIRMING), Phase.COMPLETED)
    noted = await wanted(db, heard("order.refund_requested", "ord_msg_2"), 2)
    assert noted.payment.wanted is Wanted.REFUND
    assert await told(db) == ["payment.completed"]
    refunding = await moved(db, noted.payment, Phase.REFUNDING, 3)
    await moved(db, refunding, Phase.REFUNDED, 4)
    assert await told(db) == ["payment.completed", "payment.refunded"]


async def test_the_same_wish_twice_is_one_wish(db: Database) -> None:
    await wanted(db, heard("order.cancel_requested"))
    assert (await wanted(db, heard("order.cancel_requested"), 2)).duplicate
    assert await told(db) == ["payment.canceled"]


async def test_news_not_sent_yet_keep_the_service_undecided(db: Database) -> None:
    await wanted(db, heard("order.cancel_requested"))
    assert (await db.read(store.undecided)).count == 0
    assert (await db.read(news.undecided)).count == 1


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"amountMinor": 0}, "amountMinor"),
        ({"amountMinor": 41.5}, "amountMinor"),
        ({"currency": None}, "currency"),
        ({"paymentMethod": ""}, "paymentMethod"),
        ({"orderId": ["ord_1"]}, "orderId"),
    ],
)
def test_an_order_that_does_not_say_what_to_charge_is_unhandled(
    document: dict[str, Any], why: str
) -> None:
    with pytest.raises(Unhandled, match=why):
        heard("order.placed", **document)
