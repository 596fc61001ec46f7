"""The background loop that ends what a handler could not: crashes, lost answers, long undoings.

Takes running sagas that are due and whose lease has run out, whoever held it, leases them to
itself with a higher fence number and drives them one call a step. Bounded: so many at a time. One
that raises leaves its saga to the lease's end, and a later tick. Two orchestrators on one database
may run it side by side: a lease is taken by one.
"""

import asyncio
import sys
import traceback

from . import saga_log
from .context import Context
from .driving import Driver
from .saga import Saga

AT_ONCE = 16  # sagas in recovery at a time: enough for a burst, too few to bury a participant


class Recovery:
    """Looks for due sagas every `tick_ms`."""

    def __init__(self, context: Context, driver: Driver) -> None:
        self._context = context
        self._driver = driver
        self._open = 0

    async def run(self) -> None:
        """Recover until cancelled; sagas under way are left to their leases then."""
        settings = self._context.settings
        tick_ms = settings.scaled(settings.tick_ms)
        async with asyncio.TaskGroup() as driven:
            while True:
                for saga in await self._lease_due():
                    self._open += 1
                    driven.create_task(self._resume(saga))
                await self._context.clock.sleep_ms(tick_ms)

    async def _lease_due(self) -> list[Saga]:
        free = AT_ONCE - self._open
        if free <= 0:
            return []
        context = self._context
        now_ms, until_ms = context.clock.now_ms(), context.lease_until_ms()
        try:
            if not await context.db.read(saga_log.is_any_due, now_ms):
                return []
            return await context.db.run(saga_log.lease_due, now_ms, until_ms, free)
        except Exception as error:  # noqa: BLE001 - the loop must outlive a database that is down
            _record("looking for due sagas", error)
            return []

    async def _resume(self, saga: Saga) -> None:
        self._context.events.emit(
            "lease.taken", order=saga.order_id, name="sagas", fence=saga.fence
        )
        try:
            await self._driver.drive(saga, tries=1)
        except Exception as error:  # noqa: BLE001 - the outermost boundary of one saga
            _record(f"resuming {saga.id}", error)
        finally:
            self._open -= 1


def _record(doing: str, error: Exception) -> None:
    trace = "".join(traceback.format_exception(error))
    sys.stderr.write(f"orchestrator: {doing} failed; a later tick tries again\n{trace}")
