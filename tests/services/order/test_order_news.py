"""What payment's news does to an order: each transaction on a real SQLite file, one at a time."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from services.chassis import inbox, outbox
from services.chassis.database import Database
from services.chassis.delivery import Delivery, Unhandled
from services.chassis.outbox import Claim
from services.chassis.sqlite import SqliteDatabase
from services.order import news, store
from services.order.cart import Line
from services.order.commits import Fresh, Intent, Known
from services.order.news import Effect, News, Turn
from services.order.order import Order, Status
from services.order.tables import metadata

MUG = Line(product_id="mug", quantity=1, price_minor=4200)
CLAIM = Claim(owner="relay_1", now_ms=0, until_ms=1000)
ORDER = "ord_1"


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    database = SqliteDatabase.file(
        str(tmp_path / "order.db"), metadata, outbox.metadata, inbox.metadata
    )
    yield database
    database.close()


def turn(number: int = 1) -> Turn:
    return Turn(message_id=f"msg_{number}", claim=CLAIM)


async def placed(db: Database) -> Fresh | Known:
    await db.run(store.add_to_cart, "ada", MUG, 0)
    intent = Intent(
        order_id=ORDER,
        user_id="ada",
        card="pm_card_visa",
        client_key="k",
        request_hash="h",
        now_ms=0,
        lease_until_ms=4000,
    )
    return await db.run(news.place, intent, turn())


def told(topic: str, message_id: str = "pay_1", **document: Any) -> Delivery:
    body = {"orderId": ORDER, "amountMinor": 4200, "currency": "usd", **document}
    return Delivery(
        consumer="order.events",
        message_id=message_id,
        topic=topic,
        order=ORDER,
        body=json.dumps(body).encode(),
        deliveries=1,
    )


def completed(message_id: str = "pay_1", **document: Any) -> News:
    return news.read(told("payment.completed", message_id, **document))


async def order_in(db: Database) -> Order:
    order = await db.read(store.order_by_id, ORDER)
    assert order is not None
    return order


async def topics(db: Database) -> list[str]:
    def found(conn: Connection) -> list[str]:
        return list(conn.execute(text("SELECT topic FROM outbox ORDER BY seq")).scalars())

    return await db.read(found)


async def handled(db: Database) -> int:
    def found(conn: Connection) -> int:
        return int(conn.execute(text("SELECT COUNT(*) FROM inbox")).scalar_one())

    return await db.read(found)


async def test_an_order_and_the_news_of_it_are_one_commit(db: Database) -> None:
    assert isinstance(await placed(db), Fresh)
    (owed,) = await db.read(outbox.unsent_of, "relay_1", 9)
    assert (owed.id, owed.topic) == ("msg_1", "order.placed")
    assert json.loads(owed.payload) == {
        "orderId": ORDER,
        "userId": "ada",
        "amountMinor": 4200,
        "currency": "usd",
        "paymentMethod": "pm_card_visa",
    }


async def test_an_order_placed_again_is_not_told_again(db: Database) -> None:
    await placed(db)
    assert isinstance(await placed(db), Known)
    assert await topics(db) == ["order.placed"]


async def test_an_order_whose_transaction_fails_is_told_to_nobody(db: Database) -> None:
    await placed(db)

    def refused(conn: Connection) -> None:
        news.want_cancel(conn, ORDER, turn(2))
        raise RuntimeError("the transaction is given up")

    with pytest.raises(RuntimeError):
        await db.run(refused)
    assert await topics(db) == ["order.placed"]
    assert not (await order_in(db)).cancel_wanted


async def test_a_paid_order_is_confirmed_and_its_lines_leave_the_cart(db: Database) -> None:
    await placed(db)
    assert await db.run(news.apply, completed(), turn(2)) is Effect.CONFIRMED
    assert (await order_in(db)).status is Status.CONFIRMED
    assert await db.read(store.lines_of, "ada") == ()


async def test_news_that_come_twice_do_nothing_twice(db: Database) -> None:
    await placed(db)
    await db.run(news.apply, completed(), turn(2))
    assert await db.run(news.apply, completed(), turn(3)) is Effect.DUPLICATE
    assert await handled(db) == 1


async def test_the_same_news_under_another_id_change_nothing_any_more(db: Database) -> None:
    await placed(db)
    await db.run(news.apply, completed(), turn(2))
    assert await db.run(news.apply, completed("pay_2"), turn(3)) is Effect.NONE


@pytest.mark.parametrize("lie", [{"amountMinor": 4199}, {"currency": "eur"}])
async def test_news_of_another_amount_are_not_believed_and_leave_no_trace(
    db: Database, lie: dict[str, Any]
) -> None:
    await placed(db)
    with pytest.raises(Unhandled, match="are due"):
        await db.run(news.apply, completed(**lie), turn(2))
    assert (await order_in(db)).status is Status.PENDING
    assert await handled(db) == 0


async def test_news_of_an_unknown_order_wait_for_it(db: Database) -> None:
    with pytest.raises(Unhandled, match="no order ord_1"):
        await db.run(news.apply, completed(), turn())
    assert await handled(db) == 0
    await placed(db)
    assert await db.run(news.apply, completed(), turn(2)) is Effect.CONFIRMED


async def test_a_failed_payment_fails_the_order_and_gives_the_cart_back(db: Database) -> None:
    await placed(db)
    failed = news.read(told("payment.failed", code="card_declined"))
    assert await db.run(news.apply, failed, turn(2)) is Effect.FAILED
    order = await order_in(db)
    assert (order.status, order.reason) == (Status.FAILED, "card_declined")
    assert await db.read(store.lines_of, "ada") == (MUG,)


async def test_a_late_failure_does_not_take_a_confirmation_back(db: Database) -> None:
    await placed(db)
    await db.run(news.apply, completed(), turn(2))
    failed = news.read(told("payment.failed", "pay_2"))
    assert await db.run(news.apply, failed, turn(3)) is Effect.NONE
    assert (await order_in(db)).status is Status.CONFIRMED


async def test_an_order_wanted_back_is_not_confirmed_but_paid_back(db: Database) -> None:
    await placed(db)
    assert await db.run(news.want_cancel, ORDER, turn(2))
    assert await db.run(news.apply, completed(), turn(3)) is Effect.TOLD
    assert (await order_in(db)).status is Status.PENDING
    assert await topics(db) == ["order.placed", "order.cancel_requested", "order.refund_requested"]
    refunded = news.read(told("payment.refunded", "pay_2"))
    assert await db.run(news.apply, refunded, turn(4)) is Effect.CANCELED
    assert (await order_in(db)).status is Status.CANCELED


async def test_a_charge_found_after_the_rollback_is_paid_back(db: Database) -> None:
    await placed(db)
    canceled = news.read(told("payment.canceled"))
    assert await db.run(news.apply, canceled, turn(2)) is Effect.CANCELED
    assert await db.run(news.apply, completed("pay_2"), turn(3)) is Effect.TOLD
    assert (await topics(db))[-1] == "order.refund_requested"


async def test_a_second_cancel_asks_nobody_again(db: Database) -> None:
    await placed(db)
    assert await db.run(news.want_cancel, ORDER, turn(2))
    assert not await db.run(news.want_cancel, ORDER, turn(3))
    assert await topics(db) == ["order.placed", "order.cancel_requested"]


async def test_the_sweeper_leaves_young_orders_alone(db: Database) -> None:
    await placed(db)
    assert await db.run(news.sweep, 3999, 6000, (turn(2),)) == []
    assert await topics(db) == ["order.placed"]


async def test_the_sweeper_asks_about_an_old_order_and_moves_it_nowhere(db: Database) -> None:
    await placed(db)
    assert await db.run(news.sweep, 4000, 6000, (turn(2),)) == [ORDER]
    assert await topics(db) == ["order.placed", "order.cancel_requested"]
    order = await order_in(db)
    assert (order.status, order.cancel_wanted) == (Status.PENDING, False)
    assert await db.run(news.sweep, 5999, 8000, (turn(3),)) == []
    assert await db.run(news.sweep, 6000, 8000, (turn(3),)) == [ORDER]


async def test_a_swept_order_that_was_charged_goes_forward(db: Database) -> None:
    await placed(db)
    await db.run(news.sweep, 4000, 6000, (turn(2),))
    assert await db.run(news.apply, completed(), turn(3)) is Effect.CONFIRMED


async def test_a_message_not_sent_yet_keeps_the_service_undecided(db: Database) -> None:
    await placed(db)
    await db.run(news.apply, completed(), turn(2))
    assert (await db.read(news.undecided)).count == 1
    await db.run(outbox.mark, ["msg_1"], [], CLAIM)
    assert (await db.read(news.undecided)).count == 0


@pytest.mark.parametrize(
    ("delivery", "why"),
    [
        (told("payment.completed", message_id=""), "no message id"),
        (told("payment.invented"), "nothing is known of the topic"),
        (told("payment.completed", orderId=7), "orderId"),
        (told("payment.completed", amountMinor="42"), "amountMinor"),
        (told("payment.completed", amountMinor=True), "amountMinor"),
    ],
)
def test_what_cannot_be_read_is_said_to_be_so(delivery: Delivery, why: str) -> None:
    if not delivery.message_id:
        delivery = Delivery(
            consumer="order.events",
            message_id=None,
            topic=delivery.topic,
            order=None,
            body=delivery.body,
            deliveries=1,
        )
    with pytest.raises(Unhandled, match=why):
        news.read(delivery)


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b'"order"', b"{"])
def test_a_body_that_is_no_object_is_unhandled_and_not_a_crash(body: bytes) -> None:
    delivery = Delivery(
        consumer="order.events",
        message_id="m",
        topic="payment.failed",
        order=None,
        body=body,
        deliveries=1,
    )
    with pytest.raises(Unhandled, match="the body is not"):
        news.read(delivery)
