"""A payment service in process beside the real gateway, for stories about one order.

The gateway runs as the app it is, on a free port; payment is called over ASGI, its database is a
file, and every event it emits is kept. `Killed`, raised from an event, stands for a SIGKILL at
that very statement: nothing after it runs, and the database is reopened by another instance.
"""

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from services.chassis.clock import SystemClock
from services.chassis.ids import Ids
from services.chassis.logs import EventLog
from services.chassis.serve import SHUTDOWN_SECONDS, Surroundings
from services.gateway.app import build as build_gateway
from services.gateway.settings import GatewaySettings
from services.payment.__main__ import build
from services.payment.settings import PaymentSettings

LIMIT_SECONDS = 20


class Killed(BaseException):
    """The process is gone from here on."""


@asynccontextmanager
async def listening(app: Any) -> AsyncIterator[str]:
    """Serve an ASGI app on a free port of this loop; give its URL."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app,
            http="httptools",
            lifespan="on",
            log_config=None,
            # else it waits for ever for whoever connected as it closed and sends nothing
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server._serve([bound]))
        async with asyncio.timeout(LIMIT_SECONDS):
            while not server.started:  # noqa: ASYNC110 - uvicorn offers nothing to await
                await asyncio.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


@dataclass
class Gateway:
    """The real gateway and its journal."""

    url: str
    http: httpx.AsyncClient

    async def fault(self, name: str, **match: Any) -> None:
        """Arm a fault control."""
        body = {"name": name, "label": name, **match}
        answer = await self.http.post("/_control/faults", json=body)
        assert answer.status_code == 201, answer.text

    async def journal(self, order_id: str, *kinds: str) -> list[Mapping[str, Any]]:
        """Return the rows of an order, of the given kinds if any."""
        answer = await self.http.get("/ledger/journal", params={"limit": 5000})
        rows = [row for row in answer.json()["rows"] if row["order_id"] == order_id]
        return [row for row in rows if not kinds or row["kind"] in kinds]

    async def net_minor(self, order_id: str) -> int:
        """Return captured minus refunded plus refunds that failed."""
        signs = {"captured": 1, "refunded": -1, "refund_failed": 1}
        rows = await self.journal(order_id, *signs)
        return sum(signs[row["kind"]] * abs(row["amount_minor"]) for row in rows)


@asynccontextmanager
async def running_gateway(database: str) -> AsyncIterator[Gateway]:
    """Run the gateway on a free port."""
    clock = SystemClock()
    settings = GatewaySettings(database=database, refund_settles_ms=50)
    surroundings = Surroundings(clock=clock, ids=Ids(), events=EventLog(clock, fd=None))
    async with (
        listening(build_gateway(settings, surroundings)) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as http,
    ):
        yield Gateway(url=url, http=http)


@dataclass
class Service:
    """One instance of the payment service."""

    app: FastAPI
    http: httpx.AsyncClient
    events: list[Mapping[str, Any]] = field(default_factory=list)
    kill_at: str | None = None
    dead: bool = False

    def heard(self, event: Mapping[str, Any]) -> None:
        """Keep an event, or die of it. A dead process says nothing and gets no further."""
        if self.dead:
            raise Killed
        self.events.append(event)
        if event["kind"] == self.kill_at:
            self.dead = True
            raise Killed

    def kinds(self, prefix: str = "payment.") -> list[str]:
        """Return the kinds of the events so far, in order."""
        return [event["kind"] for event in self.events if event["kind"].startswith(prefix)]

    async def process(self, order_id: str, **changes: Any) -> httpx.Response:
        """POST /payment/process of 42.00 with a good card."""
        body = {"orderId": order_id, "userId": "shopper-1", "amount": 42.00, **changes}
        return await self.http.post("/payment/process", json=body)

    async def cancel(self, order_id: str) -> httpx.Response:
        """POST /payment/cancel."""
        return await self.http.post("/payment/cancel", json={"orderId": order_id})

    async def refund(self, order_id: str) -> httpx.Response:
        """POST /payment/refund."""
        return await self.http.post("/payment/refund", json={"orderId": order_id})

    async def row(self, order_id: str) -> Mapping[str, Any]:
        """Return the newest ledger row of an order."""
        answer = await self.http.get("/ledger/payments", params={"limit": 5000})
        rows = [row for row in answer.json()["rows"] if row["order_id"] == order_id]
        return dict(rows[-1])

    async def quiet(self) -> None:
        """Wait until nothing is undecided."""
        async with asyncio.timeout(LIMIT_SECONDS):
            while (await self.http.get("/undecided")).json()["count"]:  # noqa: ASYNC110 - as the tool
                await asyncio.sleep(0.01)

    async def settled(self, order_id: str) -> str:
        """Wait until nothing is undecided and return the order's phase."""
        await self.quiet()
        return str((await self.row(order_id))["phase"])


@asynccontextmanager
async def running_payment(
    gateway_url: str, database: str, *, kill_at: str | None = None, **settings: Any
) -> AsyncIterator[Service]:
    """Run one instance with its workers; short backoffs and leases, patient tries."""
    quick = {
        "strategy": "hardened",
        "tick_ms": 20,
        "lease_ms": 400,
        "retry_low_ms": 20,
        "retry_high_ms": 100,
        "gateway_try_ms": 5000,
        "gateway_connect_ms": 5000,
        "gateway_total_ms": 20_000,
        "backoff_low_ms": 1,
        "backoff_high_ms": 2,
        "fence_after_ms": 60_000,  # stories that fence say so: a slow machine must not
        "breaker_failures": 1000,
    }
    made = PaymentSettings(gateway_url=gateway_url, database=database, **{**quick, **settings})
    clock = SystemClock()
    events = EventLog(clock, fd=None)
    app = build(made, Surroundings(clock=clock, ids=Ids(), events=events))
    assert isinstance(app, FastAPI)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://payment") as http:
        service = Service(app=app, http=http, kill_at=kill_at)
        events.listener = service.heard
        async with app.router.lifespan_context(app):
            yield service


async def dies(service: Service, order_id: str) -> None:
    """Send a charge to an instance that is to be killed on the way."""
    try:
        answer = await service.process(order_id)
    except Killed:
        return
    raise AssertionError(f"it lived: {answer.status_code} {answer.text}, {service.kinds('')}")


@asynccontextmanager
async def payment_process(gateway_url: str, database: str) -> AsyncIterator[httpx.AsyncClient]:
    """Run hardened as a process of its own, with patient budgets; give a client of it."""
    environ = {
        "PATH": os.environ["PATH"],
        "PAYMENT_STRATEGY": "hardened",
        "PAYMENT_GATEWAY_URL": gateway_url,
        "PAYMENT_DATABASE": database,
        "PAYMENT_TIME_SCALE": "10",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.payment",
        cwd=Path(__file__).parents[3],
        env=environ,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(LIMIT_SECONDS):
        event = json.loads(await process.stdout.readline())
    reading = asyncio.create_task(process.stdout.read())  # so that its event log never blocks
    url = f"http://127.0.0.1:{event['data']['port']}"
    try:
        async with httpx.AsyncClient(base_url=url, timeout=LIMIT_SECONDS, trust_env=False) as http:
            yield http
    finally:
        process.terminate()
        async with asyncio.timeout(LIMIT_SECONDS):
            assert await process.wait() == 0
            await reading
