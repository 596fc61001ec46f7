"""Faults fired: whether every declared fault left a witness, and in time.

The proxy's API does not say which connection a toxic struck, so a fault has fired when the caller
saw what that fault does, and the callee's log shows, or does not show, the request as it must
(TOXIPROXY, Primitives). A process has its status from the kernel, a gateway control its row in
the journal. A run in which a fault never fired proves nothing about surviving it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from checkout_sim.checks.history import History, Row
from checkout_sim.checks.windows import Window, windows_of
from checkout_sim.model.verdict import FaultOutcome, Holds, Unknown
from checkout_sim.model.wire import EDGE_OF

_MOST_WITNESSES = 5
_SHOP = "shopper_to_order"

# What a call on the struck link ends with. Toxiproxy README; measured in TOXIPROXY, Primitives.
_ENDS_WITH: Mapping[str, frozenset[str]] = {
    "down": frozenset({"refused", "reset", "disconnected", "unreadable"}),
    "timeout": frozenset({"timeout", "disconnected", "reset", "canceled"}),
    "reset_peer": frozenset({"reset", "disconnected", "unreadable"}),
    "limit_data": frozenset({"disconnected", "unreadable", "reset"}),
}
_GAVE_UP = frozenset({"timeout", "canceled"})
_PROCESS_SHOWS: Mapping[str, tuple[str, ...]] = {
    "kill": ("process.killed",),
    "pause": ("process.paused",),
    "restart": ("process.exited", "process.started"),
}
# The broker's own confirmation, recorded beside the deed.
_BROKER_SHOWS: Mapping[str, str] = {
    "publish": "broker.published",
    "duplicate": "broker.duplicated",
    "reverse": "broker.reversed",
}
_DELAYING = frozenset({"latency", "bandwidth", "slicer"})


def faults_fired(history: History) -> tuple[Holds | Unknown, tuple[FaultOutcome, ...]]:
    """Return whether all faults that must fire did, and the outcome of each one declared."""
    windows = windows_of(history)
    outcomes = tuple(
        _outcome(history, declared, [one for one in windows if one.fault == declared["name"]])
        for declared in history.opened.get("faults", ())
    )
    silent = [f"{one.name}: {one.reason}" for one in outcomes if not (one.fired or one.optional)]
    if silent:
        return Unknown(reason="; ".join(silent)), outcomes
    return Holds(judged=len(outcomes)), outcomes


def _outcome(history: History, declared: Mapping[str, Any], windows: list[Window]) -> FaultOutcome:
    fired, reason = False, _not_injected(history, declared)
    witnesses: tuple[int, ...] = ()
    for window in windows:
        fired, reason, witnesses = _fired(history, declared, window)
        if fired:
            break
    return FaultOutcome(
        name=declared["name"],
        type=declared["type"],
        fired=fired,
        optional=bool(declared.get("optional")),
        reason=reason,
        witnesses=witnesses,
    )


def _not_injected(history: History, declared: Mapping[str, Any]) -> str:
    for remark in history.remarks("fault.failed"):
        if remark.fault == declared["name"]:
            return f"could not be injected: {remark.data.get('message')}"
    return "was never injected: its moment did not come"


def _fired(
    history: History, declared: Mapping[str, Any], window: Window
) -> tuple[bool, str, tuple[int, ...]]:
    """Return whether one window fired, why one may say so, and the observations that show it."""
    kind = declared["type"]
    if kind in _PROCESS_SHOWS:
        witnesses = _process_witnesses(history, kind, window)
        process = window.target.partition("-")[0]
    elif kind in _BROKER_SHOWS:
        confirmed = history.remarks(_BROKER_SHOWS[kind])
        witnesses = tuple(one.id for one in confirmed if one.fault == window.fault)
        process = None
    elif kind in _ENDS_WITH or kind in _DELAYING:
        witnesses, process = _link_witnesses(history, declared, window), None
    else:
        witnesses, process = _control_witnesses(history, declared["name"]), None
    if not witnesses:
        return False, f"in force on {window.target}, but nothing shows that it struck", ()
    ahead_of = declared.get("ahead_of")
    if ahead_of is not None:
        on_link = kind in _ENDS_WITH or kind in _DELAYING
        strike = window.begin if on_link else witnesses[0]
        if not _came_first(history, ahead_of, strike, process, window.checkout):
            return False, f"missed: {ahead_of} came before it took hold", witnesses
    return True, f"struck {window.target}", witnesses


# ---- processes and controls ---------------------------------------------------------------------


def _process_witnesses(history: History, kind: str, window: Window) -> tuple[int, ...]:
    """Return the kernel's word nearest to the injection, which is recorded after the deed."""
    seen = [
        (abs(remark.id - window.begin), remark.id)
        for remark in history.remarks(*_PROCESS_SHOWS[kind])
        if remark.data.get("process") == window.target
        and remark.t_ms >= window.begin_ms - _SLOWEST_DEED_MS
        and remark.id < window.end
    ]
    return (min(seen)[1],) if seen else ()


