"""One request's unit of work: what it knows, and what it wrote down inside its transaction."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from json.encoder import encode_basestring_ascii
from typing import Any

from ..chassis.ids import Ids
from . import journal
from .intents import Intent
from .journal import Kind
from .outbox import Outbox, Told
from .parameters import DEFAULT_API_VERSION

_escape: Callable[[str], str] = encode_basestring_ascii


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Who asks: the request's id, its idempotency key and the API version it speaks."""

    request_id: str | None
    key: str | None = None
    api_version: str = DEFAULT_API_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request is told; `order_id` and `payment_intent` say what it was about."""

    status: int
    body: str
    order_id: str | None = None
    payment_intent: str | None = None


@dataclass(slots=True, kw_only=True)
class Work:
    """A transaction in progress. `rows` are the journal lines to announce once it is committed.

    `visible_ms` is when its outcome may be seen (now, unless a control withholds it); `back` says
    that a charge shall not happen at all (`error_500_then_back`); `queued`, that webhooks are due.
    """

    sql: sqlite3.Connection
    ids: Ids
    facts: Facts
    now_ms: int
    visible_ms: int
    outbox: Outbox
    back: bool = False
    queued: bool = False
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def now(self) -> int:
        """The present in epoch seconds, as objects show it."""
        return self.now_ms // 1000

    @property
    def masked_until_ms(self) -> int:
        """Until when an intent decided by this work reads `processing`; 0 for never."""
        return self.visible_ms if self.visible_ms > self.now_ms else 0

    def journal(
        self,
        kind: Kind,
        about: Intent | None = None,
        *,
        amount: int = 0,
        charge: str | None = None,
        refund: str | None = None,
        label: str | None = None,
    ) -> None:
        """Append one journal row about an intent."""
        row = journal.Row(
            at_ms=self.now_ms,
            kind=kind,
            order_id=about.order_id if about else None,
            run_id=about.metadata.get("run_id") if about else None,
            payment_intent=about.id if about else None,
            charge=charge,
            refund=refund,
            amount_minor=amount,
            currency=about.currency if about else None,
            idempotency_key=self.facts.key,
            request_id=self.facts.request_id,
            label=label,
        )
        self.rows.append(journal.append(self.sql, row))

    def note(
        self,
        kind: Kind,
        *,
        order_id: str | None = None,
        payment_intent: str | None = None,
        label: str | None = None,
    ) -> None:
        """Append one journal row that moves no money and knows no more than this."""
        row = journal.Row(
            at_ms=self.now_ms,
            kind=kind,
            order_id=order_id,
            payment_intent=payment_intent,
            idempotency_key=self.facts.key,
            request_id=self.facts.request_id,
            label=label,
        )
        self.rows.append(journal.append(self.sql, row))

    def event(
        self, kind: str, object_id: str, document: str, *, about: Intent, created_ms: int
    ) -> None:
        """Write an event with a snapshot of its object; listed, and sent, from `created_ms` on."""
        event_id = self.ids.new("evt")
        text = (
            f'{{"id":"{event_id}","object":"event","api_version":{_quoted(self.facts.api_version)},'
            f'"created":{created_ms // 1000},"data":{{"object":{document}}},"livemode":false,'
            f'"pending_webhooks":0,"request":{{"id":{_quoted(self.facts.request_id)},'
            f'"idempotency_key":{_quoted(self.facts.key)}}},"type":"{kind}"}}'
        )
        self.sql.execute(
            "INSERT INTO events (id, created_ms, type, object_id, document) VALUES (?, ?, ?, ?, ?)",
            (event_id, created_ms, kind, object_id, text),
        )
        if self.outbox.is_open:
            self._queue(Told(id=event_id, type=kind, created_ms=created_ms, about=about))

    def _queue(self, told: Told) -> None:
        """Leave an event for whoever asked for its kind, in the transaction of its cause."""
        struck = self.outbox.put(self.sql, told, ids=self.ids, now_ms=self.now_ms)
        for fault in struck:
            self.note("fault_used", order_id=told.about.order_id, label=fault.label)
        self.queued = True


def _quoted(text: str | None) -> str:
    """Return a JSON string or null; an encoder per field would cost ten times this."""
    return "null" if text is None else _escape(text)
