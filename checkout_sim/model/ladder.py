"""A ladder: what befell one order, as a sequence diagram with its faults on the same time axis.

Standard library only. `checks/ladder.py` makes it from observations; the terminal and the HTML
page draw it. Times are milliseconds since the order's first sight.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from checkout_sim.model.belief import Believed

# The parties, in the order a request meets them.
SHOPPER, ORCHESTRATOR, ORDER = "shopper", "orchestrator", "order"
BROKER, PAYMENT, GATEWAY = "broker", "payment", "gateway"

_LANES: tuple[str, ...] = (SHOPPER, ORDER, PAYMENT, GATEWAY)
_LANES_OF: Mapping[str, tuple[str, ...]] = {
    "orchestrated": (SHOPPER, ORCHESTRATOR, ORDER, PAYMENT, GATEWAY),
    "choreographed": (SHOPPER, ORDER, BROKER, PAYMENT, GATEWAY),
}


def lanes_of(strategy: str | None) -> tuple[str, ...]:
    """Return the parties of a strategy's checkouts, in the order a request meets them."""
    return _LANES_OF.get(strategy or "", _LANES)


# request: leaves `lane` for `other`. reply: of `other`, reaches `lane`. unsent: `lane` knows that
# nothing left. lost: `lane` stopped waiting for `other` and knows nothing. mark: happens in `lane`.
Shape = Literal["request", "reply", "unsent", "lost", "mark"]

# What a mark is about, so that no drawing depends on colour: a commit, money that moved, a party
# left unknowing, a process struck, the rest.
Tone = Literal["commit", "money", "unknown", "struck", "plain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One thing that happened, at its time. `event` is the observation that says so.

    `kind`, `key` and `data` are the observation's own; `text` is what a person reads. `under`
    names the faults in force just then on this rung's link, or on this lane's process.
    """

    at_ms: float
    event: int
    shape: Shape
    lane: str
    kind: str
    text: str
    other: str | None = None
    tone: Tone = "plain"
    link: str | None = None
    order: str | None = None
    attempt: int = 1
    key: str | None = None
    call: str | None = None
    under: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A fault in force, from its injection until it was lifted (None: not within the history).

    A standstill of the machine is drawn as one, without a target.
    """

    fault: str
    type: str
    target: str
    streams: tuple[str, ...]
    begin_ms: float
    end_ms: float | None
    detail: str  # its figures, "latency 150 ms"

    @property
    def said(self) -> str:
        """Return what it is, in a line: `hold: latency 150 ms on payment_to_gateway, upstream`."""
        where = f" on {self.target}" if self.target else ""
        streams = f", {' and '.join(self.streams)}" if self.streams else ""
        return f"{self.fault}: {self.detail}{where}{streams}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """One order's whole story. `rungs` are in order of time, `bands` in order of injection.

    After the faults' bands come the longest standstills of the machine. Other orders of the same
    purchase are part of it: `siblings` names them, `Rung.order` whose a rung is.
    """

    order_id: str
    checkout: int | None
    siblings: tuple[str, ...] = ()
    lanes: tuple[str, ...]
    rungs: tuple[Rung, ...]
    bands: tuple[Band, ...]
    believed: Believed

    @property
    def span_ms(self) -> float:
        """Return how long the story takes."""
        return self.rungs[-1].at_ms if self.rungs else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What went wrong with an order and which of the strategies' rules that breaks: two sentences.

    `rules` are empty where the order's own events show none broken.
    """

    happened: str
    judged: str
    rules: tuple[str, ...] = ()
