"""One observation as one rung of a ladder: its shape, its lane, and the words a person reads.

Takes an observation and the faults in force at its time; gives a `Rung`, or None for what a ladder
does not show. What a caller may conclude from an error is services/README.md's: only `refused`,
`connect_timeout` and `breaker_open` mean that nothing was sent; every other error is unknown.
"""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import replace

from checkout_sim.checks.phrases import amount
from checkout_sim.checks.windows import Window
from checkout_sim.model.history import Observation
from checkout_sim.model.ladder import BROKER, SHOPPER, Rung, Shape, Tone
from checkout_sim.model.wire import EDGE_OF, PLACE_PATH_OF

UNSENT = frozenset({"refused", "connect_timeout", "breaker_open"})
SHOP = "shopper_to_order"  # where shoppers cancel, and most strategies' shoppers place
_SERVER_ERROR = 500

# The last key sent for an operation on a link, so that a resend says whether it is the same.
Keys = MutableMapping[tuple[str, str], str | None]

_ROUTES: Mapping[tuple[str, str], str] = {
    ("payment", "process"): "POST /payment/process",
    ("payment", "cancel"): "POST /payment/cancel",
    ("payment", "refund"): "POST /payment/refund",
    ("order", "create"): "POST /order/create",
    ("order", "confirm"): "POST /order/confirm",
    ("order", "cancel"): "POST /order/cancel",
    ("gateway", "charge"): "create and confirm",
}
_PLACE_BY_EDGE: Mapping[str, str] = {EDGE_OF[one]: PLACE_PATH_OF[one] for one in EDGE_OF}
_FAMILIES = frozenset({"order", "payment", "gateway", "saga", "outbox", "message", "lease"})
_MONEY = frozenset({"captured", "refunded", "refund_failed", "authorized"})
_COMMITS = frozenset(
    {
        *("created", "confirmed", "failed", "canceled", "recorded", "intent_created"),
        *("started", "step_started", "step_ended", "turned_back", "ended", "handled"),
    }
)


def rung_of(
    one: Observation, *, at_ms: float, in_force: Sequence[Window], keys: Keys, edge: str = SHOP
) -> Rung | None:
    """Return the rung of an observation; `keys` is brought up to date with what it sends.

    `edge` is the link over which this strategy's shoppers place their orders.
    """
    family = one.kind.partition(".")[0]
    makers: dict[str, Callable[[], Rung | None]] = {
        "client": lambda: _of_shopper(one, at_ms, edge),
        "message": lambda: _of_message(one, at_ms),
        "call": lambda: _of_call(one, at_ms, keys),
        "process": lambda: _of_process(one, at_ms),
    }
    make = makers.get(family)
    rung = make() if make else _of_service(one, at_ms)
    return None if rung is None else replace(rung, under=_under(rung, in_force))


def _of_shopper(one: Observation, at_ms: float, placed_over: str) -> Rung | None:
    data = one.data
    edge = SHOP if one.kind.startswith("client.cancel_") else placed_over
    shop = edge.rpartition("_to_")[2]
    attempt = int(data.get("attempt", 1))
    if one.kind in {"client.sent", "client.cancel_sent"}:
        placing = _PLACE_BY_EDGE[placed_over]
        route = f"POST {placing}" if one.kind == "client.sent" else "POST /order/cancel"
        again = f", attempt {attempt}" if attempt > 1 else ""
        return _rung(one, at_ms, "request", SHOPPER, shop, f"{route}{again}", link=edge)
    status, error = data.get("http_status"), data.get("error")
    if one.kind == "client.found":
        asked = f"finally looked up: {data.get('status') or error or status}"
        return _rung(one, at_ms, "mark", SHOPPER, None, asked)
    if one.kind == "client.cancel_ended":
        said = f"cancel answered {status}" if status else f"cancel: {error}"
        return _rung(one, at_ms, "reply" if status else "lost", SHOPPER, shop, said, link=edge)
    if one.kind != "client.ended":
        return None
    claim = data.get("claim")
    if error is None:
        return _rung(
            one, at_ms, "reply", SHOPPER, shop, f"SHOPPER told {claim} ({status})", link=edge
        )
    shape: Shape = "unsent" if error in UNSENT else "lost"
    said = f"SHOPPER told nothing: {_words(error)}"
    return _rung(one, at_ms, shape, SHOPPER, shop, said, link=edge, tone="unknown")


def _of_call(one: Observation, at_ms: float, keys: Keys) -> Rung:
    data = one.data
    link = str(data.get("link", ""))
    callee = link.rpartition("_to_")[2] or None
    operation = str(data.get("operation", ""))
    if one.kind == "call.started":
        said = _ROUTES.get((str(callee), operation), operation) + _repeat(
            one, link, operation, keys
        )
        return _rung(one, at_ms, "request", one.source, callee, said, link=link)
    error, status = data.get("error"), data.get("http_status")
    if error is None:
        indefinite = isinstance(status, int) and status >= _SERVER_ERROR
        tone: Tone = "unknown" if indefinite else "plain"
        # A broker's confirm is an ack without a status (RabbitMQ docs, "Publisher confirms").
        said = "acknowledged" if status is None else f"answered {status}"
        return _rung(one, at_ms, "reply", one.source, callee, said, link=link, tone=tone)
    after = data.get("duration_ms")
    waited = f" after {after:.0f} ms" if isinstance(after, int | float) else ""
    said = f"{one.source.upper()} saw {_words(error)}{waited}"
    shape: Shape = "unsent" if error in UNSENT else "lost"
    return _rung(one, at_ms, shape, one.source, callee, said, link=link, tone="unknown")


