"""What can be broken: bytes on a link, a process, the gateway's manners, messages on the broker.

Words and attribute names are Toxiproxy's, unchanged (Shopify/toxiproxy README). A toxic strikes a
link, never one request; aiming is the plan's work, by moments.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Stream = Literal["upstream", "downstream"]
ToxicType = Literal["latency", "bandwidth", "timeout", "reset_peer", "limit_data", "slicer"]
LiftHow = Literal["release", "cut"]
ProcessName = Literal["order", "payment", "orchestrator", "gateway", "broker", "database"]
# Of a webhook the operation is the type of its event.
GatewayOperation = Literal[
    "create",
    "confirm",
    "charge",
    "retrieve",
    "cancel",
    "refund",
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
]

# A bounced link meets the toxic on a fresh connection, so RST is an RST and bytes count from 0.
BOUNCED_BY_DEFAULT: frozenset[str] = frozenset({"timeout", "reset_peer", "limit_data"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedToxic:
    """One toxic as Toxiproxy is told of it: integers only, toxicity always 1.

    `attributes` carry Toxiproxy's own units: `latency`, `jitter`, `timeout` in ms, `rate` in
    KB/s (1 KB = 1000 B), `bytes`, `average_size` and `size_variation` in bytes, `delay` in µs.
    """

    name: str
    type: ToxicType
    stream: Stream
    attributes: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFault:
    """Break a link: either `down` (refuse and cut), or one toxic on one or both streams.

    `links` are alternatives; the stack takes the one that carries its strategy's checkouts.
    `bounce` None means: bounce the types in BOUNCED_BY_DEFAULT while no checkout is open.
    """

    links: tuple[str, ...]
    down: bool = False
    toxics: tuple[PlacedToxic, ...] = ()
    bounce: bool | None = None
    lift: LiftHow = "release"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessFault:
    """Break a process. `processes` are alternatives; `instance` counts from 1.

    kill is SIGKILL, pause is SIGSTOP, restart is SIGTERM followed by a start.
    """

    processes: tuple[ProcessName, ...]
    do: Literal["kill", "pause", "restart"]
    instance: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayFault:
    """Arm a labelled control of the gateway: `times` firings from the `nth` match on.

    `checkout` aims at one purchase's order; None means any.
    """

    control: str
    operation: GatewayOperation | None
    checkout: int | None = None
    nth: int = 1
    times: int = 1
    parameters: Mapping[str, int] = field(default_factory=dict)


ORDER_PLACEHOLDER = "$order"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerFault:
    """Meddle with the messages of one queue; all three are deeds, confirmed by the broker.

    publish puts `body` on the queue as a message of `topic`, `$order` in it standing for the order
    of `checkout`; duplicate puts a copy of the first `count` waiting messages behind them; reverse
    turns the first `count` waiting messages round. The last two wait for so many to be there, so
    whoever reads the queue must be down or held.
    """

    do: Literal["publish", "duplicate", "reverse"]
    queue: str
    count: int = 1
    topic: str = ""
    body: str = ""
    checkout: int | None = None


FaultKind = LinkFault | ProcessFault | GatewayFault | BrokerFault
