"""The part of a recorded session that is to become a scenario, and its checkouts, numbered anew.

Pure: takes a session's observations; gives a Stretch. Marked by the operator's Record, else the
whole storm. Faults in force when it begins belong to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from checkout_sim.model.history import Observation


@dataclass(slots=True, kw_only=True)
class Purchase:
    """One checkout of the stretch; `number` counts from 1 in the order they began.

    `last_ms` is when anything was last seen of it; `ended_ms` when its shopper was done.
    """

    number: int
    recorded: int  # its number in the session
    shopper: Mapping[str, Any]  # data of operator.shopper
    began_ms: float
    ended_ms: float
    last_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """One window of one fault, as it was injected and lifted; times on the recorder's clock."""

    fault: str
    window: int
    injected: Observation
    lifted: Observation | None

    @property
    def key(self) -> str:
        """Return a name of its own: a fault adjusted is several of these."""
        return self.fault if self.window == 1 else f"{self.fault}_{self.window}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What happened between two marks."""

    run: Mapping[str, Any]  # data of run.opened
    seen: Sequence[Observation]
    purchases: tuple[Purchase, ...]
    struck: tuple[Struck, ...]
    asked: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    lifted_all_ms: tuple[float, ...] = ()

    def number_of(self, recorded: int | None) -> int | None:
        """Return the new number of a checkout of the session, if it is in the stretch."""
        return next((one.number for one in self.purchases if one.recorded == recorded), None)

    def busy_at(self, ms: float) -> bool:
        """Return whether some shopper was waiting for an answer then."""
        return any(one.began_ms <= ms < one.ended_ms for one in self.purchases)

    def next_after(self, ms: float) -> Purchase | None:
        """Return the first purchase that began after a time."""
        return next((one for one in self.purchases if one.began_ms > ms), None)


def stretch_of(observations: Sequence[Observation]) -> Stretch:
    """Return what is to be drafted; without checkouts where nobody bought anything in it."""
    opened = next((seen.data for seen in observations if seen.kind == "run.opened"), {})
    low, high = _bounds(observations)
    inside = [seen for seen in observations if low <= seen.id <= high]
    storm = [seen for seen in observations if seen.id <= _storm_ends(observations)]
    return Stretch(
        run=opened,
        seen=inside,
        purchases=_purchases(inside, storm),
        struck=tuple(_struck(observations, low, high)),
        asked=_asked(observations),
        notes=tuple(
            str(seen.data.get("text"))
            for seen in inside
            if seen.kind == "operator.noted" and seen.data.get("text")
        ),
        lifted_all_ms=tuple(
            seen.t_ms
            for seen in inside
            if seen.kind == "operator.asked" and seen.data["command"].get("is") == "LiftAll"
        ),
    )


def _storm_ends(observations: Sequence[Observation]) -> int:
    for seen in observations:
        if seen.kind == "phase.entered" and seen.data.get("phase") == "calm":
            return seen.id
    return observations[-1].id if observations else 0


def _bounds(observations: Sequence[Observation]) -> tuple[int, int]:
    """Return the first and last observation of the last marked stretch, else of the storm."""
    storm_ends = _storm_ends(observations)
    begin, end = 0, storm_ends
    for seen in observations:
        if seen.kind != "operator.noted":
            continue
        if seen.data.get("mark") == "begin":
            begin, end = seen.id, storm_ends
        elif seen.data.get("mark") == "end" and begin:
            end = seen.id
    return begin, end


def _purchases(inside: Sequence[Observation], storm: Sequence[Observation]) -> tuple[Purchase, ...]:
    bought = {seen.checkout: seen for seen in inside if seen.kind == "operator.shopper"}
    began: dict[int | None, float] = {}
    ended: dict[int | None, float] = {}
    last: dict[int | None, float] = {}
    for seen in storm:
        if seen.checkout not in bought:
            continue
        last[seen.checkout] = seen.t_ms
        if seen.kind == "client.sent":
            began.setdefault(seen.checkout, seen.t_ms)
        elif seen.kind == "client.ended":
            ended[seen.checkout] = seen.t_ms
    found = [
        Purchase(
            number=0,
            recorded=number or 0,
            shopper=seen.data,
            began_ms=began[number],
            ended_ms=ended.get(number, last[number]),
            last_ms=last[number],
        )
        for number, seen in bought.items()
        if number in began
    ]
    found.sort(key=lambda one: (one.began_ms, one.recorded))
    for number, one in enumerate(found, start=1):
        one.number = number
    return tuple(found)


def _struck(observations: Sequence[Observation], low: int, high: int) -> list[Struck]:
    """Return the windows in force at some time in the stretch, in order of injection."""
    lifted = {
        (seen.fault, seen.data.get("window")): seen
        for seen in observations
        if seen.kind == "fault.lifted"
    }
    found: list[Struck] = []
    for seen in observations:
        if seen.kind != "fault.injected" or seen.id > high:
            continue
        window = int(seen.data.get("window", 1))
        lift = lifted.get((seen.fault, window))
        if lift is not None and lift.id < low:
            continue
        inside = lift if lift is not None and lift.id <= high else None
        found.append(Struck(fault=seen.fault or "", window=window, injected=seen, lifted=inside))
    return found


def _asked(observations: Sequence[Observation]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """Return every Inject that was asked for, by the fault's name, in order."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for seen in observations:
        if seen.kind == "operator.asked":
            command = seen.data["command"]
            if command.get("is") in ("Inject", "Adjust"):
                found.setdefault(str(command.get("name")), []).append(
                    {**command, "asked_ms": seen.t_ms}
                )
    return found
