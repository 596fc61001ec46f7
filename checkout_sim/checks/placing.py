"""Placing: which table of the evidence an observation belongs to, and as which row.

Pure: one function per kind, `(observation, dense) -> (table, row)`, where `dense` gives the
integer of an order id. The kinds and their `data` are those of `model/history.py` and
`services/README.md`. Judging a million orders begins here, so these functions do little.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from checkout_sim.model.history import Observation

Dense = Callable[[str | None], int]
Placed = tuple[str, tuple[Any, ...]]
Placing = Callable[[Observation, Dense], Placed]

_SHOPPER = re.compile(r"(?:shopper|proof)-(\d+)")
# What a journal row adds to the money an order holds.
_SIGN = {"captured": 1, "refunded": -1, "refund_failed": 1}


def checkout_of_user(user_id: str) -> int | None:
    """Return the checkout that shops as this user, or None for a user of nobody's plan."""
    found = _SHOPPER.fullmatch(user_id)
    return int(found.group(1)) if found else None


def placing_of(kind: str) -> Placing:
    """Return what gives the table and the row of every observation of a kind."""
    return _BY_KIND.get(kind, _event)


def _event(seen: Observation, dense: Dense) -> Placed:
    if seen.order is None:
        return _remark(seen, dense)
    return "event", (dense(seen.order), seen.id, seen.kind, seen.source, seen.source_ms)


def _ledger_read(seen: Observation, dense: Dense) -> Placed:
    return _LEDGERS.get(seen.data["name"], _remark)(seen, dense)


def _transition(seen: Observation, dense: Dense) -> Placed:
    checkout = None
    if seen.kind == "order.created":
        checkout = seen.checkout or checkout_of_user(str(seen.data.get("user_id", "")))
    return "transition", (dense(seen.order), seen.id, seen.kind, seen.source_ms, checkout)


def _call(seen: Observation, dense: Dense) -> Placed:
    data = seen.data
    return "call", (
        seen.id,
        seen.kind,
        seen.t_ms,
        seen.source,
        dense(seen.order),
        data.get("link"),
        data.get("call_id"),
        data.get("attempt"),
        data.get("operation"),
        data.get("error"),
        data.get("duration_ms"),
        seen.source_ms,
        data.get("instance", 1),
    )


def _sent(seen: Observation, _: Dense) -> Placed:
    data = seen.data
    return "sent", (
        seen.checkout,
        data.get("attempt", 1),
        seen.id,
        seen.key,
        data.get("body_digest"),
        bool(data.get("proof")),
        data.get("patience_ms"),
    )


def _ended(seen: Observation, dense: Dense) -> Placed:
    data = seen.data
    document: Mapping[str, Any] = data.get("document") or {}
    return "ended", (
        seen.checkout,
        data.get("attempt", 1),
        seen.id,
        seen.t_ms,
        data["claim"],
        data.get("http_status"),
        data.get("error"),
        data.get("duration_ms"),
        dense(document.get("order_id")),
        document.get("status"),
        bool(data.get("proof")),
    )


def _found(seen: Observation, dense: Dense) -> Placed:
    data = seen.data
    row = (seen.id, seen.checkout, dense(seen.order), data.get("http_status"), data.get("status"))
    return "found", row


def _cancel_ended(seen: Observation, dense: Dense) -> Placed:
    status = seen.data.get("http_status")
    return "canceled", (seen.id, seen.checkout, dense(seen.order), status)


def _order_row(seen: Observation, dense: Dense) -> Placed:
    row = seen.data["row"]
    checkout = checkout_of_user(row["user_id"])
    status, total = row["status"], row["total_minor"]
    return "order_row", (dense(row["order_id"]), checkout, status, total, row["currency"], seen.id)


def _payment_row(seen: Observation, dense: Dense) -> Placed:
    row = seen.data["row"]
    return "payment_row", (
        dense(row["order_id"]),
        seen.id,
        row["status"],
        row["amount_minor"],
        row["currency"],
        row.get("payment_intent"),
        json.dumps(row.get("keys") or []),
    )


