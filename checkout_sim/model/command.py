"""What an operator may ask of a running engine; `model/answer.py` is what it says to that.

Commands become steps of the run and `operator.asked` lines of its history, so that whatever a
person did can be cut out as a scenario. `stream/` carries them as NDJSON.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from checkout_sim.model.fault import GatewayFault, LinkFault
from checkout_sim.model.scenario import Behaviour, Line, PostOnce

# ---- windows -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class UntilLifted:
    """In force until someone lifts it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForTime:
    """In force for so long."""

    ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UntilEvent:
    """In force until the next observation of this kind."""

    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OnNextEvent:
    """Armed now, injected on the next observation of this kind; the link is held meanwhile."""

    event: str


Window = UntilLifted | ForTime | UntilEvent | OnNextEvent


# ---- commands ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """Send me the history from this observation on; with `follow`, what comes after as well."""

    from_id: int = 1
    follow: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Buy:
    """Send `count` shoppers, `rate_per_s` of them a second; None: one after another.

    `count` 0 with a rate is continuous load, until StopBuying. `seed` draws the carts when
    `drawn_cart` asks for it.
    """

    lines: tuple[Line, ...]
    card: str = "pm_card_visa"
    patience_ms: int = 6000
    behaviour: Behaviour = field(default_factory=PostOnce)
    count: int = 1
    rate_per_s: float | None = None
    drawn_cart: bool = False
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StopBuying:
    """Send no more shoppers; those under way finish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inject:
    """Make a link or gateway fault real. `name` is the operator's, unique among those in force."""

    name: str
    kind: LinkFault | GatewayFault
    window: Window = UntilLifted()
    title: str = ""  # the preset's name, for people


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjust:
    """Replace a fault in force by the same one with other figures."""

    name: str
    kind: LinkFault | GatewayFault


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftFault:
    """Undo one fault by name."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftAll:
    """Heal: lift every fault, resume and start every process, drop every gateway control.

    `foreign` also removes toxics that somebody else put on our links.
    """

    foreign: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """Revert the operator's last fault command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redo:
    """Do again what was undone last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """SIGKILL a process; it stays down until Start."""

    process: str
    instance: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """SIGSTOP a process."""

    process: str
    instance: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """SIGCONT a process."""

    process: str
    instance: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Start a process that ended."""

    process: str
    instance: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """SIGTERM, then start again."""

    process: str
    instance: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RunScenario:
    """Run a scenario file against some strategies in this engine, one after another.

    Each run has a stack of its own; subscribers watch it as they watch a session.
    """

    path: str
    strategies: tuple[str, ...]
    seed: int | None = None
    repeat: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StopPlan:
    """End the scenario under way: what has not begun is dropped, then calm and a verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPlan:
    """Let the scenario under way begin nothing more, and none of its time pass, until released.

    Services and checkouts under way go on. The run is judged, but no longer compared.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPlan:
    """Let the scenario under way go on until one more action has begun, then hold it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePlan:
    """Let the scenario that is held go on from where it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Calm, settle, read, judge; then a new session opens on a fresh stack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Begin or end a stretch that is to become a scenario."""

    mark: Literal["begin", "end"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Put a sentence of the operator's into the history."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftScenario:
    """Cut a scenario out of a recorded run: answered with a Draft.

    `run` empty is the newest judged session; `drop` names items of the draft to leave out, and
    `moments` chooses another of an item's proposed moments, by item.
    """

    run: str = ""
    name: str = ""
    drop: tuple[str, ...] = ()
    moments: Mapping[str, int] = field(default_factory=dict)
    trim_idle: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveScenario:
    """Validate this text and write it as a scenario file: answered with Saved or a Nack."""

    name: str
    text: str
    replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """End the engine: heal, judge first if asked to, stop everything."""

    judge: bool = False


Command = (
    Subscribe
    | Buy
    | StopBuying
    | Inject
    | Adjust
    | LiftFault
    | LiftAll
    | Undo
    | Redo
    | Kill
    | Pause
    | Resume
    | Start
    | Restart
    | RunScenario
    | StopPlan
    | HoldPlan
    | StepPlan
    | ReleasePlan
    | Judge
    | Record
    | Note
    | DraftScenario
    | SaveScenario
    | Close
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A command as it travels: `command_id` comes back in its answer, `by` names who asked."""

    command_id: str
    command: Command
    by: str = "operator"
