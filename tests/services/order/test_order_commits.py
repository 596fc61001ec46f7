"""The hardened transactions on a real SQLite file: fences, end states and claims, one at a time.

Through the routes a fence and an end state hide each other's absence; here each stands alone.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from services.chassis.database import Database, UniqueViolated
from services.chassis.sqlite import SqliteDatabase
from services.order import commits, store
from services.order.answers import Charged
from services.order.cart import Line
from services.order.commits import Fresh, Intent, Known
from services.order.order import Lease, Order, Status
from services.order.tables import metadata

PAID = Charged(amount_minor=4200, currency="usd")
MUG = Line(product_id="mug", quantity=1, price_minor=4200)


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    database = SqliteDatabase.file(str(tmp_path / "order.db"), metadata)
    yield database
    database.close()


async def placed(db: Database, name: str = "ord_1", *, key: str | None = None) -> Fresh | Known:
    intent = Intent(
        order_id=name,
        user_id="ada",
        card="pm_card_visa",
        client_key=key,
        request_hash="h",
        now_ms=0,
        lease_until_ms=4000,
    )
    return await db.run(commits.admit, intent)


async def fresh(db: Database, name: str = "ord_1") -> tuple[Order, Lease]:
    await db.run(store.add_to_cart, "ada", MUG, 0)
    admitted = await placed(db, name)
    assert isinstance(admitted, Fresh)
    return admitted.order, admitted.lease


async def status(db: Database, order: Order) -> Status:
    found = await db.read(store.order_by_id, order.id)
    assert found is not None
    return found.status


def claims(conn: Connection) -> list[str | None]:
    return list(conn.execute(text("SELECT cart_claim FROM orders ORDER BY seq")).scalars())


async def test_a_lease_with_an_older_fence_writes_nothing(db: Database) -> None:
    order, lease = await fresh(db)
    (due,) = await db.run(commits.lease_due, 5000, 9000, 16)
    assert due.lease == replace(lease, fence=lease.fence + 1)
    assert not await db.run(commits.confirm, order, lease, PAID)
    assert not await db.run(commits.roll_back, order, lease, Status.FAILED, "late")
    assert not await db.run(commits.postpone, lease, 0)
    assert not await db.run(commits.renew, lease, 99_000)
    assert await status(db, order) is Status.PENDING
    assert await db.run(commits.confirm, order, due.lease, PAID)


@pytest.mark.parametrize("end", [Status.CONFIRMED, Status.FAILED, Status.CANCELED])
async def test_an_ended_order_moves_no_more_even_for_its_owner(db: Database, end: Status) -> None:
    order, lease = await fresh(db)
    if end is Status.CONFIRMED:
        assert await db.run(commits.confirm, order, lease, PAID)
    else:
        assert await db.run(commits.roll_back, order, lease, end, "why")
    assert not await db.run(commits.confirm, order, lease, PAID)
    assert not await db.run(commits.roll_back, order, lease, Status.FAILED, "again")
    assert not await db.run(commits.postpone, lease, 0)
    assert not await db.run(commits.renew, lease, 99_000)
    assert not await db.run(commits.want_cancel, order.id, "shopper_canceled")
    assert await db.run(commits.lease_due, 99_000, 99_000, 16) == []
    assert await status(db, order) is end


async def test_no_lease_is_taken_before_the_last_one_has_run_out(db: Database) -> None:
    await fresh(db)
    assert await db.run(commits.lease_due, 3999, 9000, 16) == []
    assert not await db.read(commits.is_any_due, 3999)
    assert await db.read(commits.is_any_due, 4000)
    assert len(await db.run(commits.lease_due, 4000, 9000, 16)) == 1
    assert await db.run(commits.lease_due, 4000, 9000, 16) == []


async def test_a_postponed_order_is_due_at_its_time_and_counts_its_attempts(db: Database) -> None:
    _, lease = await fresh(db)
    assert await db.run(commits.postpone, lease, 700)
    assert await db.run(commits.lease_due, 699, 9000, 16) == []
    (due,) = await db.run(commits.lease_due, 700, 9000, 16)
    assert due.attempts == 1


@pytest.mark.parametrize("paid", [replace(PAID, amount_minor=4199), replace(PAID, currency="eur")])
async def test_only_the_right_amount_in_the_right_currency_confirms(
    db: Database, paid: Charged
) -> None:
    order, lease = await fresh(db)
    assert not await db.run(commits.confirm, order, lease, paid)
    assert await status(db, order) is Status.PENDING


async def test_an_order_wanted_back_is_not_confirmed(db: Database) -> None:
    order, lease = await fresh(db)
    assert await db.run(commits.want_cancel, order.id, "shopper_canceled")
    assert not await db.run(commits.want_cancel, order.id, "shopper_canceled")
    assert not await db.run(commits.confirm, order, lease, PAID)


async def test_a_rollback_gives_lines_and_claim_back(db: Database) -> None:
    order, lease = await fresh(db)
    assert await db.read(claims) == ["ada:1"]
    assert isinstance(await placed(db, "ord_2"), Known)
    await db.run(commits.roll_back, order, lease, Status.FAILED, "card_declined")
    assert isinstance(await placed(db, "ord_2"), Fresh)
    assert await db.read(claims) == [None, "ada:2"]


async def test_two_live_orders_of_one_cart_version_cannot_be_written(db: Database) -> None:
    order, _ = await fresh(db)
    twin = replace(order, id="ord_2")
    with pytest.raises(UniqueViolated, match=r"orders\.cart_claim"):
        await db.run(_add_claimed, twin)


async def test_a_key_and_its_order_are_written_together_or_not_at_all(db: Database) -> None:
    await db.run(store.add_to_cart, "ada", MUG, 0)
    await placed(db, "ord_1", key="k1")
    await db.run(store.add_to_cart, "ada", MUG, 0)
    with pytest.raises(UniqueViolated, match=r"orders\.id"):
        await placed(db, "ord_1", key="k2")  # the id collides after the key was free
    assert isinstance(await placed(db, "ord_2", key="k2"), Fresh)


def _add_claimed(conn: Connection, order: Order) -> None:
    store.add_order(conn, order, cart_claim="ada:1")