def _repeat(one: Observation, link: str, operation: str, keys: Keys) -> str:
    """Return what makes this try differ from the one before it, and remember its key."""
    about = (f"{link} {one.order}", operation)
    known = about in keys
    before = keys.get(about)
    keys[about] = one.key
    if not known:
        return ""
    if one.key is None:
        return " again, no stored key"
    return " again, same key" if one.key == before else " again, other key"


def _of_message(one: Observation, at_ms: float) -> Rung:
    """Return a message on its way: to the broker, from it, or as its consumer took it."""
    data, what = one.data, one.kind.partition(".")[2]
    about = data.get("topic") or data.get("consumer") or "a message"
    if what == "published":
        link = f"{one.source}_to_{BROKER}"
        return _rung(one, at_ms, "request", one.source, BROKER, f"publish {about}", link=link)
    if data.get("consumer") == "stripe":
        return _rung(one, at_ms, "mark", one.source, None, f"webhook {what}", tone="commit")
    if what == "received":
        times = int(data.get("deliveries") or 1)
        again = f", delivery {times}" if times > 1 else ""
        said, link = f"delivered from {about}{again}", f"{one.source}_to_{BROKER}"
        return _rung(one, at_ms, "reply", one.source, BROKER, said, link=link)
    tone: Tone = "struck" if what == "dead_lettered" else "commit"
    why = f": {data['reason']}" if data.get("reason") else ""
    return _rung(one, at_ms, "mark", one.source, None, f"{one.kind} {about}{why}", tone=tone)


def _of_process(one: Observation, at_ms: float) -> Rung:
    process, what = str(one.data.get("process", "")), one.kind.partition(".")[2]
    said = f"{process.upper()} {what}"
    return _rung(one, at_ms, "mark", process.partition("-")[0], None, said, tone="struck")


def _of_service(one: Observation, at_ms: float) -> Rung | None:
    family, _, what = one.kind.partition(".")
    if family not in _FAMILIES:
        return None
    tone: Tone = "plain"
    if family == "gateway" and what in _MONEY:
        tone = "money"
    elif what == "charge_unknown":
        tone = "unknown"
    elif what == "fault_used":
        tone = "struck"
    elif what in _COMMITS:
        tone = "commit"
    return _rung(one, at_ms, "mark", one.source, None, _told(one, family, what), tone=tone)


def _told(one: Observation, family: str, what: str) -> str:
    data = one.data
    if family == "gateway" and what in _MONEY:
        return f"GATEWAY {what} {amount(data.get('amount_minor'), data.get('currency'))}"
    if what == "created" and "total_minor" in data:
        return f"{one.kind} {amount(data['total_minor'], data.get('currency'))}"
    if family == "saga" and "step" in data:
        return f"{one.kind}: {data['step']} {data.get('phase') or ''}".rstrip()
    words = [data.get(name) for name in _TELLING]
    said = "; ".join(dict.fromkeys(str(word) for word in words if word not in {None, "", "null"}))
    return f"{one.kind}: {said}" if said else one.kind


# What a service's line says beside its kind, where it says it.
_TELLING = ("status", "reason", "code", "error", "label", "state", "topic")


def _words(error: str | None) -> str:
    known = {
        "timeout": "a timeout",
        "reset": "a reset",
        "disconnected": "a closed connection",
        "unreadable": "an unreadable answer",
        "refused": "connection refused",
        "connect_timeout": "no connection in time",
        "breaker_open": "the breaker open",
        "canceled": "the call given up",
        "walked_away": "walked away",
    }
    return known.get(str(error), str(error))


def _under(rung: Rung, in_force: Sequence[Window]) -> tuple[str, ...]:
    """Return the faults on this rung's link, or on the process of its lane."""
    here = {rung.link} if rung.link else {rung.lane}
    found = (
        win.fault
        for win in in_force
        if win.target in here or (not rung.link and win.target.partition("-")[0] in here)
    )
    return tuple(dict.fromkeys(found))


def _rung(
    one: Observation,
    at_ms: float,
    shape: Shape,
    lane: str,
    other: str | None,
    text: str,
    *,
    link: str | None = None,
    tone: Tone = "plain",
) -> Rung:
    return Rung(
        at_ms=at_ms,
        event=one.id,
        shape=shape,
        lane=lane,
        other=other,
        kind=one.kind,
        text=text,
        tone=tone,
        link=link,
        order=one.order,
        attempt=int(one.data.get("attempt", 1)),
        key=one.key or one.data.get("idempotency_key"),
        call=one.data.get("call_id"),
        data=one.data,
    )
