import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from checkout_sim.clients.ledgers import PAGE_ROWS, Ledgers
from checkout_sim.clients.transport import http_client
from checkout_sim.model.errors import LedgerUnreadable
from checkout_sim.model.seen import Undecided

URLS = {
    "order": ["http://order.1", "http://order.2"],
    "payment": ["http://payment.1"],
    "gateway": ["http://gateway.1"],
}

Answer = Callable[[httpx.Request], httpx.Response]


def ledgers(answer: Answer) -> Ledgers:
    """Return ledgers whose services are one function from request to answer."""
    return Ledgers(URLS, httpx.AsyncClient(transport=httpx.MockTransport(answer)))


def shelf(rows: list[dict[str, Any]]) -> Answer:
    """Return a service that keeps these rows, and pages them by position."""

    def answer(request: httpx.Request) -> httpx.Response:
        after = int(request.url.params.get("after", "0"))
        limit = int(request.url.params["limit"])
        page = rows[after : after + limit]
        following = after + limit if after + limit < len(rows) else None
        return httpx.Response(200, json={"rows": page, "next": following})

    return answer


async def all_of(read: Ledgers, name: str) -> list[Any]:
    return [row async for row in read.read(name)]


@pytest.mark.parametrize("count", [0, 1, PAGE_ROWS, PAGE_ROWS + 1, 3 * PAGE_ROWS])
async def test_every_row_is_read_once_and_in_order_over_all_pages(count: int) -> None:
    rows = [{"order_id": f"ord_{number}"} for number in range(count)]
    assert await all_of(ledgers(shelf(rows)), "orders") == rows


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("orders", "http://order.1/ledger/orders"),
        ("carts", "http://order.1/ledger/carts"),
        ("payments", "http://payment.1/ledger/payments"),
        ("journal", "http://gateway.1/ledger/journal"),
    ],
)
async def test_each_ledger_is_asked_of_the_service_that_keeps_it(name: str, asked: str) -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url.copy_with(query=None)))
        return httpx.Response(200, json={"rows": [], "next": None})

    await all_of(ledgers(answer), name)
    assert seen == [asked]


async def test_a_replica_is_asked_when_the_first_does_not_answer() -> None:
    rows = [{"order_id": "ord_1"}]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "order.1":
            raise httpx.ConnectError("refused", request=request)
        return shelf(rows)(request)

    assert await all_of(ledgers(answer), "orders") == rows


@pytest.mark.parametrize(
    ("broken", "found"),
    [
        (httpx.Response(500, text="disk full"), "found 500 disk full"),
        (httpx.Response(200, text="<html>"), "found 200 <html>"),
        (httpx.Response(200, json=[1]), "found 200 [1]"),
        (httpx.Response(200, json={"next": None}), "found rows None"),
        (httpx.Response(200, json={"rows": [7], "next": None}), "found rows [7]"),
        (httpx.Response(200, json={"rows": [], "next": 5}), "found next 5 again"),
    ],
)
async def test_what_is_no_ledger_is_unreadable_and_says_what_was_found(
    broken: httpx.Response, found: str
) -> None:
    with pytest.raises(LedgerUnreadable) as unreadable:
        await all_of(ledgers(lambda _: broken), "payments")
    said = str(unreadable.value)
    assert "payment: GET http://payment.1/ledger/payments?limit=" in said
    assert found in said


async def test_a_cursor_that_does_not_move_ends_the_reading() -> None:
    page = {"rows": [{"seq": 1}], "next": 1}
    with pytest.raises(LedgerUnreadable, match="next 1 again"):
        await all_of(ledgers(lambda _: httpx.Response(200, json=page)), "journal")


async def test_a_ledger_nobody_answers_for_names_the_error() -> None:
    async with http_client(timeout_s=1) as client:
        nowhere = Ledgers({"gateway": ["http://127.0.0.1:9"]}, client)
        with pytest.raises(LedgerUnreadable, match=r"journal.*found nobody listening"):
            await all_of(nowhere, "journal")


async def test_reading_survives_one_connection_that_had_died() -> None:
    failures = [httpx.ReadError("reset")]

    def answer(request: httpx.Request) -> httpx.Response:
        if failures:
            raise failures.pop()
        return shelf([{"seq": 1}])(request)

    assert await all_of(ledgers(answer), "journal") == [{"seq": 1}]


async def test_undecided_adds_up_what_replicas_have_in_flight_and_shares_their_rows() -> None:
    said = {
        "order.1": {"count": 2, "ids": ["ord_1", "ord_2"], "in_flight": 1, "last_seq": None},
        "order.2": {"count": 2, "ids": ["ord_1", "ord_2"], "in_flight": 3, "last_seq": None},
        "payment.1": {"count": 0, "ids": [], "in_flight": 0, "last_seq": None},
        "gateway.1": {"count": 0, "ids": [], "in_flight": 1, "last_seq": 41},
    }
    found = await ledgers(lambda r: httpx.Response(200, json=said[r.url.host])).undecided()
    assert found == {
        "order": Undecided(count=2, ids=("ord_1", "ord_2"), in_flight=4, last_seq=None),
        "payment": Undecided(count=0, ids=(), in_flight=0, last_seq=None),
        "gateway": Undecided(count=0, ids=(), in_flight=1, last_seq=41),
    }


@pytest.mark.parametrize("said", [{}, {"count": "some"}, {"count": 1, "ids": None, "in_flight": 0}])
async def test_undecided_that_cannot_be_understood_is_unreadable(said: dict[str, Any]) -> None:
    with pytest.raises(LedgerUnreadable, match="expected count, ids, in_flight and last_seq"):
        await ledgers(lambda _: httpx.Response(200, json=said)).undecided()


async def test_health_says_who_answers() -> None:
    said = {
        "status": "ok",
        "service": "order",
        "instance": "token",
        "replica": 2,
        "pid": 4711,
        "strategy": "naive",
    }

    def answer(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "http://order.2/health"
        return httpx.Response(200, content=json.dumps(said))

    health = await ledgers(answer).health("order", 2)
    assert (health.service, health.replica, health.pid) == ("order", 2, 4711)
