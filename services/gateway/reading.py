"""What GET answers: one object, pages of them, and `expand[]`. Nothing here writes.

Lists are newest first with cursors, at most 100 a page (docs.stripe.com/api/pagination). A list
and a retrieve are never behind; only search is (`searching.py`).
"""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import intents, outbox, store
from .errors import InvalidRequest, JsonObject, Refused, no_such
from .forms import Form
from .intents import Intent
from .store import TABLES, encode

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
_MAX_EXPAND_DEPTH = 4
_COMPARISONS: Mapping[str, str] = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

# What may be asked of each list: parameter → SQL expression to equal it.
_FILTERS: Mapping[str, Mapping[str, str]] = {
    "pi": {"customer": "json_extract(document, '$.customer')"},
    "ch": {
        "payment_intent": "payment_intent",
        "customer": "json_extract(document, '$.customer')",
        "transfer_group": "json_extract(document, '$.transfer_group')",
    },
    "re": {"payment_intent": "payment_intent", "charge": "charge"},
    "evt": {"type": "type"},
    "we": {},
    "txn": {
        "type": "json_extract(document, '$.type')",
        "source": "json_extract(document, '$.source')",
        "currency": "json_extract(document, '$.currency')",
    },
}
_URLS: Mapping[str, str] = {
    "pi": "/v1/payment_intents",
    "ch": "/v1/charges",
    "re": "/v1/refunds",
    "evt": "/v1/events",
    "we": "/v1/webhook_endpoints",
    "txn": "/v1/balance_transactions",
}


def retrieve(
    sql: sqlite3.Connection, prefix: str, object_id: str, form: Form, *, now_ms: int
) -> str:
    """Return one object as JSON; 404 when there is none."""
    if not object_id.startswith(f"{prefix}_"):
        raise no_such(TABLES[prefix][1], object_id[:200])
    document = store.find(sql, object_id, prefix=prefix, now_ms=now_ms)
    if prefix == "evt":
        document = outbox.pending(sql, document)
    return expand(sql, document, form.names("expand"), now_ms=now_ms)


def page(sql: sqlite3.Connection, prefix: str, form: Form, *, now_ms: int) -> str:
    """Return one page of a list as JSON, newest first."""
    table = TABLES[prefix][0]
    size = limit(form)
    where, values = _conditions(prefix, form)
    after, before = form.text("starting_after"), form.text("ending_before")
    if after is not None and before is not None:
        raise InvalidRequest(
            "You can only provide one of: starting_after, ending_before.", param="starting_after"
        )
    if (cursor := after or before) is not None:
        where.append("n < ?" if after else "n > ?")
        values.append(_place(sql, prefix, cursor, "starting_after" if after else "ending_before"))
    order = "ASC" if before else "DESC"
    columns = "document, masked_until_ms" if prefix == "pi" else "document, 0"
    rows = sql.execute(
        f"SELECT {columns} FROM {table} "  # noqa: S608 - own names; values are bound
        f"WHERE {' AND '.join(['created_ms <= ?', *where])} ORDER BY n {order} LIMIT ?",
        (now_ms, *values, size + 1),
    ).fetchall()
    documents = [_shown(text, until, now_ms) for text, until in rows[:size]]
    if prefix == "evt":
        documents = [outbox.pending(sql, document) for document in documents]
    if before:
        documents.reverse()
    body = listing(documents, url=_URLS[prefix], more=len(rows) > size)
    return expand(sql, body, form.names("expand"), now_ms=now_ms)


def limit(form: Form) -> int:
    """Return how many objects a page shall hold."""
    size = form.integer("limit")
    if size is None:
        return DEFAULT_LIMIT
    if not 1 <= size <= MAX_LIMIT:
        raise InvalidRequest(
            f"This value must be between 1 and {MAX_LIMIT}.",
            code="parameter_invalid_integer",
            param="limit",
        )
    return size


def listing(documents: Sequence[str], *, url: str, more: bool) -> str:
    """Return Stripe's list object around documents."""
    flag = "true" if more else "false"
    return f'{{"object":"list","data":[{",".join(documents)}],"has_more":{flag},"url":"{url}"}}'