def _journal_row(seen: Observation, dense: Dense) -> Placed:
    row = seen.data["row"]
    kind, amount = row["kind"], row.get("amount_minor")
    return "journal", (
        dense(row.get("order_id")),
        row["seq"],
        kind,
        _SIGN.get(kind, 0) * (amount or 0),
        row.get("payment_intent"),
        amount,
        row.get("currency"),
        row.get("idempotency_key"),
        row.get("label"),
        seen.id,
    )


def _cart_row(seen: Observation, dense: Dense) -> Placed:
    row = seen.data["row"]
    checkout = checkout_of_user(row["user_id"])
    if checkout is None:
        return _remark(seen, dense)
    lines = row["lines"]
    return "cart_row", (checkout, lines if isinstance(lines, int) else len(lines), seen.id)


def _saga_row(seen: Observation, dense: Dense) -> Placed:
    row = seen.data["row"]
    saga, state, direction = row["saga_id"], row["state"], row["direction"]
    return "saga_row", (dense(row["order_id"]), saga, state, direction, seen.id)


def _saga_step_row(seen: Observation, dense: Dense) -> Placed:
    row = seen.data["row"]
    said = (row["saga_id"], row["seq"], row["step"], row["phase"])
    return "saga_step_row", (dense(row["order_id"]), *said, seen.id)


def _outbox_row(seen: Observation, dense: Dense) -> Placed:
    row = seen.data["row"]
    said = (str(row["message_id"]), row["topic"], bool(row["sent"]))
    return seen.data["name"], (seen.id, dense(row.get("order_id")), *said)


def _inbox_row(seen: Observation, dense: Dense) -> Placed:
    row = seen.data["row"]
    said = (row["consumer"], str(row["message_id"]))
    return seen.data["name"], (seen.id, dense(row.get("order_id")), *said)


def _message(seen: Observation, dense: Dense) -> Placed:
    data = seen.data
    message_id = data.get("message_id")
    return "message", (
        seen.id,
        dense(seen.order),
        seen.kind,
        seen.source,
        seen.source_ms,
        data.get("consumer"),
        None if message_id is None else str(message_id),
        data.get("topic"),
        data.get("deliveries"),
    )


def _remark(seen: Observation, dense: Dense) -> Placed:
    return "remark", (
        seen.id,
        seen.t_ms,
        seen.source_ms,
        seen.source,
        seen.kind,
        seen.checkout,
        dense(seen.order),
        seen.fault,
        json.dumps(dict(seen.data)),
    )


_BY_KIND: Mapping[str, Placing] = {
    "client.sent": _sent,
    "client.ended": _ended,
    "client.found": _found,
    "client.cancel_ended": _cancel_ended,
    "order.created": _transition,
    "order.confirmed": _transition,
    "order.failed": _transition,
    "order.canceled": _transition,
    "call.started": _call,
    "call.ended": _call,
    "message.published": _message,
    "message.received": _message,
    "message.handled": _message,
    "message.deduplicated": _message,
    "message.dead_lettered": _message,
    "gateway.fault_used": _remark,
    "ledger.read": _ledger_read,
}

_LEDGERS: Mapping[str, Placing] = {
    "orders": _order_row,
    "payments": _payment_row,
    "journal": _journal_row,
    "carts": _cart_row,
    "sagas": _saga_row,
    "saga_steps": _saga_step_row,
    "order_outbox": _outbox_row,
    "payment_outbox": _outbox_row,
    "order_inbox": _inbox_row,
    "payment_inbox": _inbox_row,
}
LEDGER_TABLES: Mapping[str, str] = {
    "orders": "order_row",
    "payments": "payment_row",
    "journal": "journal",
    "carts": "cart_row",
    "sagas": "saga_row",
    "saga_steps": "saga_step_row",
    "order_outbox": "order_outbox",
    "payment_outbox": "payment_outbox",
    "order_inbox": "order_inbox",
    "payment_inbox": "payment_inbox",
}
