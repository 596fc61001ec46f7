"""Refunds that change by themselves: a worker that carries out each settlement when it is due."""

import asyncio
from typing import Any

from sqlalchemy import Connection

from . import journal, refunding
from .api import Parts
from .store import driver
from .work import Facts, Work

_IDLE_MS = 60_000
_BATCH = 50


async def settle_refunds(parts: Parts) -> None:
    """Carry out due settlements for ever; `parts.wake` says that a new one may have come."""
    while True:
        parts.wake.clear()
        rows, next_ms = await parts.database.run(_settle_due, parts)
        journal.announce(parts.events, rows)
        wait_ms = _IDLE_MS if next_ms is None else max(0, next_ms - parts.clock.now_ms())
        await _first_of(parts, min(wait_ms, _IDLE_MS))


async def _first_of(parts: Parts, wait_ms: int) -> None:
    """Wait for the wake-up or for `wait_ms` of the injected clock, whichever comes first."""
    asleep = asyncio.ensure_future(parts.clock.sleep_ms(wait_ms))
    woken = asyncio.ensure_future(parts.wake.wait())
    try:
        await asyncio.wait({asleep, woken}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        asleep.cancel()
        woken.cancel()


def _settle_due(connection: Connection, parts: Parts) -> tuple[list[dict[str, Any]], int | None]:
    sql, now = driver(connection), parts.clock.now_ms()
    work = Work(sql=sql, ids=parts.ids, facts=Facts(request_id=None), now_ms=now, visible_ms=now)
    due = sql.execute(
        "SELECT n, refund, outcome FROM settlements WHERE due_ms <= ? ORDER BY due_ms, n LIMIT ?",
        (now, _BATCH),
    ).fetchall()
    for number, refund, outcome in due:
        refunding.settle(work, refund, outcome)
        sql.execute("DELETE FROM settlements WHERE n = ?", (number,))
    following = sql.execute("SELECT min(due_ms) FROM settlements").fetchone()[0]
    return work.rows, following
