"""R9 on SQLite: a COMMIT of unknown fate is read again, whichever way it went."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Concatenate

import httpx
import pytest
from sqlalchemy import Connection

from services.chassis.clock import SystemClock
from services.chassis.database import Database, P, T
from services.chassis.errors import DatabaseUnavailable
from services.chassis.ids import Ids
from services.chassis.logs import EventLog
from services.chassis.sqlite import SqliteDatabase
from services.order.app import create_app
from services.order.settings import OrderSettings
from services.order.tables import metadata
from tests.services.order.world import MUG, PaymentDouble


class TakenBack(Exception):
    """Undoes a transaction from inside."""


class Doubtful(Database):
    """A real database whose next COMMIT of a function, by its name, is not answered."""

    def __init__(self, real: SqliteDatabase) -> None:
        self._real = real
        self._lost: tuple[str, bool] | None = None

    def lose(self, name: str, *, stands: bool) -> None:
        self._lost = (name, stands)

    async def run(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        if self._lost is None or fn.__name__ != self._lost[0]:
            return await self._real.run(fn, *args, **kwargs)
        stands, self._lost = self._lost[1], None

        def carried_out(connection: Connection) -> None:
            fn(connection, *args, **kwargs)
            if not stands:
                raise TakenBack

        with contextlib.suppress(TakenBack):
            await self._real.run(carried_out)
        raise DatabaseUnavailable("COMMIT was not answered", definite=False)

    async def read(
        self, fn: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await self._real.read(fn, *args, **kwargs)

    async def healthy(self) -> bool:
        return await self._real.healthy()

    def close(self) -> None:
        self._real.close()


@pytest.fixture
def database(tmp_path: Path) -> Doubtful:
    return Doubtful(SqliteDatabase.file(str(tmp_path / "order.db"), metadata))


@pytest.fixture
def payment() -> PaymentDouble:
    return PaymentDouble()


@pytest.fixture
async def shop(database: Doubtful, payment: PaymentDouble) -> AsyncIterator[httpx.AsyncClient]:
    clock = SystemClock()
    app = create_app(
        OrderSettings(strategy="hardened", tick_ms=5, lease_ms=200, payment_try_ms=60_000),
        clock=clock,
        ids=Ids(),
        events=EventLog(clock, fd=None),
        http=httpx.AsyncClient(transport=payment, base_url="http://payment"),
        db=database,
    )
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://order") as client,
    ):
        await client.post("/cart/add", json={"userId": "ada", **MUG})
        yield client


async def placed(shop: httpx.AsyncClient) -> httpx.Response:
    headers = {"Idempotency-Key": "k1"}
    return await shop.post("/order/place", json={"userId": "ada"}, headers=headers)


async def confirmed(shop: httpx.AsyncClient) -> None:
    async with asyncio.timeout(30):
        while (await shop.get("/ledger/orders")).json()["rows"][0]["status"] != "confirmed":  # noqa: ASYNC110 - as the tool
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("function", ["admit", "confirm"])
async def test_a_commit_that_stands_unheard_is_gone_on_from(
    shop: httpx.AsyncClient, database: Doubtful, payment: PaymentDouble, function: str
) -> None:
    database.lose(function, stands=True)
    answer = await placed(shop)
    assert (answer.status_code, answer.json()["order"]["status"]) == (200, "confirmed")
    assert payment.captured_minor == 4200


async def test_an_order_that_does_not_stand_is_told_to_have_done_nothing(
    shop: httpx.AsyncClient, database: Doubtful, payment: PaymentDouble
) -> None:
    database.lose("admit", stands=False)
    answer = await placed(shop)
    assert (answer.status_code, answer.json()["definite"]) == (503, True)
    assert payment.requests == []


async def test_a_confirmation_that_does_not_stand_is_no_failure_and_is_made_later(
    shop: httpx.AsyncClient, database: Doubtful, payment: PaymentDouble
) -> None:
    database.lose("confirm", stands=False)
    assert (await placed(shop)).status_code == 202
    await confirmed(shop)
    assert payment.captured_minor == 4200
