"""Rows of documents: insert, replace, find, page. Takes the driver's own connection.

Statements are plain SQL with positional parameters, prepared once by the driver's cache; through
SQLAlchemy's execution layer each would cost several times as much, and a charge writes a dozen.
"""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from pydantic_core import to_json
from sqlalchemy import Connection

from . import charges, intents, refunds
from .charges import Charge
from .errors import JsonObject, no_such
from .intents import Intent
from .refunds import Refund


def encode(document: object) -> str:
    """Return a document as compact JSON; pydantic's encoder takes a quarter of json's time."""
    return to_json(document).decode()


# The kind of an object by the prefix of its id: its table, and its name in Stripe's errors.
TABLES: Mapping[str, tuple[str, str]] = {
    "pi": ("intents", "payment_intent"),
    "ch": ("charges", "charge"),
    "re": ("refunds", "refund"),
    "pm": ("payment_methods", "PaymentMethod"),
    "txn": ("balance_transactions", "balance_transaction"),
    "evt": ("events", "event"),
    "we": ("webhook_endpoints", "webhook_endpoint"),
}


def driver(connection: Connection) -> sqlite3.Connection:
    """Return the driver's connection inside the transaction that `connection` is in."""
    return cast(sqlite3.Connection, connection.connection.dbapi_connection)


def masked(intent: Intent) -> Intent:
    """Return what reads say of an intent whose outcome is not revealed yet."""
    return replace(
        intent,
        status=intents.Status.PROCESSING,
        amount_capturable=0,
        amount_received=0,
        latest_charge=None,
        last_payment_error=None,
    )


def find(sql: sqlite3.Connection, object_id: str, *, prefix: str, now_ms: int) -> str:
    """Return the visible document of one object as JSON; 404 `resource_missing` without one."""
    table, kind = TABLES[prefix]
    if prefix == "pi":
        return intent_json(sql, object_id, now_ms=now_ms)
    row = sql.execute(
        f"SELECT document FROM {table} WHERE id = ? AND created_ms <= ?",  # noqa: S608 - own table names
        (object_id, now_ms),
    ).fetchone()
    if row is None:
        raise no_such(kind, object_id)
    return str(row[0])


def intent_json(sql: sqlite3.Connection, intent_id: str, *, now_ms: int) -> str:
    """Return the visible document of an intent as JSON text."""
    document, until = _intent_row(sql, intent_id)
    if until > now_ms:
        return encode(masked(intents.of(json.loads(document))).wire())
    return document


def find_intent(sql: sqlite3.Connection, intent_id: str, *, now_ms: int) -> Intent:
    """Return an intent as anybody may see it; every rule acts on that sight."""
    document, until = _intent_row(sql, intent_id)
    intent = intents.of(json.loads(document))
    return masked(intent) if until > now_ms else intent


def true_intent(sql: sqlite3.Connection, intent_id: str) -> Intent:
    """Return an intent as it is, whatever reads say."""
    return intents.of(json.loads(_intent_row(sql, intent_id)[0]))


def _intent_row(sql: sqlite3.Connection, intent_id: str) -> tuple[str, int]:
    row = sql.execute(
        "SELECT document, masked_until_ms FROM intents WHERE id = ?", (intent_id,)
    ).fetchone()
    if row is None:
        raise no_such("payment_intent", intent_id)
    document, until = row
    return str(document), int(until)


def insert_intent(
    sql: sqlite3.Connection, intent: Intent, document: str, *, now_ms: int, masked_until_ms: int
) -> None:
    """Write a new intent."""
    sql.execute(
        "INSERT INTO intents (id, created_ms, changed_ms, masked_until_ms, order_id, user_id, "
        "document) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            intent.id,
            now_ms,
            now_ms,
            masked_until_ms,
            intent.order_id,
            intent.metadata.get("user_id"),
            document,
        ),
    )


