"""Reading: every ledger, on direct ports, twice; a ledger that will not stand still is unknown."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from checkout_sim.model.errors import LedgerUnreadable
from checkout_sim.model.plan import Shopper
from checkout_sim.runner.ports import Ledgers, Shop
from checkout_sim.runner.recording import Recording


async def read_ledgers(ledgers: Ledgers, recording: Recording) -> None:
    """Record every row of every ledger, and whether a second reading gave the same."""
    for name in ledgers.names:
        try:
            digest, rows = hashlib.sha256(), 0
            async for row in ledgers.read(name):
                digest.update(_canonical(row))
                rows += 1
                order = row.get("order_id")
                recording("ledger", "ledger.read", order=order, data={"name": name, "row": row})
            again = hashlib.sha256()
            async for row in ledgers.read(name):
                again.update(_canonical(row))
        except LedgerUnreadable as unreadable:
            recording("ledger", "ledger.failed", data={"name": name, "message": str(unreadable)})
            continue
        if digest.digest() == again.digest():
            data = {"name": name, "rows": rows, "digest": digest.hexdigest()[:16]}
            recording("ledger", "ledger.ended", data=data)
        else:
            message = f"the ledger {name} changed between two readings"
            recording("ledger", "ledger.failed", data={"name": name, "message": message})


async def find_indefinite(shop: Shop, shoppers: Sequence[Shopper], recording: Recording) -> None:
    """Look up, as a shopper would, each order whose shopper was told nothing definite."""
    for shopper in shoppers:
        for order_id in recording.attribution.orders.get(shopper.checkout, ()):
            found = await shop.find(order_id)
            recording(
                "client",
                "client.found",
                checkout=shopper.checkout,
                order=order_id,
                data={"http_status": found.http_status, "status": found.status},
            )


def _canonical(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, sort_keys=True).encode()
