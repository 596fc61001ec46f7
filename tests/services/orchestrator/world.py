"""An orchestrator in process, over the real order service and a payment service made by hand.

Both are reached over a wire that does on request what a link may do: refuse, lose a request, lose
an answer, hang. Leaving `running` abandons what is under way, as a crash would.
"""

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from services.chassis.clock import SystemClock
from services.chassis.database import Database
from services.chassis.http_client import Link
from services.chassis.ids import Ids
from services.chassis.logs import EventLog
from services.orchestrator.app import create_app
from services.orchestrator.participants import CallBudget, Participant
from services.orchestrator.settings import OrchestratorSettings
from services.orchestrator.tables import metadata
from services.order.app import create_app as create_order_app
from services.order.settings import OrderSettings
from services.order.tables import metadata as order_metadata
from tests.services.order.world import (
    LIMIT_S,
    MUG,
    Charge,
    HandClock,
    PaymentDouble,
    Reaction,
    completed,
    reply,
)

BEYOND_LEASE_MS = 60_000
QUICK = {
    "tick_ms": 5,
    "retry_low_ms": 1,
    "retry_high_ms": 5,
    "cancel_after_ms": 600_000,  # stories that give up say so: a slow machine must not
    "answer_ms": 20_000,
}


class Payment(PaymentDouble):
    """Payment with all it promises a saga: tombstones, and what it took told with every answer."""

    async def do(self, request: httpx.Request) -> httpx.Response:
        order_id = json.loads(request.content)["orderId"]
        charge = self.charges.get(order_id)
        if request.url.path == "/payment/refund" and charge is None:
            self.charges[order_id] = Charge(amount_minor=0, status="canceled")
            return reply(200, {"status": "canceled"})
        answer = await super().do(request)
        if request.url.path == "/payment/cancel" and answer.status_code == httpx.codes.CONFLICT:
            assert charge is not None
            paid = completed(order_id, charge.amount_minor).json()["payment"]
            return reply(409, {**answer.json(), "payment": paid})
        return answer


class Wire(httpx.AsyncBaseTransport):
    """The way to the order service; the next requests for a step meet the reactions asked for."""

    def __init__(self, far_end: httpx.AsyncBaseTransport) -> None:
        self._far_end = far_end
        self._next: dict[str, deque[Reaction]] = defaultdict(deque)
        self._arrivals: asyncio.Queue[str] = asyncio.Queue()
        self.requests: list[httpx.Request] = []

    def then(self, step: str, *reactions: Reaction) -> None:
        """The next requests for `step` meet these reactions, one each."""
        self._next[step].extend(reactions)

    async def arrival(self, step: str) -> None:
        """Wait until a request for `step` has arrived."""
        async with asyncio.timeout(LIMIT_S):
            while await self._arrivals.get() != step:
                pass

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        step = request.url.path.rsplit("/", 1)[1]
        self.requests.append(request)
        self._arrivals.put_nowait(step)
        reactions = self._next[step]
        return await (reactions.popleft() if reactions else self.do)(request)

    async def do(self, request: httpx.Request) -> httpx.Response:
        """Pass it on."""
        answer = await self._far_end.handle_async_request(request)
        await answer.aread()
        return answer

    async def lose_answer(self, request: httpx.Request) -> httpx.Response:
        """Pass it on, and let the connection break before the answer."""
        await self.do(request)
        raise httpx.ReadError("reset", request=request)

    def keys(self, step: str) -> list[str | None]:
        path = f"/order/{step}"
        return [
            seen.headers.get("idempotency-key") for seen in self.requests if seen.url.path == path
        ]


@dataclass
class Shop:
    """The order service, running beside the test, and what it emitted."""

    http: httpx.AsyncClient
    wire: Wire
    events: list[Mapping[str, Any]]

    async def add(self, user: str = "ada", **line: Any) -> None:
        answer = await self.http.post("/cart/add", json={"userId": user, **MUG, **line})
        answer.raise_for_status()

    async def cart(self, user: str = "ada") -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await self.http.get(f"/cart/{user}")).json()["items"]
        return items

    async def cancel(self, order_id: str) -> httpx.Response:
        return await self.http.post("/order/cancel", json={"orderId": order_id})

    async def statuses(self) -> list[str]:
        rows = (await self.http.get("/ledger/orders")).json()["rows"]
        return [row["status"] for row in rows]

    def kinds(self) -> list[str]:
        return [event["kind"] for event in self.events]


