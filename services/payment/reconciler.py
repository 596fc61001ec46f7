"""Payment's reconciler: takes up what a crash, a timeout or a wish has left open.

Every tick, and when a webhook made a row due, it leases the rows that are due and owned by nobody,
and drives each one budget further. After a restart that is all recovery there is: the dead
process's leases run out.
"""

import asyncio
import sys
import traceback

from ..chassis.clock import sleep_or_wake
from ..chassis.errors import DatabaseUnavailable
from . import store
from .charging import Charging
from .context import Context
from .payment import Payment

BATCH = 64  # rows taken up at once; the rest waits for the next tick


async def reconcile(context: Context, charging: Charging) -> None:
    """Run for ever; errors of one row are told on stderr and do not stop the others."""
    tick_ms = context.settings.scaled(context.settings.tick_ms)
    while True:
        await sleep_or_wake(context.clock, tick_ms, context.wake)
        context.wake.clear()
        try:
            due = await context.db.read(store.due, now_ms=context.clock.now_ms(), at_most=BATCH)
        except DatabaseUnavailable as error:
            sys.stderr.write(f"payment's reconciler: {error.error}\n")
            continue
        await asyncio.gather(*(_resume(payment, charging) for payment in due))


async def _resume(payment: Payment, charging: Charging) -> None:
    try:
        taken = await charging.take_lease(payment)
        if taken is not None:
            await charging.drive(taken)
    except DatabaseUnavailable as error:
        sys.stderr.write(f"payment's reconciler, {payment.order_id}: {error.error}\n")
    except Exception:  # noqa: BLE001 - the outermost boundary of a worker: record it and live on
        sys.stderr.write(f"payment's reconciler, {payment.order_id}\n{traceback.format_exc()}")
