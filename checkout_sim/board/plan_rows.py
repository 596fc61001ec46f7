"""A scenario under way: its faults as steps, which are done, which comes next, what it expects.

Takes the scenario and what was seen; gives rows. The plan itself stays with the engine: a step here
is the beginning or the end of one fault, at the moment the file names, and it is done when the
history says so.
"""

from collections import Counter
from typing import Literal, NamedTuple, assert_never

from checkout_sim.model.fault import FaultKind, GatewayFault, LinkFault, ProcessFault
from checkout_sim.model.history import Observation
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

_SECOND_MS = 1000


class StepRow(NamedTuple):
    """One step of a plan: when, what, and how it stands; `times` counts repeats."""

    state: StepState
    when: str
    what: str
    times: int = 0

    @property
    def mark(self) -> str:
        """Return the state's mark."""
        return MARKS[self.state]


class Progress:
    """What a run has come to: its phase, its checkouts, and each fault's doings."""

    def __init__(self) -> None:
        self.phase = ""
        self.strategy = ""
        self.scenario = ""
        self.path = ""
        self.seed: int | None = None
        self.checkouts = 0
        self.sent = 0
        self.ended = 0
        self.injected: Counter[str] = Counter()
        self.lifted: Counter[str] = Counter()
        self.failed: dict[str, str] = {}
        self._sent: set[int] = set()
        self._ended: set[int] = set()

    def see(self, one: Observation) -> None:
        """Take one more observation of the run."""
        match one.kind:
            case "run.opened":
                self._opened(one)
            case "phase.entered":
                self.phase = str(one.data.get("phase", ""))
            case "client.sent" if one.checkout is not None:
                self._sent.add(one.checkout)
                self.sent = len(self._sent)
            case "client.ended" if one.checkout is not None:
                self._ended.add(one.checkout)
                self.ended = len(self._ended)
            case "fault.injected" if one.fault:
                self.injected[one.fault] += 1
            case "fault.lifted" if one.fault:
                self.lifted[one.fault] += 1
            case "fault.failed" if one.fault:
                self.failed[one.fault] = str(one.data.get("message", ""))
            case _:
                pass

    def _opened(self, one: Observation) -> None:
        data = one.data
        self.strategy = str(data.get("strategy", ""))
        self.scenario = str(data.get("scenario", ""))
        self.path = str(data.get("path", ""))
        self.seed = data.get("seed")
        self.checkouts = int(data.get("checkouts") or 0)

    @property
    def over(self) -> bool:
        """Return whether the storm is past: what has not begun will not begin."""
        return self.phase in PHASES[2:]


def step_rows(scenario: Scenario, progress: Progress) -> tuple[StepRow, ...]:
    """Return two rows for each fault of a scenario, its beginning and its end, in the file's order.

    The first step that is neither done nor failed is `next` while the storm lasts; what never began
    is `missed` once it is over.
    """
    rows: list[StepRow] = []
    pointed = False
    for rule in scenario.faults:
        for row in _rows_of(rule, progress):
            state = row.state
            if state == "waiting" and progress.over:
                state = "missed"
            elif state == "waiting" and not pointed and progress.phase == "storm":
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
    """Return the verdict a strategy must earn: `invalid by replies_are_true`, `valid, 5 confirmed`."""
    if expected is None:
        return "nothing"
    words = expected.verdict
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
            return f"after {moment.count} checkouts"
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
        case _:
            assert_never(kind)


def _rows_of(rule: FaultRule, progress: Progress) -> tuple[StepRow, StepRow]:
    begun, ended = progress.injected[rule.name], progress.lifted[rule.name]
    failed = rule.name in progress.failed
    begin: StepState = "done" if begun else "failed" if failed else "waiting"
    end: StepState = "done" if ended else "failed" if failed and begun else "waiting"
    repeats = f", every {_ms(rule.every_ms)}" if rule.every_ms else ""
    message = f": {progress.failed[rule.name]}" if failed else ""
    return (
        StepRow(
            begin,
            f"{said_moment(rule.begin)}{repeats}",
            f"{rule.name}: {said_kind(rule.kind)}{message}",
            begun,
        ),
        StepRow(end, said_moment(rule.end), f"{_undone(rule.kind)} {rule.name}", ended),
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
