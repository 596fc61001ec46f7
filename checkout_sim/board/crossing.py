"""What a purchase will cross: the links of the strategy in their order, each with its faults.

Takes the links and the faults in force, gives one line and what it must come to at least: a latency
takes its time, a swallowed message leaves its caller unknowing, a link that is down refuses.
"""

from collections.abc import Mapping, Sequence

from checkout_sim.board.fault_rows import said_fault
from checkout_sim.board.faults import FaultSeen
from checkout_sim.board.places import label_of
from checkout_sim.board.tokens import latency

_LOSES = frozenset({"timeout", "reset_peer", "limit_data"})


def crossing(links: Sequence[str], faults: Sequence[FaultSeen]) -> str:
    """Return the way of a purchase: `1 > 3 (slow 500ms <) > 6 (reply lost <)`."""
    return " > ".join(_step(name, [one for one in faults if one.target == name]) for name in links)


def outlook(links: Sequence[str], faults: Sequence[FaultSeen], budgets: Mapping[str, int]) -> str:
    """Return what it must come to at least: `at least 1.3s, then unknown on 6`.

    `budgets` are the ms one try may take, by link; a swallowed message costs its caller that much.
    """
    on_the_way = [one for one in faults if one.target in links and one.stage == "armed"]
    refusing = [one for one in on_the_way if one.type == "down"]
    if refusing:
        return f"refused at {refusing[0].label}"
    least_ms = sum(one.delay_ms for one in on_the_way)
    losing = [one for one in on_the_way if one.type in _LOSES or _frozen(one)]
    waiting = {one.target for one in losing if one.type == "timeout" or _frozen(one)}
    least_ms += sum(budgets.get(link, 0) for link in waiting)
    least = f"at least {latency(least_ms)}" if least_ms else ""
    unknown = f"unknown on {', '.join(dict.fromkeys(one.label for one in losing))}"
    if losing:
        return f"{least}, then {unknown}" if least else unknown
    return least or "nothing in the way"


def _step(link: str, faults: Sequence[FaultSeen]) -> str:
    said = ", ".join(said_fault(one) for one in faults)
    return f"{label_of(link)} ({said})" if said else label_of(link)


def _frozen(fault: FaultSeen) -> bool:
    rates = [(one.get("attributes") or {}).get("rate") for one in fault.toxics]
    return fault.type == "bandwidth" and 0 in rates
