"""The presets: a letter, the fault it stands for, and what both sides will see.

Takes a letter and the label of a link; gives the `Inject` that makes it so. Types and attributes
are Toxiproxy's (Shopify/toxiproxy README): latency in ms, timeout 0 swallows for ever, rate 0 lets
nothing through, slicer's delay in µs. `>` is the request's way (upstream), `<` the reply's.

    preset = PRESET_OF_LETTER["r"]
    command = inject(preset, LINK_OF_LABEL["6"])      # reply lost on payment_to_gateway

A fault is called after its preset and link (`reply_lost_6`), so that the same letter on the same
link finds it again to lift it, and a recorded scenario reads well.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from checkout_sim.board.places import Link
from checkout_sim.model.command import Inject, UntilLifted, Window
from checkout_sim.model.fault import LinkFault, PlacedToxic, Stream, ToxicType

WAY_SIGN: Mapping[str, str] = {"upstream": ">", "downstream": "<"}

# Below a response's header, whatever the response: its status line and `date` take more.
CUT_SHORT_AFTER_BYTES = 60
# Beyond what callers wait for a try (services/README.md): a request held so long is late.
_LATE_MS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One letter of the fault console.

    `type` None means the link is down. `figure` names the attribute that "weaker" and "stronger"
    change, in its own unit. `caller` and `callee` say what each side will see.
    """

    letter: str
    id: str  # as in action ids: reply_lost
    title: str
    type: ToxicType | None
    stream: Stream = "downstream"
    attributes: Mapping[str, int] = field(default_factory=dict)
    figure: str = ""
    wire: str
    caller: str
    callee: str
    on_lifting: str

    @property
    def turns(self) -> bool:
        """Return whether it has a direction that can be turned."""
        return self.type is not None

    def turned(self, stream: Stream) -> "Preset":
        """Return the same preset on the other way."""
        return replace(self, stream=stream)

    def with_figure(self, value: int) -> "Preset":
        """Return the same preset with another figure; one without a figure stays as it is."""
        if not self.figure:
            return self
        return replace(self, attributes={**self.attributes, self.figure: value})


PRESETS: tuple[Preset, ...] = (
    Preset(
        letter="s",
        id="slow",
        title="slow",
        type="latency",
        attributes={"latency": 500, "jitter": 0},
        figure="latency",
        wire="latency 500ms, downstream",
        caller="late reply",
        callee="served once",
        on_lifting="releases held replies at once",
    ),
    Preset(
        letter="r",
        id="reply_lost",
        title="reply lost",
        type="timeout",
        attributes={"timeout": 0},
        wire="timeout 0, downstream",
        caller="its own timeout",
        callee="served once",
        on_lifting="closes the connections it swallowed; calls there end unknown",
    ),
    Preset(
        letter="l",
        id="request_lost",
        title="request lost",
        type="timeout",
        stream="upstream",
        attributes={"timeout": 0},
        wire="timeout 0, upstream",
        caller="its own timeout",
        callee="never",
        on_lifting="closes the connections it swallowed; calls there end unknown",
    ),
    Preset(
        letter="t",
        id="late_request",
        title="late request",
        type="latency",
        stream="upstream",
        attributes={"latency": 4000, "jitter": 0},
        figure="latency",
        wire="latency 4s, upstream",
        caller="its own timeout",
        callee="served later",
        on_lifting="releases held requests at once: they are served after their caller gave up",
    ),
    Preset(
        letter="x",
        id="reset",
        title="reset",
        type="reset_peer",
        attributes={"timeout": 0},
        wire="reset_peer 0, downstream, link bounced first",
        caller="reset",
        callee="served once (>: never)",
        on_lifting="nothing: connections were reset as they came",
    ),
    Preset(
        letter="d",
        id="down",
        title="down",
        type=None,
        wire="link disabled",
        caller="refused, definite; open calls cut",
        callee="never; what was under way goes on",
        on_lifting="the link listens again",
    ),
    Preset(
        letter="z",
        id="freeze",
        title="freeze",
        type="bandwidth",
        stream="upstream",
        attributes={"rate": 0},
        wire="bandwidth 0, upstream",
        caller="waits",
        callee="served on lifting",
        on_lifting="releases held requests at once",
    ),
    Preset(
        letter="b",
        id="trickle",
        title="trickle",
        type="slicer",
        attributes={"average_size": 20, "size_variation": 5, "delay": 20_000},
        figure="delay",
        wire="slicer 20B +- 5B, 20ms apart, downstream",
        caller="slow whole, each read quick",
        callee="served once",
        on_lifting="the rest follows at once",
    ),
    Preset(
        letter="o",
        id="cut_short",
        title="cut short",
        type="limit_data",
        attributes={"bytes": CUT_SHORT_AFTER_BYTES},
        figure="bytes",
        wire=f"limit_data {CUT_SHORT_AFTER_BYTES} bytes, downstream, link bounced first",
        caller="broken reply",
        callee="served once",
        on_lifting="nothing: replies were cut as they came",
    ),
)

PRESET_OF_LETTER: Mapping[str, Preset] = {preset.letter: preset for preset in PRESETS}


def fault_name(preset: Preset, link: Link) -> str:
    """Return the name of this preset's fault on this link: `reply_lost_6`."""
    return f"{preset.id}_{link.label}"


def link_fault(preset: Preset, link: Link) -> LinkFault:
    """Return the fault as the engine is asked for it."""
    if preset.type is None:
        return LinkFault(links=(link.name,), down=True)
    name = f"{fault_name(preset, link)}_{preset.stream}"
    toxic = PlacedToxic(
        name=name, type=preset.type, stream=preset.stream, attributes=dict(preset.attributes)
    )
    return LinkFault(links=(link.name,), toxics=(toxic,))


def inject(preset: Preset, link: Link, *, window: Window | None = None) -> Inject:
    """Return the command that makes a preset real on a link, until it is lifted by default."""
    return Inject(
        name=fault_name(preset, link),
        kind=link_fault(preset, link),
        window=window or UntilLifted(),
        title=preset.title,
    )


def preset_of(
    fault_type: str, toxics: Iterable[Mapping[str, Any]], *, name: str = ""
) -> Preset | None:
    """Return the preset that a fault read back from a history looks like, or None.

    A `name` given by `fault_name` decides; else type and direction do. Figures decide between the
    two latencies: a scenario's short hold of a request is slow, not late beyond a caller's budget.
    """
    if fault_type == "down":
        return PRESET_OF_LETTER["d"]
    own = [one for one in toxics if one.get("type") == fault_type]
    alike = [one for one in PRESETS if one.type == fault_type]
    named = [one for one in alike if name.startswith(f"{one.id}_")]
    streams = {str(one.get("stream")) for one in own}
    delay_ms = max((int(one.get("attributes", {}).get("latency", 0)) for one in own), default=0)
    if fault_type == "latency" and not named and delay_ms < _LATE_MS:
        return PRESET_OF_LETTER["s"]
    exact = [one for one in alike if one.stream in streams]
    return next(iter(named or exact or alike), None)