def subject(
    sql: sqlite3.Connection, object_id: str, payment_intent: object, charge: object
) -> Intent | None:
    """Return the intent that a path or a refund's parameters point at, if it exists."""
    try:
        if object_id.startswith("re_"):
            now = 1 << 62
            return store.true_intent(
                sql, store.find_refund(sql, object_id, now_ms=now).payment_intent
            )
        if object_id.startswith("pi_"):
            return store.true_intent(sql, object_id)
        if isinstance(payment_intent, str) and payment_intent:
            return store.true_intent(sql, payment_intent)
        if isinstance(charge, str) and charge:
            row = sql.execute(
                "SELECT payment_intent FROM charges WHERE id = ?", (charge,)
            ).fetchone()
            return None if row is None else store.true_intent(sql, row[0])
    except Refused:
        return None
    return None


def expand(sql: sqlite3.Connection, body: str, paths: Sequence[str], *, now_ms: int) -> str:
    """Replace ids by their objects along `expand[]`, four deep at most."""
    if not paths:
        return body
    document: JsonObject = json.loads(body)

    def look(object_id: str) -> JsonObject | None:
        prefix = object_id.partition("_")[0]
        if prefix not in TABLES:
            return None
        found: JsonObject = json.loads(store.find(sql, object_id, prefix=prefix, now_ms=now_ms))
        return found

    for path in paths:
        parts = path.split(".")
        if len(parts) > _MAX_EXPAND_DEPTH:
            raise InvalidRequest(
                f"You cannot expand more than {_MAX_EXPAND_DEPTH} levels: {path[:200]}",
                param="expand",
            )
        _expand(document, parts, look, whole=path)
    return encode(document)


def _expand(
    node: Any, parts: Sequence[str], look: Callable[[str], JsonObject | None], *, whole: str
) -> None:
    if not parts or node is None:
        return
    if isinstance(node, list):
        for item in node:
            _expand(item, parts, look, whole=whole)
        return
    name, *rest = parts
    if not isinstance(node, dict) or name not in node:
        raise InvalidRequest(f"This property cannot be expanded ({whole[:200]}).", param="expand")
    if isinstance(node[name], str):
        found = look(node[name])
        if found is None:
            raise InvalidRequest(
                f"This property cannot be expanded ({whole[:200]}).", param="expand"
            )
        node[name] = found
    _expand(node[name], rest, look, whole=whole)


def _shown(document: str, masked_until_ms: int, now_ms: int) -> str:
    if masked_until_ms <= now_ms:
        return document
    return encode(store.masked(intents.of(json.loads(document))).wire())


def _place(sql: sqlite3.Connection, prefix: str, object_id: str, param: str) -> int:
    table, kind = TABLES[prefix]
    row = sql.execute(f"SELECT n FROM {table} WHERE id = ?", (object_id,)).fetchone()  # noqa: S608 - own names
    if row is None:
        raise InvalidRequest(
            f"No such {kind}: '{object_id[:200]}'", code="resource_missing", param=param
        )
    return int(row[0])


def _conditions(prefix: str, form: Form) -> tuple[list[str], list[object]]:
    where: list[str] = []
    values: list[object] = []
    for name, expression in _FILTERS[prefix].items():
        if (wanted := form.text(name)) is not None:
            where.append(f"{expression} = ?")
            values.append(wanted)
    if types := form.names("types"):
        where.append(f"type IN ({', '.join('?' * len(types))})")
        values.extend(types)
    if "delivery_success" in form.values:
        undelivered = "EXISTS" if not form.boolean("delivery_success") else "NOT EXISTS"
        where.append(f"{undelivered} ({outbox.OPEN_OR_FAILED})")
    created = form.values.get("created")
    if isinstance(created, dict):
        bounds = Form(values=created, digest="")
        bounds.allow(_COMPARISONS)
        for name, comparison in _COMPARISONS.items():
            if (second := bounds.integer(name)) is not None:
                where.append(f"created_ms / 1000 {comparison} ?")
                values.append(second)
    elif (second := form.integer("created")) is not None:
        where.append("created_ms / 1000 = ?")
        values.append(second)
    return where, values