@asynccontextmanager
async def running_shop(folder: Path) -> AsyncIterator[Shop]:
    """Run the order service as a participant."""
    events: list[Mapping[str, Any]] = []
    clock = SystemClock()
    settings = OrderSettings(strategy="orchestrated", database=str(folder / "order.db"))
    app = create_order_app(
        settings,
        clock=clock,
        ids=Ids(),
        events=EventLog(clock, fd=None, listener=events.append),
        http=httpx.AsyncClient(transport=PaymentDouble()),
        db=Database.open(settings, order_metadata),
    )
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://order") as http,
    ):
        yield Shop(http=http, wire=Wire(httpx.ASGITransport(app)), events=events)


@dataclass
class Orchestrator:
    """One life of an orchestrator, its client, and the events it emitted."""

    database: Path
    shop: Shop
    payment: Payment
    clock: HandClock = field(default_factory=HandClock)
    settings: Mapping[str, Any] = field(default_factory=dict)
    try_ms: float = 20_000
    tries: int = 1
    events: list[Mapping[str, Any]] = field(default_factory=list)

    def next_life(self, **settings: Any) -> "Orchestrator":
        """The same database under a new process, whose predecessor's leases have run out."""
        again = Orchestrator(
            database=self.database,
            shop=self.shop,
            payment=self.payment,
            settings={**self.settings, **settings},
        )
        again.clock.ahead_ms = BEYOND_LEASE_MS
        return again

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Orchestrator"]:
        """Run the app with its recovery."""
        settings = OrchestratorSettings(database=str(self.database), **{**QUICK, **self.settings})
        self._changed = asyncio.Event()
        events = EventLog(self.clock, fd=None, listener=self._heard)
        app = create_app(
            settings,
            clock=self.clock,
            ids=Ids(),
            events=events,
            order=self._participant("order", self.shop.wire, events),
            payment=self._participant("payment", self.payment, events),
            db=Database.open(settings, metadata),
        )
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://orchestrator"
            ) as self.http,
        ):
            yield self

    def _participant(
        self, name: str, transport: httpx.AsyncBaseTransport, events: EventLog
    ) -> Participant:
        ids = Ids()
        return Participant(
            httpx.AsyncClient(transport=transport, base_url=f"http://{name}"),
            link=Link(f"orchestrator_to_{name}", events=events, clock=self.clock, ids=ids),
            budget=CallBudget(
                try_ms=self.try_ms,
                tries=self.tries,
                total_ms=10 * self.try_ms,
                backoff_low_ms=1,
                backoff_high_ms=2,
            ),
            clock=self.clock,
            ids=ids,
        )

    def _heard(self, event: Mapping[str, Any]) -> None:
        self.events.append(event)
        self._changed.set()

    async def seen(self, kind: str) -> Mapping[str, Any]:
        """Wait until an event of `kind` was emitted, and return the last."""
        async with asyncio.timeout(LIMIT_S):
            while not (found := [event for event in self.events if event["kind"] == kind]):
                self._changed.clear()
                await self._changed.wait()
        return found[-1]

    async def place(
        self, user: str = "ada", *, key: str | None = None, **more: Any
    ) -> httpx.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self.http.post(
            "/saga/place-order", json={"userId": user, **more}, headers=headers
        )

    async def saga(self, saga_id: str) -> dict[str, Any]:
        document: dict[str, Any] = (await self.http.get(f"/saga/{saga_id}")).json()
        return document

    async def sagas(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = (await self.http.get("/ledger/sagas")).json()["rows"]
        return rows

    async def log(self) -> list[str]:
        """Every line of every saga's log, as `step PHASE`."""
        rows = (await self.http.get("/ledger/saga_steps")).json()["rows"]
        return [f"{row['step']} {row['phase']}" for row in rows]

    def kinds(self) -> list[str]:
        """The sagas' own events, in order."""
        return [event["kind"] for event in self.events if event["kind"].startswith("saga.")]