# A restart waits for the process to end by itself, 2 s at most, and to start again.
_SLOWEST_DEED_MS = 5_000.0


def _control_witnesses(history: History, label: str) -> tuple[int, ...]:
    logged = [
        remark.id
        for remark in history.remarks("gateway.fault_used")
        if remark.data.get("label") == label
    ]
    if not logged:
        rows = history.rows(
            "SELECT event FROM journal WHERE kind = 'fault_used' AND label = ? ORDER BY seq", label
        )
        logged = [int(row[0]) for row in rows]
    return tuple(logged[:_MOST_WITNESSES])


def _came_first(
    history: History, event: str, strike: int, process: str | None, checkout: int | None
) -> bool:
    """Return whether some order undecided at the strike had not yet seen the event.

    The dead do not log: a line of the struck process that was read after its death, and before
    it started again, was written before the strike.
    """
    reach = strike
    if process is not None and event.partition(".")[0] == process:
        starts = [
            remark.id
            for remark in history.remarks("process.started")
            if remark.id > strike and remark.data.get("process") == process
        ]
        reach = starts[0] if starts else 2**62
    row = history.row(
        "SELECT 1 FROM transition c WHERE c.kind = 'order.created' AND c.id < ?1 "
        "AND (?4 IS NULL OR c.checkout = ?4) "
        "AND NOT EXISTS (SELECT 1 FROM transition d WHERE d.n = c.n AND d.id < ?1 "
        "AND d.kind <> 'order.created') "
        "AND NOT EXISTS (SELECT 1 FROM transition d WHERE d.n = c.n AND d.id < ?3 AND d.kind = ?2) "
        "AND NOT EXISTS (SELECT 1 FROM event e WHERE e.n = c.n AND e.id < ?3 AND e.kind = ?2) "
        "AND NOT EXISTS (SELECT 1 FROM message m WHERE m.n = c.n AND m.id < ?3 AND m.kind = ?2)",
        strike,
        event,
        reach,
        checkout,
    )
    return row is not None


# ---- links ---------------------------------------------------------------------------------------


def _link_witnesses(
    history: History, declared: Mapping[str, Any], window: Window
) -> tuple[int, ...]:
    kind = declared["type"]
    delay_ms = window.delay_ms or float(declared.get("least_delay_ms") or 0)
    streams = window.streams or frozenset(declared.get("streams") or ())
    witnesses: list[int] = []
    for call in _calls(history, window):
        event, _, duration_ms, error, *_ = call
        if not _shows(kind, error, duration_ms, delay_ms):
            continue
        if kind in _ENDS_WITH and not _callee_agrees(history, window.target, streams, call):
            continue
        witnesses.append(int(event))
        if len(witnesses) == _MOST_WITNESSES:
            break
    if not witnesses and (kind in _DELAYING or kind == "timeout"):
        witnesses = _died_waiting(history, window)
    return tuple(witnesses)


