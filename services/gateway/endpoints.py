"""Webhook endpoints: who is to be told of which events, and with which secrets it is signed.

Kept in the database as documents like everything of /v1, and in memory for the hot path, which
asks at every event. The endpoint that `GATEWAY_WEBHOOK_URL` registers is `CONFIGURED`; it asks
for those events alone that a payment service acts upon, as Stripe advises.
"""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import JsonObject, no_such
from .parameters import DEFAULT_API_VERSION
from .settings import GatewaySettings
from .store import encode

CONFIGURED = "we_gateway_to_payment"
PATH = "/webhooks/stripe"
ROLL_MAX_MS = 24 * 60 * 60 * 1000  # Stripe: an old secret lives 24 hours at most

CONFIGURED_EVENTS = (
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "charge.refunded",
    "refund.updated",
    "refund.failed",
)
ALL = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A registered receiver. `old_secret` signs too until `old_until_ms`."""

    id: str
    url: str
    enabled_events: tuple[str, ...]
    secret: str
    old_secret: str | None
    old_until_ms: int
    enabled: bool

    def takes(self, kind: str) -> bool:
        """Tell whether events of that type are sent here."""
        return self.enabled and (ALL in self.enabled_events or kind in self.enabled_events)

    def secrets(self, now_ms: int) -> tuple[str, ...]:
        """Return the secrets to sign with: two while one is rolled."""
        if self.old_secret is not None and now_ms < self.old_until_ms:
            return self.secret, self.old_secret
        return (self.secret,)


def roll(
    sql: sqlite3.Connection, endpoint: str, *, secret: str, expires_after_ms: int, now_ms: int
) -> str:
    """Give an endpoint a new secret and return it; the old one signs too for so long.

    Stripe offers this in its dashboard, not in its API. 404 without such an endpoint.
    """
    found(sql, endpoint)
    sql.execute(
        "UPDATE webhook_endpoints SET old_secret = secret, old_until_ms = ?, secret = ? "
        "WHERE id = ?",
        (now_ms + expires_after_ms, secret, endpoint),
    )
    return secret


def configure(sql: sqlite3.Connection, settings: GatewaySettings, *, now_ms: int) -> None:
    """Register the endpoint the settings name, at every start anew; without a URL there is none."""
    sql.execute("DELETE FROM webhook_endpoints WHERE id = ?", (CONFIGURED,))
    if not settings.webhook_url:
        return
    document = document_of(
        CONFIGURED,
        url=settings.webhook_url.rstrip("/") + PATH,
        enabled_events=CONFIGURED_EVENTS,
        created=now_ms // 1000,
    )
    secret = settings.webhook_secret.get_secret_value()
    insert(sql, document, secret=secret, now_ms=now_ms)


def load(sql: sqlite3.Connection) -> tuple[Endpoint, ...]:
    """Return every endpoint, as the hot path keeps them."""
    rows = sql.execute(
        "SELECT document, secret, old_secret, old_until_ms FROM webhook_endpoints ORDER BY n"
    )
    return tuple(
        _endpoint(json.loads(text), secret=secret, old_secret=old, old_until_ms=until)
        for text, secret, old, until in rows
    )


def _endpoint(
    document: Mapping[str, Any], *, secret: str, old_secret: str | None, old_until_ms: int
) -> Endpoint:
    return Endpoint(
        id=document["id"],
        url=document["url"],
        enabled_events=tuple(document["enabled_events"]),
        secret=secret,
        old_secret=old_secret,
        old_until_ms=old_until_ms,
        enabled=document["status"] == "enabled",
    )


def document_of(
    endpoint_id: str,
    *,
    url: str,
    enabled_events: tuple[str, ...],
    created: int,
    api_version: str | None = None,
    description: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> JsonObject:
    """Return Stripe's WebhookEndpoint object, without its secret."""
    return {
        "id": endpoint_id,
        "object": "webhook_endpoint",
        "api_version": api_version or DEFAULT_API_VERSION,
        "application": None,
        "created": created,
        "description": description,
        "enabled_events": list(enabled_events),
        "livemode": False,
        "metadata": dict(metadata or {}),
        "status": "enabled",
        "url": url,
    }


def insert(
    sql: sqlite3.Connection, document: Mapping[str, Any], *, secret: str, now_ms: int
) -> None:
    """Write a new endpoint beside the secret that only its maker is told."""
    sql.execute(
        "INSERT INTO webhook_endpoints (id, created_ms, secret, old_secret, old_until_ms, "
        "document) VALUES (?, ?, ?, NULL, 0, ?)",
        (document["id"], now_ms, secret, encode(document)),
    )


def found(sql: sqlite3.Connection, endpoint: str) -> JsonObject:
    """Return an endpoint's document; 404 without one."""
    row = sql.execute("SELECT document FROM webhook_endpoints WHERE id = ?", (endpoint,)).fetchone()
    if row is None:
        raise no_such("webhook_endpoint", endpoint[:200])
    document: JsonObject = json.loads(row[0])
    return document
