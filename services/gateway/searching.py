"""Search over PaymentIntents, which lags as Stripe's does: nothing found proves nothing.

The language is Stripe's (docs.stripe.com/search): clauses `field:"value"`, `field>10`,
`-metadata["k"]:"v"`, joined by AND or by OR, never both. What changed within the lag is seen as
its newest event showed it before.
"""

import re
import sqlite3
from collections.abc import Mapping

from .errors import InvalidRequest
from .forms import Form
from .reading import expand, limit
from .store import encode

_FIELDS = frozenset({"amount", "created", "currency", "customer", "status"})
_NUMBERS = frozenset({"amount", "created"})
_OPERATORS: Mapping[str, str] = {
    ":": "=",
    "=": "=",
    "~": "LIKE",
    ">": ">",
    "<": "<",
    ">=": ">=",
    "<=": "<=",
}
_CLAUSE = re.compile(
    r"""\s*(?P<no>-)?(?P<field>[a-z_]+)(?:\[(?:"(?P<key>[^"\\]+)"|'(?P<other>[^'"\\]+)')\])?"""
    r"""(?P<operator>:|~|=|>=|<=|>|<)"""
    r"""(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[0-9A-Za-z_]+))\s*"""
)
_JOINT = re.compile(r"(AND|OR)\b", re.IGNORECASE)
_MAX_QUERY = 1000
_MAX_CLAUSES = 10

_SELECT = """
SELECT n, seen FROM (
    SELECT n, CASE
        WHEN changed_ms <= ?1 AND masked_until_ms <= ?2 THEN document
        ELSE (
            SELECT json_extract(e.document, '$.data.object') FROM events AS e
            WHERE e.object_id = intents.id AND e.created_ms <= ?1 ORDER BY e.n DESC LIMIT 1
        ) END AS seen
    FROM intents WHERE created_ms <= ?1 AND n < ?3
) WHERE seen IS NOT NULL AND ({conditions}) ORDER BY n DESC LIMIT ?4
"""


def search(sql: sqlite3.Connection, form: Form, *, now_ms: int, lag_ms: int) -> str:
    """Return one page of the search's result as JSON."""
    query = form.required("query")
    conditions, values = _read(query)
    size = limit(form)
    page = form.text("page")
    if page is not None and not (page.isascii() and page.isdigit() and len(page) < 16):  # noqa: PLR2004 - fits SQLite
        raise InvalidRequest("Invalid page: use next_page of the previous answer.", param="page")
    below = int(page) if page is not None else 1 << 62
    rows = sql.execute(
        _SELECT.format(conditions=conditions), (now_ms - lag_ms, now_ms, below, size + 1, *values)
    ).fetchall()
    more = len(rows) > size
    next_page = encode(str(rows[size - 1][0]) if more else None)
    body = (
        f'{{"object":"search_result","data":[{",".join(text for _, text in rows[:size])}],'
        f'"has_more":{"true" if more else "false"},"next_page":{next_page},'
        '"url":"/v1/payment_intents/search"}'
    )
    return expand(sql, body, form.names("expand"), now_ms=now_ms)


def _read(query: str) -> tuple[str, list[object]]:
    """Translate a query into SQL conditions over `seen`, values bound."""
    if len(query) > _MAX_QUERY:
        raise _unreadable(query)
    clauses: list[str] = []
    values: list[object] = []
    joints: set[str] = set()
    at = 0
    while True:
        match = _CLAUSE.match(query, at)
        if match is None or len(clauses) >= _MAX_CLAUSES:
            raise _unreadable(query)
        clause, bound = _clause(match, place=5 + len(values), query=query)
        clauses.append(clause)
        values.extend(bound)
        at = match.end()
        if at == len(query):
            break
        joint = _JOINT.match(query, at)
        joints.add(joint[1].upper() if joint else "AND")
        at = joint.end() if joint else at
    if len(joints) > 1:
        raise InvalidRequest("You cannot combine AND and OR in one query.", param="query")
    return f" {joints.pop() if joints else 'AND'} ".join(clauses), values


def _clause(match: re.Match[str], *, place: int, query: str) -> tuple[str, tuple[object, object]]:
    """Return one condition over the bound values `place` (a JSON path) and the next one."""
    field, key = match["field"], match["key"] or match["other"]
    operator = _OPERATORS[match["operator"]]
    text = next(
        found for found in (match["double"], match["single"], match["bare"]) if found is not None
    )
    if (field == "metadata") != (key is not None) or (key is None and field not in _FIELDS):
        raise InvalidRequest(
            f"Field `{field}` is an unsupported search field for resource `payment_intents`.",
            param="query",
        )
    number = field in _NUMBERS
    if number and not (text.isascii() and text.isdigit() and len(text) < 16):  # noqa: PLR2004 - fits SQLite
        raise _unreadable(query)
    if (operator == "LIKE") if number else (operator not in {"=", "LIKE"}):
        raise _unreadable(query)
    path = f'$.metadata."{key}"' if key is not None else f"$.{field}"
    value: object = int(text) if number else f"%{text}%" if operator == "LIKE" else text
    negated = "NOT " if match["no"] else ""
    condition = f"{negated}coalesce(json_extract(seen, ?{place}) {operator} ?{place + 1}, 0)"
    return condition, (path, value)


def _unreadable(query: str) -> InvalidRequest:
    return InvalidRequest(
        f"We were unable to parse your search query: {query[:200]}. "
        'Expected clauses like metadata["order_id"]:"1" joined by AND or OR.',
        param="query",
    )
