"""Sends webhooks: a worker that delivers what is due in the outbox, at least once, unordered.

Takes the outbox's rows; gives signed POSTs, their outcome in the outbox, and a `webhook_sent` row
in the journal for each one acknowledged. Any 2xx acknowledges; any other answer, a broken
connection or `webhook_silence_ms` without one is a failed try (docs.stripe.com/webhooks). A crash
between the answer and its note sends once more: receivers must cope, as they must with Stripe.
"""

import asyncio
import sys
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import aiohttp
from sqlalchemy import Connection

from ..chassis.background import ended
from ..chassis.clock import sleep_or_wake
from ..chassis.errors import DatabaseUnavailable
from ..chassis.http_client import Link, error_of, new_session
from . import endpoints, journal, outbox, signing
from .api import Parts
from .endpoints import Endpoint
from .outbox import Delivery
from .store import driver
from .work import Facts

LINK = "gateway_to_payment"
CONCURRENCY = 32
FORGER = ("whsec_of_a_stranger",)
_IDLE_MS = 60_000
_ACKNOWLEDGES = range(200, 300)


async def send_webhooks(parts: Parts) -> None:
    """Deliver for ever; `parts.sending` says that something may have become due."""
    session = new_session()
    sender = _Sender(parts=parts, session=session)
    try:
        while True:
            parts.sending.clear()
            try:
                wait_ms = await sender.begin_due()
            except DatabaseUnavailable as problem:
                sys.stderr.write(f"gateway's webhooks: {problem.error}\n")
                wait_ms = outbox.RETRY_MS[0]
            await sleep_or_wake(parts.clock, wait_ms, parts.sending)
    finally:
        await sender.stop()
        await session.close()


@dataclass(slots=True, kw_only=True)
class _Sender:
    """The deliveries under way, by the number of their row."""

    parts: Parts
    session: aiohttp.ClientSession
    under_way: dict[int, asyncio.Task[None]] = field(default_factory=dict)

    async def begin_due(self) -> float:
        """Begin what is due, as far as there is room; return after how many ms to look again."""
        now_ms = self.parts.clock.now_ms()
        due, next_ms = await self.parts.database.read(
            _due, now_ms=now_ms, at_most=CONCURRENCY + len(self.under_way)
        )
        for delivery in due:
            if delivery.n in self.under_way or len(self.under_way) >= CONCURRENCY:
                continue
            task = asyncio.create_task(self._deliver(delivery))
            self.under_way[delivery.n] = task
            task.add_done_callback(partial(self._ended, delivery.n))
        return _IDLE_MS if next_ms is None else min(_IDLE_MS, max(0, next_ms - now_ms))

    def _ended(self, n: int, _: asyncio.Task[None]) -> None:
        del self.under_way[n]
        self.parts.sending.set()  # there is room again, and the next try has its time

    async def stop(self) -> None:
        """Abandon what is under way; it is due again at the next start."""
        await ended(*self.under_way.values())

    async def _deliver(self, delivery: Delivery) -> None:
        taker = next(
            (one for one in self.parts.outbox.endpoints if one.id == delivery.endpoint), None
        )
        acknowledged = None if taker is None else await self._post(taker, delivery)
        try:
            rows = await self.parts.database.run(self._note, delivery, acknowledged=acknowledged)
        except DatabaseUnavailable as problem:  # due still: it will be sent again
            sys.stderr.write(f"gateway's webhooks, {delivery.event}: {problem.error}\n")
            await self.parts.clock.sleep_ms(outbox.RETRY_MS[0])
            return
        journal.announce(self.parts.events, rows)

    async def _post(self, taker: Endpoint, delivery: Delivery) -> bool:
        """Send one try and tell whether it was acknowledged."""
        parts, body = self.parts, delivery.body
        now_ms = parts.clock.now_ms()
        secrets = FORGER if delivery.forged else taker.secrets(now_ms)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signing.header(body, secrets, timestamp_s=now_ms // 1000),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        settings = parts.settings
        limit = aiohttp.ClientTimeout(total=settings.scaled(settings.webhook_silence_ms) / 1000)
        name = LINK if taker.id == endpoints.CONFIGURED else taker.id
        link = Link(name, events=parts.events, clock=parts.clock, ids=parts.ids)
        with link.call(
            delivery.type, attempt=delivery.attempts + 1, order=delivery.order_id
        ) as call:
            try:
                async with self.session.post(
                    taker.url,
                    data=body.encode(),
                    headers=headers,
                    timeout=limit,
                    allow_redirects=False,
                ) as answer:
                    call.http_status = answer.status
                    await answer.read()
            except (aiohttp.ClientError, OSError, ValueError) as problem:  # ValueError: no such URL
                call.error = error_of(problem)
            return call.error is None and call.http_status in _ACKNOWLEDGES

    def _note(
        self, connection: Connection, delivery: Delivery, *, acknowledged: bool | None
    ) -> list[dict[str, Any]]:
        sql, parts = driver(connection), self.parts
        now_ms = parts.clock.now_ms()
        if acknowledged is None:
            outbox.given_up(sql, delivery)
            return []
        if not acknowledged:
            outbox.failed(sql, delivery, now_ms=now_ms, scale=parts.settings.time_scale)
            return []
        outbox.delivered(sql, delivery, now_ms=now_ms)
        if delivery.forged:
            return []
        work = parts.work(sql, Facts(request_id=delivery.event))
        work.note(
            "webhook_sent",
            order_id=delivery.order_id,
            payment_intent=delivery.payment_intent,
            label=delivery.type,
        )
        return work.rows


def _due(connection: Connection, *, now_ms: int, at_most: int) -> tuple[list[Delivery], int | None]:
    return outbox.due(driver(connection), now_ms=now_ms, at_most=at_most)