def update_intent(
    sql: sqlite3.Connection, intent: Intent, document: str, *, now_ms: int, masked_until_ms: int
) -> None:
    """Replace an intent's document."""
    sql.execute(
        "UPDATE intents SET changed_ms = ?, masked_until_ms = ?, order_id = ?, user_id = ?, "
        "document = ? WHERE id = ?",
        (
            now_ms,
            masked_until_ms,
            intent.order_id,
            intent.metadata.get("user_id"),
            document,
            intent.id,
        ),
    )


def insert_charge(
    sql: sqlite3.Connection, charge: Charge, document: str, *, created_ms: int
) -> None:
    """Write a new charge, seen from `created_ms` on."""
    sql.execute(
        "INSERT INTO charges (id, created_ms, payment_intent, status, amount, amount_captured, "
        "amount_refunded, document) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            charge.id,
            created_ms,
            charge.payment_intent,
            charge.status,
            charge.amount,
            charge.amount_captured,
            charge.amount_refunded,
            document,
        ),
    )


def update_charge(sql: sqlite3.Connection, charge: Charge, document: str) -> None:
    """Replace a charge's document and sums; the database refuses sums that make money."""
    sql.execute(
        "UPDATE charges SET amount_captured = ?, amount_refunded = ?, document = ? WHERE id = ?",
        (charge.amount_captured, charge.amount_refunded, document, charge.id),
    )


def find_charge(sql: sqlite3.Connection, charge_id: str, *, now_ms: int) -> Charge:
    """Return a visible charge."""
    return charges.of(json.loads(find(sql, charge_id, prefix="ch", now_ms=now_ms)))


def insert_refund(sql: sqlite3.Connection, refund: Refund, document: str, *, now_ms: int) -> None:
    """Write a new refund."""
    sql.execute(
        "INSERT INTO refunds (id, created_ms, payment_intent, charge, status, amount, document) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            refund.id,
            now_ms,
            refund.payment_intent,
            refund.charge,
            refund.status,
            refund.amount,
            document,
        ),
    )


def update_refund(sql: sqlite3.Connection, refund: Refund, document: str) -> None:
    """Replace a refund's document and state."""
    sql.execute(
        "UPDATE refunds SET status = ?, document = ? WHERE id = ?",
        (refund.status, document, refund.id),
    )


def find_refund(sql: sqlite3.Connection, refund_id: str, *, now_ms: int) -> Refund:
    """Return a refund."""
    return refunds.of(json.loads(find(sql, refund_id, prefix="re", now_ms=now_ms)))


def given_back(sql: sqlite3.Connection, charge_id: str) -> int:
    """Return what live refunds take of a charge, pending ones included."""
    row = sql.execute(
        "SELECT coalesce(sum(amount), 0) FROM refunds "
        "WHERE charge = ? AND status IN ('pending', 'succeeded')",
        (charge_id,),
    ).fetchone()
    return int(row[0])


def insert_payment_method(
    sql: sqlite3.Connection, document: JsonObject, *, number: str, now_ms: int
) -> None:
    """Write a payment method beside the number that decides what it does."""
    sql.execute(
        "INSERT INTO payment_methods (id, created_ms, number, document) VALUES (?, ?, ?, ?)",
        (document["id"], now_ms, number, encode(document)),
    )


def number_of(sql: sqlite3.Connection, payment_method: str) -> str:
    """Return the number behind a payment method made here; 404 without one."""
    row = sql.execute(
        "SELECT number FROM payment_methods WHERE id = ?", (payment_method,)
    ).fetchone()
    if row is None:
        raise no_such("PaymentMethod", payment_method, param="payment_method")
    return str(row[0])


def insert_balance_transaction(
    sql: sqlite3.Connection, document: Mapping[str, Any], *, created_ms: int
) -> None:
    """Write one line of the account's balance."""
    sql.execute(
        "INSERT INTO balance_transactions (id, created_ms, document) VALUES (?, ?, ?)",
        (document["id"], created_ms, encode(document)),
    )
