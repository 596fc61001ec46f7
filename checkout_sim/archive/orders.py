"""The orders of an archived run: which one to look at, and its ladder.

Takes a run's folder; gives ladders, reading only those lines of the history that an order needs.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from checkout_sim.archive.recorder import HISTORY_NAME
from checkout_sim.checks.ladder import (
    RUN_WIDE,
    checkout_of,
    first_order_under_fault,
    ladder,
    orders_of,
)
from checkout_sim.model.belief import Believed
from checkout_sim.model.history import Observation
from checkout_sim.model.ladder import Ladder
from checkout_sim.model.verdict import Violation
from checkout_sim.ndjson import mentioning, read_history

_ENOUGH_TO_CHOOSE = ("fault.", "order.created", "client.ended")


def violations_in(verdict: Mapping[str, Any]) -> tuple[Violation, ...]:
    """Return the violations a `verdict.json` lists."""
    return tuple(
        Violation(
            invariant=str(one["invariant"]),
            order_id=one.get("order_id"),
            checkout=one.get("checkout"),
            detail=str(one.get("detail", "")),
            events=tuple(one.get("events", ())),
        )
        for one in verdict.get("violations", ())
    )


def believed_in(verdict: Mapping[str, Any], order_id: str) -> Believed | None:
    """Return who believes what of an order, where a `verdict.json` says it."""
    told = (verdict.get("beliefs") or {}).get(order_id)
    if told is None:
        return None
    return Believed(
        told=told["told"],
        order=told["order"],
        payment=told["payment"],
        gateway=told["gateway"],
        faults=tuple(told["faults"]),
    )


def first_worth_a_look(folder: Path, violations: Sequence[Violation]) -> str | None:
    """Return the first violated order, else the first one under a fault, else the first at all."""
    for one in violations:
        if one.order_id is not None:
            return one.order_id
        if one.checkout is not None:
            return next(iter(_orders_of_checkout(folder, one.checkout)), None)
    seen = list(_read(folder, kinds=_ENOUGH_TO_CHOOSE))
    created = (one.order for one in seen if one.kind == "order.created" and one.order)
    return first_order_under_fault(seen) or next(created, None)


def orders_called(folder: Path, name: str, violations: Sequence[Violation] = ()) -> tuple[str, ...]:
    """Return the orders that go by a name: an id, the beginning of one, or a checkout's number.

    Those with violations come first; none at all when nothing goes by it.
    """
    if name.lstrip("#").isdigit():
        found = _orders_of_checkout(folder, int(name.lstrip("#")))
    else:
        seen = _read(folder, words=(f'"order":"{name}',))
        found = tuple(
            dict.fromkeys(one.order for one in seen if one.order and one.order.startswith(name))
        )
    violated = {one.order_id for one in violations}
    return tuple(sorted(found, key=lambda order: order not in violated))


def ladder_of(
    folder: Path,
    order_id: str,
    *,
    checkout: int | None = None,
    believed_already: Believed | None = None,
) -> Ladder:
    """Return the ladder of one order; what is known already saves looking it up again."""
    if checkout is None:
        checkout = checkout_of(_read(folder, words=(order_id,)), order_id)
    words = (order_id, *_words_of(checkout))
    seen = _read(folder, kinds=RUN_WIDE, words=words)
    return ladder(seen, order_id, believed_already=believed_already)


def _orders_of_checkout(folder: Path, checkout: int) -> tuple[str, ...]:
    return orders_of(_read(folder, words=_words_of(checkout)), checkout)


def _words_of(checkout: int | None) -> tuple[str, ...]:
    return () if checkout is None else (f'"checkout":{checkout},', f'"checkout":{checkout}}}')


def _read(
    folder: Path, *, kinds: Sequence[str] = (), words: Sequence[str] = ()
) -> Iterator[Observation]:
    return read_history(folder / HISTORY_NAME, wanted=mentioning(kinds=kinds, words=words))
