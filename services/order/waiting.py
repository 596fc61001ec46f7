"""Requests that wait for what a message will bring: woken by the news, bounded by a budget."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from . import store
from .context import Context
from .order import Order


class Waiting:
    """Who waits for which order, in this process."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._waiting: dict[str, set[asyncio.Event]] = {}

    def decided(self, order_id: str) -> None:
        """Wake whoever waits for this order."""
        for event in self._waiting.get(order_id, ()):
            event.set()

    async def until_decided(self, order: Order) -> Order:
        """Return the order once it is decided, or as it stands when the budget is spent.

        Looks every tick too: the news may have reached another instance of this service.
        """
        context, settings = self._context, self._context.settings
        until_ms = context.clock.monotonic_ms() + settings.scaled(settings.answer_ms)
        tick_ms = settings.scaled(settings.tick_ms)
        with self._listening(order.id) as event:
            while not order.is_decided:
                left_ms = until_ms - context.clock.monotonic_ms()
                if left_ms <= 0:
                    break
                try:
                    async with asyncio.timeout(min(left_ms, tick_ms) / 1000):
                        await event.wait()
                except TimeoutError:
                    pass
                present = await context.db.read(store.order_by_id, order.id)
                order = present or order
        return order

    @contextmanager
    def _listening(self, order_id: str) -> Iterator[asyncio.Event]:
        event = asyncio.Event()
        self._waiting.setdefault(order_id, set()).add(event)
        try:
            yield event
        finally:
            self._waiting[order_id].discard(event)
            if not self._waiting[order_id]:
                del self._waiting[order_id]
