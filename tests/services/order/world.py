"""A shopper's view of one order service, in process, with a payment service made by hand.

`PaymentDouble` keeps what hardened payment promises (one effect per order, a fence, a tombstone)
and does on request what a link may do to it: refuse, lose a request, lose an answer, hang.
"""

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from services.chassis.clock import SystemClock
from services.chassis.database import Database
from services.chassis.ids import Ids
from services.chassis.logs import EventLog
from services.order.app import create_app
from services.order.settings import OrderSettings
from services.order.tables import metadata

LIMIT_S = 5.0
MUG = {"productId": "mug", "quantity": 1, "price": "42.00"}

QUICK = {
    "tick_ms": 5,
    "retry_low_ms": 1,
    "retry_high_ms": 5,
    "backoff_low_ms": 1,
    "backoff_high_ms": 2,
}

Reaction = Callable[[httpx.Request], Awaitable[httpx.Response]]


class HandClock(SystemClock):
    """The real clock, which a test may put forward."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.ahead_ms


@dataclass
class Charge:
    amount_minor: int
    status: str = "completed"


class PaymentDouble(httpx.AsyncBaseTransport):
    """Payment behind a transport: answers at once, unless `then` says how the next request goes."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.charges: dict[str, Charge] = {}
        self._next: dict[str, deque[Reaction]] = defaultdict(deque)
        self._arrivals: asyncio.Queue[str] = asyncio.Queue()

    def then(self, operation: str, *reactions: Reaction) -> None:
        """The next requests for `operation` meet these reactions, one each."""
        self._next[operation].extend(reactions)

    async def arrival(self, operation: str) -> None:
        """Wait until a request for `operation` has arrived."""
        async with asyncio.timeout(LIMIT_S):
            while await self._arrivals.get() != operation:
                pass

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        operation = request.url.path.rsplit("/", 1)[1]
        self.requests.append(request)
        self._arrivals.put_nowait(operation)
        reactions = self._next[operation]
        return await (reactions.popleft() if reactions else self.do)(request)

    async def do(self, request: httpx.Request) -> httpx.Response:
        """Do what is asked and answer it."""
        body = json.loads(request.content)
        order_id = body["orderId"]
        charge = self.charges.get(order_id)
        match request.url.path:
            case "/payment/process":
                if charge is None:
                    minor = body.get("amountMinor", round(body["amount"] * 100))
                    charge = self.charges[order_id] = Charge(amount_minor=minor)
                if charge.status == "completed":
                    return completed(order_id, charge.amount_minor)
                return failed(order_id, charge.status)
            case "/payment/cancel":
                if charge is not None and charge.status == "completed":
                    return reply(409, {"code": "already_completed", "definite": True})
                self.charges[order_id] = Charge(amount_minor=0, status="canceled")
                return reply(200, {"status": "canceled"})
            case "/payment/refund":
                assert charge is not None
                charge.status = "refunded"
                return reply(200, {"status": "refunded"})
        return reply(404, {"code": "not_found", "definite": True})

    async def lose_answer(self, request: httpx.Request) -> httpx.Response:
        """Do it, and let the connection break before the answer."""
        await self.do(request)
        raise httpx.ReadError("reset", request=request)

    def bodies(self, operation: str) -> list[dict[str, Any]]:
        path = f"/payment/{operation}"
        return [json.loads(seen.content) for seen in self.requests if seen.url.path == path]

    def keys(self) -> list[str | None]:
        return [
            seen.headers.get("idempotency-key")
            for seen in self.requests
            if seen.url.path == "/payment/process"
        ]

    @property
    def captured_minor(self) -> int:
        """Net money taken."""
        return sum(c.amount_minor for c in self.charges.values() if c.status == "completed")


class Gate:
    """A reaction that holds the request until it is opened, then lets `after` have it."""

    def __init__(self, after: Reaction) -> None:
        self._after = after
        self._open = asyncio.Event()

    def open(self) -> None:
        self._open.set()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await self._open.wait()
        return await self._after(request)


async def refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


async def hang(_: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError("unreachable: only a timeout ends the wait")


def answering(status: int, body: object) -> Reaction:
    async def answer(_: httpx.Request) -> httpx.Response:
        return reply(status, body)

    return answer


def answering_raw(status: int, content: bytes) -> Reaction:
    async def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=content)

    return answer


def reply(status: int, body: object) -> httpx.Response:
    return httpx.Response(status, json=body)


def completed(order_id: str, amount_minor: int, currency: str = "usd") -> httpx.Response:
    payment = {"orderId": order_id, "amountMinor": amount_minor, "currency": currency}
    return reply(200, {"status": "completed", "payment": payment})


def failed(order_id: str, code: str, status: int = 402) -> httpx.Response:
    body = {"status": "failed", "error": code, "code": code, "definite": True}
    return reply(status, {**body, "payment": {"orderId": order_id}})


def declining(code: str = "card_declined", status: int = 402) -> Reaction:
    async def decline(request: httpx.Request) -> httpx.Response:
        return failed(json.loads(request.content)["orderId"], code, status)

    return decline


@dataclass
class OrderService:
    """One running instance of the app, its client, and the events it emitted."""

    strategy: str
    database: Path
    payment: PaymentDouble
    clock: HandClock = field(default_factory=HandClock)
    settings: Mapping[str, Any] = field(default_factory=dict)
    events: list[Mapping[str, Any]] = field(default_factory=list)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["OrderService"]:
        """Run the app with its workers; leaving abandons what is under way, as a crash would."""
        settings = OrderSettings(
            strategy=self.strategy,
            database=str(self.database),
            **{**QUICK, **self.settings},
        )
        self._changed = asyncio.Event()
        app = create_app(
            settings,
            clock=self.clock,
            ids=Ids(),
            events=EventLog(self.clock, fd=None, listener=self._heard),
            http=httpx.AsyncClient(transport=self.payment, base_url="http://payment"),
            db=Database.open(settings, metadata),
        )
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://order") as self.client,
        ):
            yield self

    def _heard(self, event: Mapping[str, Any]) -> None:
        self.events.append(event)
        self._changed.set()

    async def seen(self, kind: str, *, times: int = 1) -> Mapping[str, Any]:
        """Wait until an event of `kind` was emitted so often, and return the last."""
        async with asyncio.timeout(LIMIT_S):
            while len(found := [event for event in self.events if event["kind"] == kind]) < times:
                self._changed.clear()
                await self._changed.wait()
        return found[-1]

    def kinds(self) -> list[str]:
        """The order's own events, in order."""
        return [event["kind"] for event in self.events if event["kind"].startswith("order.")]

    async def add(self, user: str = "ada", **line: Any) -> httpx.Response:
        return await self.client.post("/cart/add", json={"userId": user, **MUG, **line})

    async def place(
        self, user: str = "ada", *, key: str | None = None, **more: Any
    ) -> httpx.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        body = {"userId": user, **more}
        return await self.client.post("/order/place", json=body, headers=headers)

    async def cancel(self, order_id: str) -> httpx.Response:
        return await self.client.post("/order/cancel", json={"orderId": order_id})

    async def cart(self, user: str = "ada") -> list[dict[str, Any]]:
        answer = await self.client.get(f"/cart/{user}")
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def order(self, order_id: str) -> dict[str, Any]:
        answer = await self.client.get(f"/order/{order_id}")
        document: dict[str, Any] = answer.json()
        return document

    async def ledger(self, name: str) -> list[dict[str, Any]]:
        answer = await self.client.get(f"/ledger/{name}")
        rows: list[dict[str, Any]] = answer.json()["rows"]
        return rows
