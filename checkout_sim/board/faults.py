"""The faults of a run in three steps: wanted, armed, fired; and how each ended.

Takes what the engine accepted and what the runner read back. `wanted` begins with an Ack, `armed`
with `fault.injected` (which is written after the read-back), `hits` count calls on the link that
the fault may have struck: they hint; only the judge's witnesses prove. A Nack or a `fault.failed`
leaves it `stuck`, with the reason.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Self

from checkout_sim.board.places import label_of
from checkout_sim.board.presets import Preset, preset_of
from checkout_sim.model.command import Inject
from checkout_sim.model.fault import GatewayFault, LinkFault
from checkout_sim.model.history import Observation

Stage = Literal["wanted", "armed", "lifted", "stuck"]

# What a caller on the link notices of each type; latencies are told by their figure instead.
_NOTICED: Mapping[str, frozenset[str]] = {
    "timeout": frozenset({"timeout", "disconnected", "reset"}),
    "reset_peer": frozenset({"reset", "disconnected"}),
    "limit_data": frozenset({"disconnected", "unreadable", "reset", "timeout"}),
    "down": frozenset({"refused", "connect_timeout", "disconnected", "reset", "breaker_open"}),
    "bandwidth": frozenset({"timeout", "disconnected", "reset"}),
    "slicer": frozenset({"timeout"}),
    "latency": frozenset({"timeout"}),
}
_DEEDS: Mapping[str, str] = {"kill": "K", "pause": "P", "restart": "T"}  # by the key that does it


class FaultSeen(NamedTuple):
    """One injection of one fault, as far as it is known."""

    name: str
    stage: Stage
    target: str = ""  # a link, a process, or "gateway" for a control
    type: str = ""
    title: str = ""
    letter: str = ""
    streams: tuple[str, ...] = ()
    toxics: tuple[Mapping[str, Any], ...] = ()
    kind: LinkFault | GatewayFault | None = None  # as it was asked for; None of a scenario's
    asked_ms: float = 0.0
    armed_ms: float | None = None  # when it was read back
    read_back_ms: float = 0.0  # how long arming took
    hits: int = 0
    first: int | None = None  # the first checkout it may have struck
    last: int | None = None
    lifted_ms: float | None = None
    message: str = ""

    @property
    def label(self) -> str:
        """Return the label of the link or process it is on."""
        return label_of(self.target)

    @property
    def token(self) -> str:
        """Return link and preset, `6r`."""
        return f"{self.label}{self.letter or '*'}"

    @property
    def in_force(self) -> bool:
        """Return whether it is wanted or armed now."""
        return self.stage in {"wanted", "armed"}

    @property
    def ways(self) -> str:
        """Return the directions it strikes, as `<`, `>` or `<>`; empty where there is none."""
        signs = {"downstream": "<", "upstream": ">"}
        return "".join(sign for way, sign in signs.items() if way in self.streams)

    @property
    def delay_ms(self) -> float:
        """Return the latency read back, 0 when there is none."""
        found = [
            float(one.get("attributes", {}).get("latency", 0))
            for one in self.toxics
            if one.get("type") == "latency"
        ]
        return max(found, default=0.0)


class Faults:
    """Every fault of a run by name, the newest injection of each; lifted ones stay, as history."""

    def __init__(self) -> None:
        self.by_name: dict[str, FaultSeen] = {}
        self.foreign: dict[tuple[str, str], float] = {}  # (link, toxic) → when it was found
        self._on: dict[str, tuple[str, ...]] = {}  # target → names in force there

    def snapshot(self) -> Self:
        """Return a copy that later events do not touch."""
        copy = type(self)()
        copy.by_name = dict(self.by_name)
        copy.foreign = dict(self.foreign)
        copy._on = dict(self._on)  # noqa: SLF001 - its own kind
        return copy

    # ---- questions ---------------------------------------------------------------------------

    @property
    def in_force(self) -> tuple[FaultSeen, ...]:
        """Return the faults wanted or armed now, in the order they were asked for."""
        return tuple(one for one in self.by_name.values() if one.in_force)

    def on(self, target: str) -> tuple[FaultSeen, ...]:
        """Return the faults in force on a link or process."""
        return tuple(self.by_name[name] for name in self._on.get(target, ()))

    @property
    def tokens(self) -> tuple[str, ...]:
        """Return the tokens of what is armed now."""
        return tuple(one.token for one in self.by_name.values() if one.stage == "armed")

    # ---- events ------------------------------------------------------------------------------

    def wanted(self, command: Inject, now_ms: float) -> None:
        """Note that the engine took the order for a fault."""
        known = self.by_name.get(command.name)
        if known is not None and known.stage == "armed":
            return  # its observation came first
        kind = command.kind
        target = kind.links[0] if isinstance(kind, LinkFault) else "gateway"
        type_, toxics = _shape(kind)
        self._put(
            FaultSeen(
                name=command.name,
                stage="wanted",
                target=target,
                type=type_,
                kind=kind,
                asked_ms=now_ms,
                **{**_look(command.name, type_, toxics), **_titled(command.title)},
            )
        )

    def injected(self, one: Observation) -> FaultSeen | None:
        """Note that a fault is armed and was read back."""
        if one.fault is None:
            return None
        data = one.data
        known = self.by_name.get(one.fault)
        fresh = known is None or not known.in_force
        base = FaultSeen(name=one.fault, stage="armed") if fresh or known is None else known
        type_ = str(data.get("type", ""))
        toxics = tuple(data.get("toxics") or ())
        own = tuple(
            toxic for toxic in toxics if str(toxic.get("name", "")).startswith(f"{one.fault}_")
        )
        look = _look(one.fault, type_, own or toxics)
        title = base.title or str(data.get("title") or "")
        seen = base._replace(
            stage="armed",
            target=str(data.get("target", base.target)),
            type=type_ or base.type,
            armed_ms=one.t_ms,
            asked_ms=base.asked_ms or one.t_ms,
            read_back_ms=float(data.get("armed_ms", 0.0)),
            **look,
        )
        self._put(seen._replace(title=title or look["title"] or type_))
        return self.by_name[one.fault]

    def lifted(self, one: Observation) -> FaultSeen | None:
        """Note that a fault is lifted."""
        known = self.by_name.get(one.fault or "")
        if known is not None:
            self._put(known._replace(stage="lifted", lifted_ms=one.t_ms))
        return known

    def failed(self, name: str, message: str) -> None:
        """Note that a fault could not be armed or lifted."""
        known = self.by_name.get(name, FaultSeen(name=name, stage="stuck"))
        self._put(known._replace(stage="stuck", message=message))

    def found_foreign(self, one: Observation) -> None:
        """Note somebody else's toxic on one of our links, or that it has gone again."""
        about = (str(one.data.get("link", "")), str(one.data.get("toxic", "")))
        if one.data.get("gone"):
            self.foreign.pop(about, None)
        else:
            self.foreign[about] = one.t_ms

    def call_ended(self, link: str, error: str, duration_ms: float, checkout: int | None) -> None:
        """Count a call that ended on a link for each fault there that it may have met."""
        for name in self._on.get(link, ()):
            fault = self.by_name[name]
            if fault.stage != "armed":
                continue
            late = fault.delay_ms > 0 and duration_ms >= fault.delay_ms
            if late or error in _NOTICED.get(fault.type, ()):
                self._hit(fault, checkout)

    def used(self, one: Observation) -> None:
        """Count a control of the gateway that had its effect; its label is the fault's name."""
        fault = self.by_name.get(str(one.data.get("label") or ""))
        if fault is not None:
            self._hit(fault, one.checkout)

    def _hit(self, fault: FaultSeen, checkout: int | None) -> None:
        first = fault.first if fault.first is not None else checkout
        self.by_name[fault.name] = fault._replace(
            hits=fault.hits + 1, first=first, last=checkout if checkout is not None else fault.last
        )

    def _put(self, fault: FaultSeen) -> None:
        if not fault.in_force or fault.name not in self.by_name:
            self.by_name.pop(fault.name, None)  # what changes its stage is the newest
        self.by_name[fault.name] = fault
        others = tuple(name for name in self._on.get(fault.target, ()) if name != fault.name)
        self._on[fault.target] = (*others, fault.name) if fault.in_force else others


def _shape(kind: LinkFault | GatewayFault) -> tuple[str, tuple[Mapping[str, Any], ...]]:
    """Return type and toxics of a fault that was asked for, in the words of a read-back."""
    if isinstance(kind, GatewayFault):
        return kind.control, ()
    if kind.down:
        return "down", ()
    toxics = tuple(
        {
            "name": toxic.name,
            "type": toxic.type,
            "stream": toxic.stream,
            "attributes": dict(toxic.attributes),
        }
        for toxic in kind.toxics
    )
    return (kind.toxics[0].type if kind.toxics else ""), toxics


def _titled(title: str) -> dict[str, str]:
    return {"title": title} if title else {}


def _look(name: str, type_: str, toxics: tuple[Mapping[str, Any], ...]) -> dict[str, Any]:
    """Return how a fault of this shape is shown."""
    preset: Preset | None = preset_of(type_, toxics, name=name)
    streams = tuple(dict.fromkeys(str(toxic.get("stream")) for toxic in toxics))
    return {
        "letter": preset.letter if preset else _DEEDS.get(type_, "a" if type_ else ""),
        "title": preset.title if preset else type_,
        "streams": streams,
        "toxics": toxics,
    }
