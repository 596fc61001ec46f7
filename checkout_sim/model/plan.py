"""A plan: what will be done, every chance drawn; the same for every strategy.

`expand(scenario, seed)` in `planning/` makes it; the runner consumes its steps and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from checkout_sim.model.fault import FaultKind
from checkout_sim.model.scenario import Behaviour, Line, Moment, Settle, StackSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class InTurn:
    """As soon as a shopper slot is free, in order of checkout number: the closed loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shopper:
    """One purchase with everything drawn. Its user is `shopper-<checkout>`.

    `keys[i]` is the Idempotency-Key of attempt i + 1; `patience_ms` bounds each attempt.
    """

    checkout: int
    user: str
    cart: tuple[Line, ...]
    card: str
    patience_ms: int
    keys: tuple[str, ...]
    behaviour: Behaviour


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """Send one shopper through the shop."""

    shopper: Shopper


@dataclass(frozen=True, slots=True, kw_only=True)
class Inject:
    """Make a fault real. `window` counts the injections of one fault from 1."""

    fault: str
    window: int
    kind: FaultKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Lift:
    """Undo what Inject of the same fault and window did: lift, resume, or start again."""

    fault: str
    window: int


Action = Checkout | Inject | Lift


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One action and the moment it waits for. `number` counts from 1 in plan order."""

    number: int
    when: Moment | InTurn
    action: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredFault:
    """What the judge must know of a fault, to say whether it fired in time.

    `type` is a toxic type, `down`, kill, pause, restart, or a gateway control. `least_delay_ms`
    is the smallest latency drawn. `links` and `processes` keep the scenario's alternatives.
    """

    name: str
    type: str
    links: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()
    least_delay_ms: int = 0
    optional: bool = False
    ahead_of: str | None = None
    windows: int = 1
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything the runner needs, and nothing that depends on a strategy."""

    scenario: str
    scenario_path: str
    scenario_digest: str
    seed: int
    concurrency: int | None  # None: open loop, checkouts carry AtTime
    checkouts: int
    steps: tuple[Step, ...]
    faults: tuple[DeclaredFault, ...]
    proof: tuple[Shopper, ...]
    stack: StackSpec
    settle: Settle
    invariants: tuple[str, ...]
    draws: Mapping[str, str] = field(default_factory=dict)  # "weather#3.latency" → "127ms"
