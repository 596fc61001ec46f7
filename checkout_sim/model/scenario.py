"""A scenario: what shoppers do, what breaks and when, and which verdict each strategy must earn.

Values are resolved but not yet drawn: a `Drawn` range or a `chance` becomes a figure only in
planning. Durations are milliseconds, money is minor units.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from checkout_sim.model.fault import FaultKind
from checkout_sim.model.verdict import Status

# ---- moments -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AtTime:
    """So long after the storm began."""

    ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeCheckout:
    """The driver holds this checkout until the deed is done and read back."""

    checkout: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterCheckouts:
    """So many checkouts have ended."""

    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OnEvent:
    """The `nth` observation of this kind (of this checkout, if named), then `then_ms` more."""

    event: str
    checkout: int | None = None
    nth: int = 1
    then_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AtCalm:
    """When the storm is over and every fault is lifted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterInjected:
    """So long after the same window of the same fault was injected: what `for:` means."""

    ms: int


Moment = AtTime | BeforeCheckout | AfterCheckouts | OnEvent | AtCalm | AfterInjected


# ---- shoppers ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a cart."""

    product: str
    quantity: int
    price_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PostOnce:
    """Post the order once and believe the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """After an unknown claim post again, up to `times` more, with the same or a new key."""

    times: int = 1
    wait_ms: int = 150
    key: Literal["same", "new"] = "same"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitTwice:
    """Press the button twice, `gap_ms` apart; the second may carry another card."""

    gap_ms: int = 30
    key: Literal["same", "new"] = "same"
    card: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkAway:
    """Close the browser after `after_ms`, hearing nothing."""

    after_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAt:
    """Ask `POST /order/cancel` at a moment; the order id is taken from `order.created`."""

    at: Moment


Behaviour = PostOnce | Retry | SubmitTwice | WalkAway | CancelAt


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopperRule:
    """What some checkouts do otherwise than the load says; None keeps the load's choice."""

    checkouts: tuple[int, ...]
    card: str | None = None
    cart: tuple[Line, ...] | None = None
    patience_ms: int | None = None
    behaviour: Behaviour = PostOnce()


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How many checkouts, how fast.

    Exactly one of: `concurrency` (closed loop), `rate_per_s` (open loop), `at_ms` (single start
    times, one per checkout, so that recorded sessions keep their rhythm).
    """

    checkouts: int = 8
    concurrency: int | None = 1
    rate_per_s: float | None = None
    at_ms: tuple[int, ...] | None = None
    cart: tuple[Line, ...] = (Line(product="mug", quantity=1, price_minor=4200),)
    cards: tuple[str, ...] = ("pm_card_visa",)


# ---- faults ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A duration the plan draws once per injection, both ends included."""

    low_ms: int
    high_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """One entry of `faults:`.

    `begin` is `from:` of a window or `at:` of a deed; `end` is `until:`, `for:` (AfterInjected),
    `restart:` of a kill, or AtCalm. `drawn` names toxic attributes whose figure the plan draws.
    """

    name: str
    kind: FaultKind
    begin: Moment
    end: Moment
    drawn: Mapping[str, Drawn] = field(default_factory=dict)
    every_ms: int | None = None
    chance: float = 1.0
    ahead_of: str | None = None
    optional: bool = False
    note: str = ""


# ---- what must come out ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """Bound and proof of quiescence; `stalled_for_ms` None means 6 s times the time scale."""

    within_ms: int = 20_000
    quiet_for_ms: int = 300
    stalled_for_ms: int | None = None
    proof_checkouts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """The verdict one strategy must earn.

    Broken claims must lie between `trips` and `trips` + `may_trip`; `confirmed` is an inclusive
    range of confirmed checkouts; each event of `sees` must have occurred.
    """

    verdict: Status
    trips: tuple[str, ...] = ()
    may_trip: tuple[str, ...] = ()
    confirmed: tuple[int, int] | None = None
    sees: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSpec:
    """The world a scenario asks for; `settings` are single overrides, service → name → value.

    Durations in `settings` are milliseconds and their names end in `_ms` already. Without
    `webhooks` the gateway has nobody to tell of its events.
    """

    database: Literal["sqlite", "postgres"] = "sqlite"
    time_scale: float = 1.0
    webhooks: bool = True
    replicas: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One story, whole. `digest` is the SHA-256 of the file's bytes, `path` where it came from."""

    name: str
    why: str
    path: str
    digest: str
    tags: tuple[str, ...] = ()
    seed: int = 1
    stack: StackSpec = StackSpec()
    load: Load = Load()
    shoppers: tuple[ShopperRule, ...] = ()
    faults: tuple[FaultRule, ...] = ()
    settle: Settle = Settle()
    invariants: tuple[str, ...]  # names, resolved from `judge:`
    expect: Mapping[str, Expectation]
