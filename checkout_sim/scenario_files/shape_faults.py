"""The shape of one entry of `faults:`: a link (one class per toxic), a process, gateway, broker.

Words and attributes are Toxiproxy's (Shopify/toxiproxy README, "Toxics"). Windows begin with
`from` and end with `until` or `for`; deeds happen `at` a moment.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from checkout_sim.model.fault import GatewayOperation
from checkout_sim.scenario_files.shape_moments import MomentShape
from checkout_sim.scenario_files.units import NotAValue
from checkout_sim.scenario_files.values import (
    Control,
    Count,
    DataRate,
    DrawnDuration,
    Duration,
    Event,
    FaultName,
    Links,
    Micros,
    Processes,
    Queue,
    Share,
    Size,
    Strict,
)

TOXICS = ("latency", "timeout", "reset_peer", "limit_data", "bandwidth", "slicer")
_KINDS = ("link", "process", "gateway", "broker")


class Latency(Strict):
    """Each chunk leaves so much later."""

    latency: DrawnDuration


class Timeout(Strict):
    """Swallow everything; close after so long without a chunk, 0 never."""

    timeout: DrawnDuration


class ResetPeer(Strict):
    """On data or EOF, close with RST after so long."""

    timeout: DrawnDuration = 0


class LimitData(Strict):
    """Pass so many bytes per connection, headers counted, then close."""

    bytes: Size


class Bandwidth(Strict):
    """Pass so much per second; 0 freezes without loss."""

    rate: DataRate


class Slicer(Strict):
    """Cut chunks into pieces of this size, `delay` apart. 0 would crash the Go server."""

    average_size: Size
    size_variation: Size = 0
    delay: Micros = 0


class _Fault(Strict):
    """What every fault may say."""

    name: FaultName
    every: Duration | None = None
    chance: Share = 1.0
    ahead_of: Event | None = None
    optional: bool = False
    note: str = ""


class _Window(_Fault):
    """A fault with a beginning and an end."""

    begin: MomentShape = Field(default=0, alias="from")
    until: MomentShape | None = None
    lasting: Duration | None = Field(default=None, alias="for")


class _LinkFault(_Window):
    """What every fault on a link may say; several links are alternatives."""

    link: Links
    bounce: bool | None = None
    lift: Literal["release", "cut"] = "release"


class DownFault(_LinkFault):
    """Refuse new connections and cut open ones."""

    down: Literal[True]


class _ToxicFault(_LinkFault):
    stream: Literal["upstream", "downstream", "both"]


class LatencyFault(_ToxicFault):
    """A latency toxic."""

    toxic: Literal["latency"]
    attributes: Latency


class TimeoutFault(_ToxicFault):
    """A timeout toxic."""

    toxic: Literal["timeout"]
    attributes: Timeout


class ResetPeerFault(_ToxicFault):
    """A reset_peer toxic."""

    toxic: Literal["reset_peer"]
    attributes: ResetPeer = ResetPeer()


class LimitDataFault(_ToxicFault):
    """A limit_data toxic."""

    toxic: Literal["limit_data"]
    attributes: LimitData


class BandwidthFault(_ToxicFault):
    """A bandwidth toxic."""

    toxic: Literal["bandwidth"]
    attributes: Bandwidth


class SlicerFault(_ToxicFault):
    """A slicer toxic."""

    toxic: Literal["slicer"]
    attributes: Slicer


class _Deed(_Fault):
    """Something done to a process at a moment."""

    process: Processes
    instance: Count = 1
    at: MomentShape


class KillFault(_Deed):
    """SIGKILL; a duration in `restart` counts from the kill, and by default calm restarts."""

    do: Literal["kill"]
    restart: MomentShape = "calm"


class PauseFault(_Deed):
    """SIGSTOP, then SIGCONT after `for`."""

    do: Literal["pause"]
    lasting: Duration = Field(alias="for")


class RestartFault(_Deed):
    """SIGTERM, then a start."""

    do: Literal["restart"]


class ControlFault(_Window):
    """A labelled control of the gateway: `times` firings from the nth match on."""

    gateway: Control
    operation: GatewayOperation | None = None
    checkout: Count | None = None
    nth: Count = 1
    times: Count = 1
    delay: DrawnDuration | None = None
    reveal_after: DrawnDuration | None = None


class _Meddling(_Fault):
    """Something done to the messages of a queue at a moment."""

    queue: Queue
    at: MomentShape


class PublishFault(_Meddling):
    """A message nobody committed; `$order` in the body is the order of `checkout`."""

    broker: Literal["publish"]
    body: str
    topic: str = ""
    checkout: Count | None = None


class DuplicateFault(_Meddling):
    """A copy of the first `count` waiting messages, behind them."""

    broker: Literal["duplicate"]
    count: Count = 1


class ReverseFault(_Meddling):
    """The first `count` waiting messages, turned round."""

    broker: Literal["reverse"]
    count: Count = 2


ToxicShape = (
    LatencyFault | TimeoutFault | ResetPeerFault | LimitDataFault | BandwidthFault | SlicerFault
)
LinkShape = DownFault | ToxicShape
DeedShape = KillFault | PauseFault | RestartFault
BrokerShape = PublishFault | DuplicateFault | ReverseFault
WindowShape = LinkShape | ControlFault

TAGS: dict[str, type[Strict]] = {
    "<down>": DownFault,
    "<latency>": LatencyFault,
    "<timeout>": TimeoutFault,
    "<reset_peer>": ResetPeerFault,
    "<limit_data>": LimitDataFault,
    "<bandwidth>": BandwidthFault,
    "<slicer>": SlicerFault,
    "<kill>": KillFault,
    "<pause>": PauseFault,
    "<restart>": RestartFault,
    "<gateway>": ControlFault,
    "<publish>": PublishFault,
    "<duplicate>": DuplicateFault,
    "<reverse>": ReverseFault,
}


def _is_a_fault(raw: Any) -> Any:
    """Refuse what says nothing, or two things, to break; the union then always finds its class."""
    if not isinstance(raw, dict):
        raise NotAValue("a fault is a mapping with `name` and one of " + ", ".join(_KINDS))
    kinds = [kind for kind in _KINDS if kind in raw]
    if not kinds:
        raise NotAValue(
            "says nothing to break; name a `link`, a `process`, a `gateway` control or what is "
            "done on the `broker`"
        )
    if len(kinds) > 1:
        raise NotAValue(f"breaks {' and '.join(kinds)} at once; write two faults")
    if kinds == ["link"] and ("toxic" in raw) == ("down" in raw):
        raise NotAValue("a link fault has either `down: true` or `toxic`")
    if kinds == ["process"] and "do" not in raw:
        raise NotAValue("a process fault says what to `do`: kill, pause or restart")
    return raw


def _tag(raw: Any) -> str:
    if "gateway" in raw:
        return "<gateway>"
    if "down" in raw:
        return "<down>"
    if "broker" in raw:
        chosen, usual = raw["broker"], "publish"
    elif "link" in raw:
        chosen, usual = raw.get("toxic"), "latency"
    else:
        chosen, usual = raw.get("do"), "kill"
    # An unknown word goes to some class of its kind, which then points at the word itself.
    return f"<{chosen}>" if f"<{chosen}>" in TAGS else f"<{usual}>"


FaultShape = Annotated[
    Annotated[DownFault, Tag("<down>")]
    | Annotated[LatencyFault, Tag("<latency>")]
    | Annotated[TimeoutFault, Tag("<timeout>")]
    | Annotated[ResetPeerFault, Tag("<reset_peer>")]
    | Annotated[LimitDataFault, Tag("<limit_data>")]
    | Annotated[BandwidthFault, Tag("<bandwidth>")]
    | Annotated[SlicerFault, Tag("<slicer>")]
    | Annotated[KillFault, Tag("<kill>")]
    | Annotated[PauseFault, Tag("<pause>")]
    | Annotated[RestartFault, Tag("<restart>")]
    | Annotated[ControlFault, Tag("<gateway>")]
    | Annotated[PublishFault, Tag("<publish>")]
    | Annotated[DuplicateFault, Tag("<duplicate>")]
    | Annotated[ReverseFault, Tag("<reverse>")],
    Discriminator(_tag),
    BeforeValidator(_is_a_fault),
]
