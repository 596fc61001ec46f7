"""Fault controls: what no signal, test card or connection-wide toxic can do to one order.

No dice: a control fires on the matching requests
`nth`, `nth`+1 … `nth`+`times`-1, and each firing is a `fault_used` row under its label, written
in the transaction that it concerns. Counters live in the database, so a restart forgets nothing.

A control acts at one stage of a request:

- `refuse`, ahead of the key look-up: nothing is saved or done;
- `hold`, between reservation and execution;
- `result`, in place of the execution's answer;
- `answer`, after the commit;
- `refund`, on a refund that was just made;
- `event`, on a webhook as it enters the outbox;
- `forge`, beside an event, whether anybody asked for it or not.
"""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

Stage = Literal["refuse", "hold", "result", "answer", "refund", "event", "forge"]

_ANY = ("create", "confirm", "charge", "retrieve", "cancel", "refund")
_WRITES = ("create", "confirm", "charge", "cancel", "refund")
# Of a webhook the operation is its type.
EVENT_TYPES = (
    "payment_intent.created",
    "payment_intent.requires_action",
    "payment_intent.processing",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "charge.succeeded",
    "charge.failed",
    "charge.refunded",
    "refund.created",
    "refund.updated",
    "refund.failed",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of control: where it acts, on what, with which figures in ms."""

    stage: Stage
    operations: tuple[str, ...]
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


KINDS: Mapping[str, Kind] = {
    "rate_limited": Kind(stage="refuse", operations=_ANY),
    "lock_timeout": Kind(stage="refuse", operations=_WRITES),
    "unavailable": Kind(stage="refuse", operations=_ANY),
    "error_500_no_effect": Kind(stage="result", operations=_WRITES),
    "error_500_after_effect": Kind(
        stage="result", operations=_WRITES, optional=("reveal_after_ms",)
    ),
    "error_500_then_back": Kind(
        stage="result", operations=("charge",), optional=("reveal_after_ms",)
    ),
    "drop_after_commit": Kind(stage="answer", operations=_WRITES),
    "delay_after_commit": Kind(stage="answer", operations=_WRITES, required=("ms",)),
    "slow_execution": Kind(stage="hold", operations=_WRITES, required=("ms",)),
    "refund_pending": Kind(stage="refund", operations=("refund",), required=("ms",)),
    "refund_fails_later": Kind(stage="refund", operations=("refund",), required=("ms",)),
    "event_drop": Kind(stage="event", operations=EVENT_TYPES),
    "event_duplicate": Kind(stage="event", operations=EVENT_TYPES),
    "event_delay": Kind(stage="event", operations=EVENT_TYPES, required=("ms",)),
    "event_swap": Kind(stage="event", operations=EVENT_TYPES, required=("ms",)),
    "event_forged": Kind(stage="forge", operations=EVENT_TYPES, required=("ms",)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An armed control. `operation`, `order_id` and `user` of None match anything."""

    name: str
    label: str
    operation: str | None = None
    order_id: str | None = None
    user: str | None = None
    nth: int = 1
    times: int = 1
    parameters: Mapping[str, int] = field(default_factory=dict)

    @property
    def stage(self) -> Stage:
        """Where in a request it acts."""
        return KINDS[self.name].stage

    @property
    def operations(self) -> tuple[str, ...]:
        """Which operations it may strike: the one it names, else all that its kind allows."""
        return KINDS[self.name].operations if self.operation is None else (self.operation,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a request does and to whom; `charge` is whichever operation moves money."""

    operations: frozenset[str]
    order_id: str | None = None
    user: str | None = None


class Controls:
    """The armed controls. The list is kept in memory, its counters in the database."""

    def __init__(self) -> None:
        self._faults: tuple[Fault, ...] = ()

    def __bool__(self) -> bool:
        return bool(self._faults)

    def load(self, sql: sqlite3.Connection) -> None:
        """Read the list again after it was changed, or at start."""
        rows = sql.execute("SELECT armed FROM faults ORDER BY n").fetchall()
        self._faults = tuple(Fault(**json.loads(armed)) for (armed,) in rows)

    def fire(self, sql: sqlite3.Connection, stage: Stage, target: Target) -> Fault | None:
        """Count this request for every control it matches, and return the one that strikes.

        The caller says `use` once it has struck; until then its times are not spent.
        """
        struck: Fault | None = None
        for fault in self._faults:
            if fault.stage != stage or not matches(fault, target):
                continue
            row = sql.execute(
                "UPDATE faults SET seen = seen + 1 WHERE label = ? RETURNING seen, used",
                (fault.label,),
            ).fetchone()
            if struck is None and row is not None:
                seen, used = row
                struck = fault if seen >= fault.nth and used < fault.times else None
        return struck


def matches(fault: Fault, target: Target) -> bool:
    """Tell whether a control is aimed at such a request."""
    return (
        not target.operations.isdisjoint(fault.operations)
        and fault.order_id in {None, target.order_id}
        and fault.user in {None, target.user}
    )


def use(sql: sqlite3.Connection, fault: Fault) -> None:
    """Spend one of a control's times."""
    sql.execute("UPDATE faults SET used = used + 1 WHERE label = ?", (fault.label,))


def arm(sql: sqlite3.Connection, fault: Fault) -> bool:
    """Write a control; false when its label is armed already."""
    cursor = sql.execute(
        "INSERT INTO faults (label, armed, seen, used) VALUES (?, ?, 0, 0) "
        "ON CONFLICT (label) DO NOTHING",
        (fault.label, json.dumps(asdict(fault))),
    )
    return cursor.rowcount == 1


def lift(sql: sqlite3.Connection, label: str | None) -> int:
    """Delete one control, or all; return how many there were."""
    if label is None:
        return sql.execute("DELETE FROM faults").rowcount
    return sql.execute("DELETE FROM faults WHERE label = ?", (label,)).rowcount


def armed(sql: sqlite3.Connection) -> list[dict[str, object]]:
    """Return every armed control with how often it was used."""
    rows = sql.execute("SELECT armed, used FROM faults ORDER BY n").fetchall()
    return [{**json.loads(text), "used": used} for text, used in rows]