def _calls(history: History, window: Window) -> Iterator[Row]:
    """Yield the calls on the link that overlap the window: how they ended, and whose they were.

    Columns: the end's observation, the start's, ms, error, order number, checkout, operation.
    """
    if window.target == EDGE_OF.get(history.opened.get("strategy", ""), _SHOP):
        return history.rows(
            "SELECT e.id, s.id, e.duration_ms, e.error, e.n, e.checkout, 'place' FROM ended e "
            "JOIN sent s ON s.checkout = e.checkout AND s.attempt = e.attempt "
            "WHERE e.t_ms >= ?1 AND e.t_ms - COALESCE(e.duration_ms, 0) <= ?2 ORDER BY e.id",
            window.begin_ms,
            window.end_ms,
        )
    return history.rows(
        "SELECT e.id, s.id, e.duration_ms, e.error, e.n, NULL, e.operation FROM call e "
        "JOIN call s ON s.call_id = e.call_id AND s.kind = 'call.started' "
        "WHERE e.link = ?1 AND e.kind = 'call.ended' AND e.t_ms >= ?2 "
        "AND e.t_ms - COALESCE(e.duration_ms, 0) <= ?3 ORDER BY e.id",
        window.target,
        window.begin_ms,
        window.end_ms,
    )


def _shows(kind: str, error: str | None, duration_ms: float | None, delay_ms: float) -> bool:
    """Return whether a call ended as this fault makes calls end."""
    if kind == "latency":
        # A caller with less patience than the delay gives up before it: the request comes late.
        return error in _GAVE_UP or (
            delay_ms > 0 and duration_ms is not None and duration_ms >= 0.9 * delay_ms
        )
    if kind in _DELAYING:
        return error not in {"refused", "breaker_open"}
    return error in _ENDS_WITH[kind]


def _callee_agrees(history: History, link: str, streams: frozenset[str], call: Row) -> bool:
    """Return whether the callee's log fits: nothing of a lost request, something of a lost reply.

    A read leaves no line behind, a database none at all, and a fault in both directions may lose
    either.
    """
    end, start, _, _, n, checkout, operation = call
    caller, _, callee = link.rpartition("_to_")
    if callee == "broker":
        # The broker logs nothing; what it took it handed on, to whoever reads the queue.
        handed_on = history.row(
            "SELECT 1 FROM message WHERE n = ?1 AND kind = 'message.received' AND source <> ?2 "
            "AND id > ?3 AND id < ?4",
            n,
            caller,
            start,
            end if streams == {"upstream"} else 2**62,
        )
        return (handed_on is None) if streams == {"upstream"} else (handed_on is not None)
    if len(streams) != 1 or (operation or "").startswith("read") or callee == "database":
        return True
    if not n and checkout is not None:
        own = history.row("SELECT n FROM transition WHERE checkout = ? AND id > ?", checkout, start)
        n = own[0] if own else 0
    logged = history.row(
        "SELECT 1 FROM (SELECT id FROM event WHERE n = ?1 AND source = ?2 "
        "UNION ALL SELECT id FROM transition WHERE n = ?1 AND ?2 = 'order') "
        "WHERE id > ?3 AND id < ?4",
        n,
        callee,
        start,
        end if streams == {"upstream"} else 2**62,
    )
    return (logged is None) if streams == {"upstream"} else (logged is not None)


def _died_waiting(history: History, window: Window) -> list[int]:
    """Return calls begun in the window and never ended because their process was killed."""
    deaths = [
        (remark.id, remark.data.get("process")) for remark in history.remarks("process.killed")
    ]
    begun = history.rows(
        "SELECT s.id, s.source FROM call s WHERE s.link = ?1 AND s.kind = 'call.started' "
        "AND s.t_ms >= ?2 AND s.t_ms <= ?3 AND NOT EXISTS (SELECT 1 FROM call e "
        "WHERE e.call_id = s.call_id AND e.kind = 'call.ended') ORDER BY s.id LIMIT 100",
        window.target,
        window.begin_ms,
        window.end_ms,
    )
    return [
        int(start)
        for start, source in begun
        if any(died > start and process == source for died, process in deaths)
    ][:_MOST_WITNESSES]
