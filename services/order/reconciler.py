"""The background loop that ends what a handler could not: crashes, lost answers, cancels.

Takes pending orders that are due and whose lease has run out, leases them to itself with a higher
fence number, and lets the resolver do the next step. Bounded: so many at a time, each under its
lease. A step that raises leaves its order to the lease's end, and a later tick.
"""

import asyncio
import sys
import traceback

from . import commits
from .commits import Due
from .context import Context
from .resolver import Resolver, lease_until_ms

AT_ONCE = 16  # orders in recovery at a time: enough for a burst, too few to bury payment


class Reconciler:
    """Looks for due orders every `tick_ms`, or at once when woken."""

    def __init__(self, context: Context, resolver: Resolver) -> None:
        self._context = context
        self._resolver = resolver
        self._woken = asyncio.Event()
        self._open = 0

    def wake(self) -> None:
        """Look now rather than at the next tick."""
        self._woken.set()

    async def run(self) -> None:
        """Reconcile until cancelled; steps under way are cancelled with it."""
        settings = self._context.settings
        tick_s = settings.scaled(settings.tick_ms) / 1000
        async with asyncio.TaskGroup() as steps:
            while True:
                for due in await self._lease_due():
                    self._open += 1
                    steps.create_task(self._resolve(due))
                try:
                    async with asyncio.timeout(tick_s):
                        await self._woken.wait()
                except TimeoutError:
                    continue
                self._woken.clear()

    async def _lease_due(self) -> list[Due]:
        free = AT_ONCE - self._open
        if free <= 0:
            return []
        now_ms, until_ms = self._context.clock.now_ms(), lease_until_ms(self._context)
        db = self._context.db
        try:
            if not await db.read(commits.is_any_due, now_ms):
                return []
            return await db.run(commits.lease_due, now_ms, until_ms, free)
        except Exception as error:  # noqa: BLE001 - the loop must outlive a database that is down
            _record("looking for due orders", error)
            return []

    async def _resolve(self, due: Due) -> None:
        order, lease = due.order, due.lease
        events = self._context.events
        events.emit("lease.taken", order=order.id, name="orders", fence=lease.fence)
        try:
            after = await self._resolver.advance(order, lease, attempts=due.attempts, tries=1)
            if after.cancel_wanted and not (order.cancel_wanted or after.is_decided):
                self.wake()
        except Exception as error:  # noqa: BLE001 - the outermost boundary of one step
            _record(f"resolving {order.id}", error)
        finally:
            self._open -= 1


def _record(doing: str, error: Exception) -> None:
    trace = "".join(traceback.format_exception(error))
    sys.stderr.write(f"order: {doing} failed; a later tick tries again\n{trace}")
