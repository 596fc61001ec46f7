"""Shoppers: one purchase each, as its behaviour says. The only place where attempts are counted.

A shopper never raises: whatever is not definite is `unknown`, and unknown promises nothing.
"""

import asyncio
import hashlib
from typing import Any, assert_never

from checkout_sim.model.plan import Shopper
from checkout_sim.model.scenario import CancelAt, PostOnce, Retry, SubmitTwice, WalkAway
from checkout_sim.model.seen import Ended
from checkout_sim.runner.moments import Moments
from checkout_sim.runner.ports import Clock, Record, Shop
from checkout_sim.runner.recording import Recording


class Shoppers:
    """Sends shoppers through the shop and records every attempt's beginning and end."""

    def __init__(self, shop: Shop, clock: Clock, recording: Recording, moments: Moments) -> None:
        self._shop = shop
        self._clock = clock
        self._recording = recording
        self._record: Record = recording
        self._moments = moments
        self.indefinite: list[Shopper] = []

    async def check_out(self, shopper: Shopper, *, proof: bool = False) -> None:
        """Make one purchase, all its attempts, and return when the last has ended."""
        claims = await self._behave(shopper, proof=proof)
        if "unknown" in claims:
            self.indefinite.append(shopper)
        self._moments.checkout_ended()

    async def _behave(self, shopper: Shopper, *, proof: bool) -> list[str]:
        match shopper.behaviour:
            case PostOnce():
                return [await self._attempt(shopper, 1, proof=proof)]
            case Retry(times=times, wait_ms=wait_ms):
                return await self._retry(shopper, times, wait_ms, proof=proof)
            case SubmitTwice(gap_ms=gap_ms, card=card):
                return await self._submit_twice(shopper, gap_ms, card, proof=proof)
            case WalkAway(after_ms=after_ms):
                return [await self._attempt(shopper, 1, proof=proof, leave_after_ms=after_ms)]
            case CancelAt() as cancel:
                canceling = asyncio.create_task(self._cancel(shopper, cancel))
                claim = await self._attempt(shopper, 1, proof=proof)
                await self._finish_or_drop(canceling)
                return [claim]
            case _ as unreachable:
                assert_never(unreachable)

    async def _retry(self, shopper: Shopper, times: int, wait_ms: int, *, proof: bool) -> list[str]:
        claims: list[str] = []
        for attempt in range(1, times + 2):
            if attempt > 1:
                await self._clock.sleep_ms(wait_ms)
            claims.append(await self._attempt(shopper, attempt, proof=proof))
            if claims[-1] != "unknown":
                break
        return claims

    async def _submit_twice(
        self, shopper: Shopper, gap_ms: int, card: str | None, *, proof: bool
    ) -> list[str]:
        first = asyncio.create_task(self._attempt(shopper, 1, proof=proof))
        await self._clock.sleep_ms(gap_ms)
        second = await self._attempt(shopper, 2, proof=proof, card=card)
        return [await first, second]

    async def _attempt(
        self,
        shopper: Shopper,
        attempt: int,
        *,
        proof: bool,
        card: str | None = None,
        leave_after_ms: int | None = None,
    ) -> str:
        key = shopper.keys[min(attempt, len(shopper.keys)) - 1]
        used_card = card or shopper.card
        self._record(
            "client",
            "client.sent",
            checkout=shopper.checkout,
            key=key,
            data={
                "attempt": attempt,
                "body_digest": _body_digest(shopper, used_card),
                "card": used_card,
                "patience_ms": shopper.patience_ms,
                "proof": proof,
            },
        )
        began_ms = self._clock.now_ms()
        placing = self._shop.place(shopper, key=key, card=used_card)
        if leave_after_ms is None:
            ended = await placing
        else:
            ended = await self._walk_away(placing, leave_after_ms)
        self._record_end(shopper, attempt, key, ended, self._clock.now_ms() - began_ms, proof=proof)
        return ended.claim

    async def _walk_away(self, placing: Any, after_ms: int) -> Ended:
        try:
            async with asyncio.timeout(after_ms / 1000):
                ended: Ended = await placing
                return ended
        except TimeoutError:
            return Ended(claim="unknown", http_status=None, error="walked_away", document=None)

    def _record_end(
        self,
        shopper: Shopper,
        attempt: int,
        key: str,
        ended: Ended,
        duration_ms: float,
        *,
        proof: bool,
    ) -> None:
        document = ended.document
        self._record(
            "client",
            "client.ended",
            checkout=shopper.checkout,
            order=document.order_id if document else None,
            key=key,
            data={
                "attempt": attempt,
                "claim": ended.claim,
                "http_status": ended.http_status,
                "error": ended.error,
                "duration_ms": round(duration_ms, 3),
                "document": None
                if document is None
                else {
                    "order_id": document.order_id,
                    "status": document.status,
                    "total_minor": document.total_minor,
                    "currency": document.currency,
                },
                "proof": proof,
            },
        )

    async def _cancel(self, shopper: Shopper, cancel: CancelAt) -> None:
        await self._moments.wait(cancel.at, fault=f"cancel-{shopper.checkout}", window=1)
        for order_id in self._recording.attribution.orders.get(shopper.checkout, [])[:1]:
            self._record("client", "client.cancel_sent", checkout=shopper.checkout, order=order_id)
            answered = await self._shop.cancel(order_id)
            self._record(
                "client",
                "client.cancel_ended",
                checkout=shopper.checkout,
                order=order_id,
                data={"http_status": answered.http_status, "error": answered.error},
            )

    async def _finish_or_drop(self, canceling: asyncio.Task[None]) -> None:
        """Let a cancel that has begun finish; one whose moment never came is dropped.

        The moment of a cancel is an event of its own checkout, which by now has ended; what the
        services still do for it can only come within the shopper's patience.
        """
        done, _ = await asyncio.wait({canceling}, timeout=2.0)
        if not done:
            canceling.cancel()
        await asyncio.gather(canceling, return_exceptions=True)


def _body_digest(shopper: Shopper, card: str) -> str:
    return hashlib.sha256(f"{shopper.user} {card}".encode()).hexdigest()[:16]
