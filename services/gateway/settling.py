"""Refunds that change by themselves: a worker that carries out each settlement when it is due."""

from sqlalchemy import Connection

from ..chassis.clock import sleep_or_wake
from . import refunding
from .api import Parts
from .store import driver
from .work import Facts, Work

_IDLE_MS = 60_000
_BATCH = 50


async def settle_refunds(parts: Parts) -> None:
    """Carry out due settlements for ever; `parts.settling` says that a new one may have come."""
    while True:
        parts.settling.clear()
        work, next_ms = await parts.database.run(_settle_due, parts)
        parts.announce(work)
        wait_ms = _IDLE_MS if next_ms is None else max(0, next_ms - parts.clock.now_ms())
        await sleep_or_wake(parts.clock, min(wait_ms, _IDLE_MS), parts.settling)


def _settle_due(connection: Connection, parts: Parts) -> tuple[Work, int | None]:
    sql = driver(connection)
    work = parts.work(sql, Facts(request_id=None))
    due = sql.execute(
        "SELECT n, refund, outcome FROM settlements WHERE due_ms <= ? ORDER BY due_ms, n LIMIT ?",
        (work.now_ms, _BATCH),
    ).fetchall()
    for number, refund, outcome in due:
        refunding.settle(work, refund, outcome)
        sql.execute("DELETE FROM settlements WHERE n = ?", (number,))
    following = sql.execute("SELECT min(due_ms) FROM settlements").fetchone()[0]
    return work, following
