"""The outbox of webhooks: deliveries written with the effect they tell of, and their fate.

A delivery is a row per event and endpoint, in the transaction of the event's cause, so
that a crash forgets none. It is due at once, or when its event may be seen; it is repeated after
the waits of `RETRY_MS` and then counts as undelivered. The event controls act here, as the row is
written: no dice and no clock decide later.
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ..chassis.ids import Ids
from . import controls
from .controls import Controls, Fault, Target
from .endpoints import Endpoint
from .intents import Intent, Status
from .store import encode

RETRY_MS = (200, 500, 1000, 2000, 4000)  # before scaling; Stripe's sandbox: three tries over hours
SWAP_LIMIT_MS = 2000  # how long `event_swap` waits for a successor unless it is told
# Of an event in the table `events`: somebody was not told of it, be it not yet or for good.
OPEN_OR_FAILED = (
    "SELECT 1 FROM deliveries d WHERE d.event = events.id AND d.state IN "
    "('due', 'held', 'undelivered')"
)
FORGED = "payment_intent.succeeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event as the outbox takes it; its text is in the events table."""

    id: str
    type: str
    created_ms: int
    about: Intent


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One delivery that is due, with the body to send."""

    n: int
    event: str
    type: str
    endpoint: str
    order_id: str | None
    payment_intent: str
    attempts: int
    forged: bool
    body: str


@dataclass(slots=True, kw_only=True)
class Outbox:
    """Who is to be told of what; the endpoints are kept in memory, deliveries in the database."""

    controls: Controls
    endpoints: tuple[Endpoint, ...] = field(default=())

    @property
    def is_open(self) -> bool:
        """Whether anybody is registered at all."""
        return bool(self.endpoints)

    def put(self, sql: sqlite3.Connection, told: Told, *, ids: Ids, now_ms: int) -> list[Fault]:
        """Write the deliveries of an event and return the controls that struck."""
        takers = [endpoint for endpoint in self.endpoints if endpoint.takes(told.type)]
        used: list[Fault] = []
        if self.controls:
            target = Target(
                operations=frozenset({told.type}),
                order_id=told.about.order_id,
                user=told.about.metadata.get("user_id"),
            )
            forgery = self.controls.fire(sql, "forge", target)
            if forgery is not None:
                _forge(sql, self.endpoints, told, forgery, event=ids.new("evt"), now_ms=now_ms)
                used.append(forgery)
            fault = self.controls.fire(sql, "event", target) if takers else None
            if fault is not None:
                used.append(fault)
                takers = _strike(sql, takers, told, fault, now_ms=now_ms)
            for struck in used:
                controls.use(sql, struck)
        for endpoint in takers:
            _insert(sql, told, endpoint.id, due_ms=told.created_ms)
        return used


def _strike(
    sql: sqlite3.Connection, takers: Sequence[Endpoint], told: Told, fault: Fault, *, now_ms: int
) -> list[Endpoint]:
    """Do what an event control says; return the endpoints that still get the event as usual."""
    ms = fault.parameters.get("ms", SWAP_LIMIT_MS)
    for endpoint in takers:
        match fault.name:
            case "event_drop":
                _insert(sql, told, endpoint.id, due_ms=None, state="undelivered")
            case "event_delay":
                _insert(sql, told, endpoint.id, due_ms=max(told.created_ms, now_ms) + ms)
            case "event_swap":
                due_ms = max(told.created_ms, now_ms) + ms
                _insert(sql, told, endpoint.id, due_ms=due_ms, state="held")
            case _:  # event_duplicate: one here, and one as usual
                _insert(sql, told, endpoint.id, due_ms=told.created_ms)
    return list(takers) if fault.name == "event_duplicate" else []


def _forge(
    sql: sqlite3.Connection,
    endpoints: Sequence[Endpoint],
    told: Told,
    fault: Fault,
    *,
    event: str,
    now_ms: int,
) -> None:
    """Write what a stranger would send who knows the intent but not the secret: that it is paid."""
    paid = replace(told.about, status=Status.SUCCEEDED, amount_received=told.about.amount)
    body = encode(
        {
            "id": event,
            "object": "event",
            "created": now_ms // 1000,
            "data": {"object": paid.wire()},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": FORGED,
        }
    )
    forged = replace(told, id=event, type=FORGED)
    due_ms = now_ms + fault.parameters["ms"]
    for endpoint in endpoints:
        _insert(sql, forged, endpoint.id, due_ms=due_ms, state="forged", body=body)


def _insert(
    sql: sqlite3.Connection,
    told: Told,
    endpoint: str,
    *,
    due_ms: int | None,
    state: str = "due",
    body: str | None = None,
) -> None:
    sql.execute(
        "INSERT INTO deliveries (event, type, endpoint, order_id, payment_intent, state, due_ms, "
        "attempts, body) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)",
        (
            told.id,
            told.type,
            endpoint,
            told.about.order_id,
            told.about.id,
            state,
            due_ms,
            body,
        ),
    )


# ---- sending ------------------------------------------------------------------------------------


def due(sql: sqlite3.Connection, *, now_ms: int, at_most: int) -> tuple[list[Delivery], int | None]:
    """Return deliveries that are due, oldest first, and when the next one after now will be."""
    rows = sql.execute(
        "SELECT d.n, d.event, d.type, d.endpoint, d.order_id, d.payment_intent, d.attempts, "
        "d.state = 'forged', coalesce(d.body, e.document) "
        "FROM deliveries d LEFT JOIN events e ON e.id = d.event "
        "WHERE d.due_ms <= ? ORDER BY d.due_ms, d.n LIMIT ?",
        (now_ms, at_most),
    ).fetchall()
    following = sql.execute(
        "SELECT min(due_ms) FROM deliveries WHERE due_ms > ?", (now_ms,)
    ).fetchone()[0]
    return [_delivery(*row) for row in rows], following


def _delivery(  # noqa: PLR0913, PLR0917 - one per column
    n: int,
    event: str,
    kind: str,
    endpoint: str,
    order_id: str | None,
    payment_intent: str,
    attempts: int,
    forged: int,
    body: str,
) -> Delivery:
    return Delivery(
        n=n,
        event=event,
        type=kind,
        endpoint=endpoint,
        order_id=order_id,
        payment_intent=payment_intent,
        attempts=attempts,
        forged=bool(forged),
        body=body,
    )


def delivered(sql: sqlite3.Connection, delivery: Delivery, *, now_ms: int) -> None:
    """Note that a delivery was acknowledged; what was held for its sake goes out next."""
    state = "forged" if delivery.forged else "delivered"
    _end(sql, delivery, state)
    sql.execute(
        "UPDATE deliveries SET state = 'due', due_ms = ? "
        "WHERE payment_intent = ? AND endpoint = ? AND state = 'held' AND n < ?",
        (now_ms, delivery.payment_intent, delivery.endpoint, delivery.n),
    )


def failed(sql: sqlite3.Connection, delivery: Delivery, *, now_ms: int, scale: float) -> bool:
    """Note that a try failed and return whether there will be another."""
    if delivery.forged:  # a stranger does not insist
        _end(sql, delivery, "forged")
        return False
    if delivery.attempts >= len(RETRY_MS):
        _end(sql, delivery, "undelivered")
        return False
    due_ms = now_ms + round(RETRY_MS[delivery.attempts] * scale)
    sql.execute(
        "UPDATE deliveries SET state = 'due', due_ms = ?, attempts = attempts + 1 WHERE n = ?",
        (due_ms, delivery.n),
    )
    return True


def given_up(sql: sqlite3.Connection, delivery: Delivery) -> None:
    """Note that nobody is there any more to send it to."""
    _end(sql, delivery, "undelivered")


def _end(sql: sqlite3.Connection, delivery: Delivery, state: str) -> None:
    sql.execute(
        "UPDATE deliveries SET state = ?, due_ms = NULL, attempts = attempts + 1 WHERE n = ?",
        (state, delivery.n),
    )


def waiting(sql: sqlite3.Connection) -> list[str]:
    """Return the events still to be delivered; those undelivered for good are not waited for."""
    return [
        row[0]
        for row in sql.execute(
            "SELECT event FROM deliveries WHERE due_ms IS NOT NULL ORDER BY due_ms, n"
        )
    ]


def pending(sql: sqlite3.Connection, document: str) -> str:
    """Return an event's document with `pending_webhooks` as it stands now."""
    event: dict[str, object] = json.loads(document)
    row = sql.execute(
        "SELECT count(DISTINCT endpoint) FROM deliveries "
        "WHERE event = ? AND state NOT IN ('delivered', 'forged')",
        (event["id"],),
    ).fetchone()
    return encode(event | {"pending_webhooks": row[0]}) if row[0] else document
