"""A scenario under way: its faults as steps, which are done, which comes next, what it expects.

Takes the scenario and what was seen; gives rows. The plan itself stays with the engine: a step here
is the beginning or the end of one fault, at the moment the file names, and it is done when the
history says so.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple, assert_never

from checkout_sim.board.faults import FaultSeen
from checkout_sim.board.tokens import counted
from checkout_sim.model.fault import BrokerFault, FaultKind, GatewayFault, LinkFault, ProcessFault
from checkout_sim.model.scenario import (
    AfterCheckouts,
    AfterInjected,
    AtCalm,
    AtTime,
    BeforeCheckout,
    Expectation,
    FaultRule,
    Moment,
    OnEvent,
    Scenario,
)

StepState = Literal["done", "next", "waiting", "failed", "missed"]

MARKS: dict[StepState, str] = {
    "done": "+",
    "next": ">",
    "waiting": " ",
    "failed": "!",
    "missed": "?",
}

PHASES = ("start", "storm", "calm", "settle", "read", "judged")
_AFTER_THE_STORM = frozenset(PHASES[2:])

_SECOND_MS = 1000


class StepRow(NamedTuple):
    """One step of a plan: when, what, and how it stands."""

    state: StepState
    when: str
    what: str

    @property
    def mark(self) -> str:
        """Return the state's mark."""
        return MARKS[self.state]


def step_rows(
    scenario: Scenario, faults: Mapping[str, FaultSeen], phase: str
) -> tuple[StepRow, ...]:
    """Return two rows for each fault of a scenario, its beginning and its end, in the file's order.

    `faults` is what was seen of them, by name. The first step that is neither done nor failed is
    `next` while the storm lasts; what never began is `missed` once it is over.
    """
    rows: list[StepRow] = []
    pointed = False
    for rule in scenario.faults:
        for row in _rows_of(rule, faults.get(rule.name)):
            state = row.state
            if state == "waiting" and phase in _AFTER_THE_STORM:
                state = "missed"
            elif state == "waiting" and not pointed and phase == "storm":
                state, pointed = "next", True
            rows.append(row._replace(state=state))
    return tuple(rows)


def phase_bar(phase: str, share: float, *, width: int) -> str:
    """Return the phases with a bar in the storm: `[storm####......] calm settle read judge`."""
    if phase not in PHASES:
        return "not running"
    filled = max(0, min(width, round(share * width)))
    words = []
    for name in PHASES[1:]:
        said = "judge" if name == "judged" else name
        if name == "storm" == phase:
            words.append(f"[storm{'#' * filled}{'.' * (width - filled)}]")
        else:
            words.append(f"[{said}]" if name == phase else said)
    return "  ".join(words)


def said_expectation(expected: Expectation | None) -> str:
    """Return the verdict a strategy must earn: `invalid by replies_are_true`."""
    if expected is None:
        return "nothing"
    words: str = expected.verdict
    if expected.trips:
        words += f" by {', '.join(expected.trips)}"
    if expected.confirmed is not None:
        low, high = expected.confirmed
        words += f", {low if low == high else f'{low}..{high}'} confirmed"
    return words


def said_moment(moment: Moment) -> str:
    """Return a moment as a person says it: `before checkout 3`, `on gateway.captured of #3`."""
    match moment:
        case AtTime():
            return f"at {_ms(moment.ms)}"
        case BeforeCheckout():
            return f"before checkout {moment.checkout}"
        case AfterCheckouts():
            return f"after {counted(moment.count, 'checkout')}"
        case OnEvent():
            nth = f", the {moment.nth}th" if moment.nth > 1 else ""
            whose = f" of #{moment.checkout}" if moment.checkout else ""
            then = f", then {_ms(moment.then_ms)}" if moment.then_ms else ""
            return f"on {moment.event}{whose}{nth}{then}"
        case AtCalm():
            return "at calm"
        case AfterInjected():
            return f"then {_ms(moment.ms)}"
        case _:
            assert_never(moment)


def said_kind(kind: FaultKind) -> str:
    """Return what a fault does: `latency 150ms > on payment_to_gateway`, `kill payment`."""
    match kind:
        case LinkFault():
            where = " or ".join(kind.links)
            return f"{'down' if kind.down else _toxics(kind)} on {where}"
        case ProcessFault():
            number = f" {kind.instance}" if kind.instance > 1 else ""
            return f"{kind.do} {' or '.join(kind.processes)}{number}"
        case GatewayFault():
            times = f", {kind.times} times" if kind.times > 1 else ""
            return f"gateway {kind.control} on {kind.operation or 'any'}{times}"
        case BrokerFault():
            return f"{kind.do} on {kind.queue}"
        case _:
            assert_never(kind)


def _rows_of(rule: FaultRule, seen: FaultSeen | None) -> tuple[StepRow, StepRow]:
    stage = seen.stage if seen else "wanted"
    failed = stage == "stuck"
    begun = stage in {"armed", "lifted"} or (seen is not None and seen.armed_ms is not None)
    begin: StepState = "done" if begun else "failed" if failed else "waiting"
    end: StepState = "done" if stage == "lifted" else "failed" if failed and begun else "waiting"
    repeats = f", every {_ms(rule.every_ms)}" if rule.every_ms else ""
    told = f": {seen.message}" if seen is not None and failed else ""
    struck = f" (hit {seen.hits})" if seen is not None and seen.hits else ""
    return (
        StepRow(
            state=begin,
            when=f"{said_moment(rule.begin)}{repeats}",
            what=f"{rule.name}: {said_kind(rule.kind)}{struck}{told}",
        ),
        StepRow(state=end, when=said_moment(rule.end), what=f"{_undone(rule.kind)} {rule.name}"),
    )


def _undone(kind: FaultKind) -> str:
    if isinstance(kind, ProcessFault):
        return {"kill": "start after", "pause": "resume after", "restart": "up after"}[kind.do]
    return "lift"


def _toxics(kind: LinkFault) -> str:
    toxic = kind.toxics[0]
    ways = "".join({"upstream": ">", "downstream": "<"}[one.stream] for one in kind.toxics)
    figure = next(iter(toxic.attributes.values()), 0)
    unit = {"latency": "ms", "timeout": "ms", "reset_peer": "ms", "bandwidth": "KB/s"}
    return f"{toxic.type} {figure}{unit.get(toxic.type, 'B')} {ways}"


def _ms(ms: int) -> str:
    return f"{ms} ms" if ms < _SECOND_MS else f"{ms / _SECOND_MS:g} s"
