"""The ladder of one order: its observations laid out by party and time, with the faults around it.

Takes observations, those of other orders included, and an order id; gives a `Ladder`. Pure.
Services stamp their lines with the host's monotonic clock, the recorder with its own, which began
with the run; a line is read after it was written, so the smallest difference seen is the best
estimate of what lies between the two.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from checkout_sim.checks.sights import SHOP, rung_of
from checkout_sim.checks.standstills import longest, standstills
from checkout_sim.checks.windows import TELLING, Window, paired
from checkout_sim.model.belief import Believed
from checkout_sim.model.history import Observation
from checkout_sim.model.ladder import Band, Ladder, Rung, lanes_of
from checkout_sim.model.wire import EDGE_OF

# Beginnings of the kinds a ladder needs beside the lines that name its order or its checkout.
RUN_WIDE = ("run.opened", "phase.entered", "fault.", "process.", "machine.")

_STRIKES = ("process.killed", "process.paused", "process.resumed", "process.started")
_UNTIL_LIFTED = 2**60
_MOST_STANDSTILLS = 3  # on a bad machine there are dozens; the longest explain the most


def ladder(
    observations: Iterable[Observation], order_id: str, *, believed_already: Believed | None = None
) -> Ladder:
    """Return the ladder of an order; one that was never seen has no rungs.

    `believed_already` saves looking up again what a verdict says of the order.
    """
    seen = list(observations)
    strategy = next((one.data.get("strategy") for one in seen if one.kind == "run.opened"), None)
    checkout = checkout_of(seen, order_id)
    siblings = () if checkout is None else orders_of(seen, checkout)
    orders = {order_id, *siblings}
    own = [one for one in seen if _concerns(one, orders, checkout)]
    told = [one for one in own if not one.kind.startswith("ledger.")]
    windows = paired(one for one in seen if one.kind in TELLING)
    clock = _Clock(seen)
    times = {one.id: clock.run_ms(one) for one in told}
    begin, end = (min(times.values()), max(times.values())) if times else (0.0, 0.0)
    strikes = [one for one in seen if one.kind in _STRIKES and begin <= clock.run_ms(one) <= end]
    times |= {one.id: clock.run_ms(one) for one in strikes}
    ordered = sorted((*told, *strikes), key=lambda one: (times[one.id], one.id))
    return Ladder(
        order_id=order_id,
        checkout=checkout,
        siblings=tuple(one for one in siblings if one != order_id),
        lanes=lanes_of(strategy),
        rungs=tuple(_rungs(ordered, times, begin, windows, order_id, strategy)),
        bands=(
            *bands_between(windows, begin, end),
            *longest(standstills(seen, begin, end), _MOST_STANDSTILLS),
        ),
        believed=believed_already or _believed(seen, own, order_id),
    )


def checkout_of(observations: Iterable[Observation], order_id: str) -> int | None:
    """Return the purchase an order belongs to, as the first observation that knows it says."""
    for one in observations:
        if one.order == order_id and one.checkout is not None:
            return one.checkout
    return None


def orders_of(observations: Iterable[Observation], checkout: int) -> tuple[str, ...]:
    """Return the orders a purchase led to, in the order they were first seen."""
    found = (one.order for one in observations if one.checkout == checkout and one.order)
    return tuple(dict.fromkeys(found))


def first_order_under_fault(observations: Iterable[Observation]) -> str | None:
    """Return the first order that was being placed while a fault was in force, or None."""
    in_force: set[tuple[str, int]] = set()
    undecided: dict[str, None] = {}
    for one in observations:
        name = (one.fault or "", int(one.data.get("window", 1)))
        if one.kind == "fault.injected":
            in_force.add(name)
            if undecided:
                return next(iter(undecided))
        elif one.kind == "fault.lifted":
            in_force.discard(name)
        elif one.kind == "order.created" and one.order:
            if in_force:
                return one.order
            undecided[one.order] = None
        elif one.kind == "client.ended" and one.order:
            undecided.pop(one.order, None)
    return None


class _Clock:
    """The recorder's time of every observation."""

    def __init__(self, seen: Sequence[Observation]) -> None:
        stamped = [one.t_ms - one.source_ms for one in seen if one.source_ms is not None]
        self._between_ms = min(stamped, default=0.0)

    def run_ms(self, one: Observation) -> float:
        """Return when it happened, in ms since the run began, never later than it was read."""
        if one.source_ms is None:
            return one.t_ms
        return one.source_ms + self._between_ms


def _concerns(one: Observation, orders: Container[str], checkout: int | None) -> bool:
    """Return whether it is about these orders; the shopper's attempts name a checkout alone."""
    if one.order is not None:
        return one.order in orders
    return checkout is not None and one.checkout == checkout and one.kind.startswith("client.")


def _rungs(
    ordered: Sequence[Observation],
    times: Mapping[int, float],
    begin_ms: float,
    windows: Sequence[Window],
    order_id: str,
    strategy: str | None,
) -> Iterator[Rung]:
    edge = EDGE_OF.get(strategy or "", SHOP)
    keys: dict[tuple[str, str], str | None] = {}
    for one in ordered:
        at_ms = times[one.id]
        in_force = [win for win in windows if win.asked_ms <= at_ms <= win.end_ms]
        rung = rung_of(one, at_ms=at_ms - begin_ms, in_force=in_force, keys=keys, edge=edge)
        if rung is not None:
            yield rung if one.order in {None, order_id} else _of_sibling(rung)


def _of_sibling(rung: Rung) -> Rung:
    return replace(rung, text=f"{rung.text} (other order)")


def bands_between(windows: Sequence[Window], begin_ms: float, end_ms: float) -> Iterator[Band]:
    """Yield the faults in force at some time between these, in ms since the earlier one."""
    for window in windows:
        if window.asked_ms > end_ms or window.end_ms < begin_ms:
            continue
        yield Band(
            fault=window.fault,
            type=window.type,
            target=window.target,
            streams=tuple(dict.fromkeys(str(one.get("stream")) for one in _own(window))),
            begin_ms=window.asked_ms - begin_ms,
            end_ms=None if window.end > _UNTIL_LIFTED else window.end_ms - begin_ms,
            detail=figures(window),
        )


def figures(window: Window) -> str:
    """Return what a fault does, with Toxiproxy's figures and their units: `latency 150 ms`."""
    units = {"latency": "ms", "timeout": "ms", "rate": "KB/s", "bytes": "bytes"}
    said = []
    for toxic in _own(window)[:1]:
        attributes = toxic.get("attributes", {})
        said = [f"{attributes[name]} {unit}" for name, unit in units.items() if name in attributes]
    return " ".join((window.type or "fault", *said))


def _own(window: Window) -> list[Mapping[str, Any]]:
    """Return the window's toxics among those read back, which are all that the link has."""
    named = [one for one in window.toxics if str(one.get("name", "")).startswith(window.fault)]
    return named or [one for one in window.toxics if one.get("type") == window.type]


def _believed(seen: Sequence[Observation], own: Sequence[Observation], order_id: str) -> Believed:
    """Return who believes what, by the very words of a verdict."""
    from checkout_sim.checks.beliefs import believed  # noqa: PLC0415 - a verdict often says it
    from checkout_sim.checks.evidence import Evidence  # noqa: PLC0415 - beside it: 30 ms

    run_wide = [one for one in seen if one.kind.startswith(RUN_WIDE)]
    by_id = {one.id: one for one in (*run_wide, *own)}
    history = Evidence.in_memory().extend(by_id[at] for at in sorted(by_id)).finish()
    try:
        return believed(history, order_id)
    finally:
        history.close()
