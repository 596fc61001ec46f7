"""What a handler does: begin a saga, or find the one that answers, and wait for it a while.

The saga is driven by a task of its own: a shopper who leaves, or a handler whose time is up,
changes nothing. The wait is for whoever ends it, in this process or another.
"""

import asyncio
import hashlib
import sys
import traceback

from ..chassis.background import ended
from ..chassis.database import UniqueViolated
from ..chassis.errors import DatabaseUnavailable
from . import replies, saga_log
from .context import Context
from .driving import Driver, started
from .replies import Reply
from .saga import Saga
from .saga_log import Fresh, Known, Wish
from .schemas import Place, canonical


class Placing:
    """Answers `POST /saga/place-order`."""

    def __init__(self, context: Context, driver: Driver) -> None:
        self._context = context
        self._driver = driver
        self._driven: dict[str, asyncio.Task[Saga]] = {}

    async def place(self, wish: Place, client_key: str | None) -> Reply:
        """Record the intent, drive it, and answer by how it stands when the time is up."""
        settings = self._context.settings
        clock = self._context.clock
        until_ms = clock.monotonic_ms() + settings.scaled(settings.answer_ms)
        saga = await self._admit(wish, client_key)
        saga = await self._ended(saga, until_ms)
        if saga.joined is not None:  # another order holds this cart: its saga answers
            events = self._context.events
            events.emit("order.deduplicated", order=saga.joined, key=client_key)
            live = await self._context.db.read(saga_log.by_order, saga.joined)
            if live is not None:
                saga = await self._ended(live, until_ms)
        return replies.placed(saga)

    async def close(self) -> None:
        """Abandon what is being driven, as a crash would: leases run out, recovery resumes."""
        await ended(*self._driven.values())

    async def _admit(self, wish: Place, client_key: str | None) -> Saga:
        context = self._context
        asked = Wish(
            saga=Saga(
                id=context.ids.new("saga"),
                order_id=context.ids.new("ord"),
                user_id=wish.user_id,
                card=wish.payment_method,
                created_at_ms=context.clock.now_ms(),
            ),
            client_key=client_key,
            request_hash=hashlib.sha256(canonical(wish)).hexdigest(),
            lease_until_ms=context.lease_until_ms(),
        )
        try:
            admitted = await context.db.run(saga_log.admit, asked)
        except UniqueViolated:  # the same key, at the same moment, at another orchestrator
            admitted = await context.db.run(saga_log.admit, asked)
        except DatabaseUnavailable as error:
            if error.definite:
                raise
            # The COMMIT broke: look before promising that nothing happened (R9). If it stands, the
            # lease is still ours.
            admitted = Fresh(saga=await self._looked_up(asked.saga.id, error))
        match admitted:
            case Fresh(saga=saga):
                context.events.emit_all(started(saga))
                task = asyncio.create_task(self._drive(saga))
                self._driven[saga.id] = task
                task.add_done_callback(lambda _: self._driven.pop(saga.id, None))
            case Known(saga=saga):
                context.events.emit("order.deduplicated", order=saga.order_id, key=client_key)
        return saga

    async def _looked_up(self, saga_id: str, error: DatabaseUnavailable) -> Saga:
        """Return the saga whose COMMIT broke; 503 if it does not stand, or nobody can tell."""
        try:
            there = await self._context.db.read(saga_log.by_id, saga_id)
        except DatabaseUnavailable as again:
            raise DatabaseUnavailable(again.error, definite=False) from again
        if there is None:
            raise DatabaseUnavailable(error.error, definite=True) from error
        return there

    async def _present(self, saga: Saga) -> Saga:
        """Return the saga as it stands now, or as last seen: what is committed is never a 503."""
        try:
            found: Saga | None = await self._context.db.read(saga_log.by_id, saga.id)
        except DatabaseUnavailable as error:
            sys.stderr.write(f"orchestrator: {saga.id} cannot be read: {error.error}\n")
            return saga
        return found or saga

    async def _drive(self, saga: Saga) -> Saga:
        try:
            return await self._driver.drive(saga)
        except DatabaseUnavailable as error:
            sys.stderr.write(f"orchestrator: {saga.id} is left to recovery: {error.error}\n")
        except Exception as error:  # noqa: BLE001 - the outermost boundary of one saga
            trace = "".join(traceback.format_exception(error))
            sys.stderr.write(f"orchestrator: driving {saga.id} failed\n{trace}")
        return saga

    async def _ended(self, saga: Saga, until_ms: float) -> Saga:
        """Return the saga once it has ended, or as it stands at `until_ms`."""
        context = self._context
        task = self._driven.get(saga.id)
        if task is not None:
            left_ms = until_ms - context.clock.monotonic_ms()
            await asyncio.wait({task}, timeout=max(0.0, left_ms / 1000))
            if task.done() and not task.cancelled():
                saga = task.result()
        tick_ms = context.settings.scaled(context.settings.tick_ms)
        while not saga.has_ended:
            left_ms = until_ms - context.clock.monotonic_ms()
            # Looked at even when no time is left: somebody else may have driven it meanwhile.
            saga = await self._present(saga)
            if left_ms <= 0:
                break
            if not saga.has_ended:
                await context.clock.sleep_ms(min(tick_ms, left_ms))
        return saga
