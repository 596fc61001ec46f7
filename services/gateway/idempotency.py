"""Idempotency keys as Stripe has them: replay, mismatch, conflict, expiry, release.

Source: docs.stripe.com/api/idempotent_requests.

One namespace per account, whatever the path. A row without a status is a reservation: its first
request is still executing.

**Reservation and execution share one commit** unless a control holds the execution. The
usual way is a reservation committed before execution, so that a duplicate meets it (409) and a
crash leaves it behind (released at the next start). Look-up, execution and answer run here as one
function that never awaits, in one transaction: no duplicate can come between, a crash takes back
the whole of it, and the key is as free as a released one, with no effect behind it. The row is
still unique by its primary key. Only where something waits in between (`slow_execution`) can the
reservation be observed, and there it is committed first. It saves an fsync per request.
"""

import sqlite3
from dataclasses import dataclass

from .errors import InvalidRequest, KeyInUse, KeyReused

LIFETIME_MS = 24 * 60 * 60 * 1000
MAX_LENGTH = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """The answer of the first request under a key."""

    status: int
    body: str
    request_id: str
    order_id: str | None
    payment_intent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A key and what its request asked for; `boot` names the process that executes it."""

    key: str
    endpoint: str
    digest: str
    boot: str
    request_id: str
    now_ms: int


def check(key: str | None) -> str | None:
    """Return the key of a POST, or None without one; too long a key is a 400."""
    if key is not None and not 0 < len(key) <= MAX_LENGTH:
        raise InvalidRequest(
            f"Idempotency keys may be 1 to {MAX_LENGTH} characters long; this one has {len(key)}."
        )
    return key


def look_up(sql: sqlite3.Connection, claim: Claim) -> Saved | None:
    """Return the saved answer to repeat, or None when this key is new (or has expired).

    Raises KeyReused for other parameters or another endpoint, KeyInUse while in flight.
    """
    row = sql.execute(
        "SELECT endpoint, digest, created_ms, request_id, order_id, payment_intent, status, body "
        "FROM idempotency_keys WHERE key = ?",
        (claim.key,),
    ).fetchone()
    if row is None:
        return None
    endpoint, digest, created_ms, request_id, order_id, payment_intent, status, body = row
    if status is not None and created_ms <= claim.now_ms - LIFETIME_MS:
        sql.execute("DELETE FROM idempotency_keys WHERE key = ?", (claim.key,))
        return None
    if endpoint != claim.endpoint:
        raise KeyReused(
            "Keys for idempotent requests can only be used for the same endpoint they were first "
            f"used for ('{endpoint}' vs '{claim.endpoint}'). Try using a key other than "
            f"'{claim.key}' if you meant to execute a different request."
        )
    if digest != claim.digest:
        raise KeyReused(
            "Keys for idempotent requests can only be used with the same parameters they were "
            f"first used with. Try using a key other than '{claim.key}' if you meant to execute "
            "a different request."
        )
    if status is None:
        raise KeyInUse(claim.key)
    return Saved(
        status=status,
        body=body,
        request_id=request_id,
        order_id=order_id,
        payment_intent=payment_intent,
    )


def owner(sql: sqlite3.Connection, key: str) -> tuple[str | None, str | None]:
    """Return the order and the intent that a known key was first used for."""
    row = sql.execute(
        "SELECT order_id, payment_intent FROM idempotency_keys WHERE key = ?", (key,)
    ).fetchone()
    return (None, None) if row is None else (row[0], row[1])


def reserve(
    sql: sqlite3.Connection, claim: Claim, *, order_id: str | None, payment_intent: str | None
) -> None:
    """Write the reservation of a request whose execution is held."""
    _insert(sql, claim, order_id, payment_intent, None, None)


def save(
    sql: sqlite3.Connection,
    claim: Claim,
    *,
    order_id: str | None,
    payment_intent: str | None,
    status: int,
    body: str,
) -> None:
    """Write the answer under its key, reserved before or not."""
    _insert(sql, claim, order_id, payment_intent, status, body)


def advance(sql: sqlite3.Connection, *, advance_ms: int) -> None:
    """Let every key grow older by `advance_ms`: the gateway's clock as far as expiry goes."""
    sql.execute("UPDATE idempotency_keys SET created_ms = created_ms - ?", (advance_ms,))


def release(
    sql: sqlite3.Connection, *, now_ms: int
) -> list[tuple[str, str | None, str | None, str, str]]:
    """Delete the reservations of earlier boots, and expired keys; called before any request.

    Gives (key, order, intent, request id, boot) of each reservation: its request never executed.
    """
    orphans = sql.execute(
        "SELECT key, order_id, payment_intent, request_id, boot FROM idempotency_keys "
        "WHERE status IS NULL"
    ).fetchall()
    sql.execute("DELETE FROM idempotency_keys WHERE status IS NULL")
    sql.execute(
        "DELETE FROM idempotency_keys WHERE status IS NOT NULL AND created_ms <= ?",
        (now_ms - LIFETIME_MS,),
    )
    return orphans


def in_flight(sql: sqlite3.Connection) -> list[str]:
    """Return the keys whose first request is still executing."""
    return [key for (key,) in sql.execute("SELECT key FROM idempotency_keys WHERE status IS NULL")]


def _insert(
    sql: sqlite3.Connection,
    claim: Claim,
    order_id: str | None,
    payment_intent: str | None,
    status: int | None,
    body: str | None,
) -> None:
    # DO UPDATE only ever finds this request's own reservation: look_up refused all others.
    sql.execute(
        "INSERT INTO idempotency_keys (key, endpoint, digest, boot, created_ms, request_id, "
        "order_id, payment_intent, status, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (key) DO UPDATE SET status = excluded.status, body = excluded.body, "
        "order_id = excluded.order_id, payment_intent = excluded.payment_intent "
        "WHERE idempotency_keys.status IS NULL",
        (
            claim.key,
            claim.endpoint,
            claim.digest,
            claim.boot,
            claim.now_ms,
            claim.request_id,
            order_id,
            payment_intent,
            status,
            body,
        ),
    )
