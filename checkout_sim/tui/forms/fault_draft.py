"""A fault about to be asked for, or changed: which preset on which link, how strong, how long.

Takes what a form holds, gives the command, or raises NotAValue. One value is shared by the keys
that act at once and by the form that is filled in first, so that both say the same to the engine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from checkout_sim.board.places import Link
from checkout_sim.board.presets import WAY_SIGN, Preset, fault_name, link_fault
from checkout_sim.model.command import Adjust, Inject, UntilLifted, Window
from checkout_sim.model.fault import GatewayFault, LinkFault, Stream
from checkout_sim.tui.forms import link_fault as editing
from checkout_sim.tui.forms import window as windows
from checkout_sim.tui.forms.control import CHOICES, control_fault, usual
from checkout_sim.tui.forms.fields import FormField
from checkout_sim.tui.forms.figures import said_ms

CONTROL_PREFIX = "gateway_"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultDraft:
    """One preset on one link. `fault` is how it stands; `in_force` that it is there already."""

    preset: Preset
    link: Link
    fault: LinkFault
    window: Window = field(default_factory=UntilLifted)
    in_force: bool = False

    @property
    def name(self) -> str:
        """Return the fault's name, by which the same letter finds it again."""
        return fault_name(self.preset, self.link)

    @property
    def title(self) -> str:
        """Return what the form is about."""
        doing = "change" if self.in_force else "edit"
        return f"{doing}: {self.preset.title} on {self.link.label} {self.link.title}"

    def fields(self) -> tuple[FormField, ...]:
        """Return the form's fields: figures, then the way, then the window."""
        figures = tuple(
            FormField(
                name=figure.attribute,
                label=figure.title,
                value=editing.shown(figure, self.fault),
            )
            for figure in editing.figures_of(self.fault)
        )
        way = editing.way_of(self.fault)
        ways = () if way is None else (_way_field(way, row=1 if len(figures) > 1 else 0),)
        return (*figures, *ways, *(() if self.in_force else _window_fields(self.window)))

    def command(self, typed: Mapping[str, str]) -> Inject | Adjust:
        """Return the command for what was typed. Raises NotAValue naming the field."""
        fault = self.typed_fault(typed)
        if self.in_force:
            return Adjust(name=self.name, kind=fault)
        return Inject(
            name=self.name, kind=fault, window=typed_window(typed), title=self.preset.title
        )

    def typed_fault(self, typed: Mapping[str, str]) -> LinkFault:
        """Return the fault with the figures and the way typed. Raises NotAValue."""
        fault = editing.edited(self.fault, typed)
        way = typed.get("way", "")
        return editing.turned(fault, _STREAMS[way]) if way in _STREAMS else fault


_STREAMS: Mapping[str, Stream] = {"downstream": "downstream", "upstream": "upstream"}


def draft_of(preset: Preset, link: Link, *, window: Window, way: Stream | None) -> FaultDraft:
    """Return a preset as its letter would add it, turned where the operator turned it before."""
    fault = link_fault(preset, link)
    turned = editing.turned(fault, way) if way is not None and preset.turns else fault
    return FaultDraft(preset=preset, link=link, fault=turned, window=window)


def control_fields(name: str, window: Window) -> tuple[FormField, ...]:
    """Return the fields of a gateway control."""
    choice = next(one for one in CHOICES if one.name == name)
    values = usual(name)
    operations = tuple((one, one) for one in choice.operations)
    figures = tuple(
        FormField(name=figure, label=_FIGURES[figure], value=values[figure], row=1)
        for figure in choice.figures
    )
    return (
        FormField(
            name="operation", label="operation", value=values["operation"], options=operations
        ),
        FormField(name="nth", label="from match", value="1", width=6, row=1),
        FormField(name="times", label="times", value="1", width=6, row=1),
        *figures,
        *_window_fields(window),
    )


_FIGURES: Mapping[str, str] = {"ms": "how long", "reveal_after_ms": "reads tell after"}


def control_command(name: str, typed: Mapping[str, str]) -> Inject:
    """Return the command that arms a gateway control. Raises NotAValue."""
    kind: GatewayFault = control_fault(name, typed)
    return Inject(
        name=control_name(name), kind=kind, window=typed_window(typed), title=name.replace("_", " ")
    )


def control_name(name: str) -> str:
    """Return the name of a control's fault, by which it is found again to be lifted."""
    return f"{CONTROL_PREFIX}{name}"


def typed_window(typed: Mapping[str, str]) -> Window:
    """Return the window that was picked and typed. Raises NotAValue."""
    picked = [kind for kind, _ in windows.KINDS if kind == typed.get("window")]
    kind = picked[0] if picked else "until_lifted"
    return windows.window_of(kind, typed.get("window_detail", ""))


def next_window(window: Window) -> Window:
    """Return the next kind of window, with its usual figure."""
    kinds = [kind for kind, _ in windows.KINDS]
    at = kinds.index(windows.kind_of(window))
    return windows.window_of(kinds[(at + 1) % len(kinds)])


def usual_detail(kind: str) -> str:
    """Return what a kind of window begins with."""
    return next((windows.USUAL[known] for known, _ in windows.KINDS if known == kind), "")


def said_reading(fault: LinkFault, window: Window) -> str:
    """Return in a line what will be asked for: figures, way and window."""
    toxic = fault.toxics[0] if fault.toxics else None
    if toxic is None:
        return f"the link is disabled, {windows.said_window(window)}"
    figures = " ".join(
        f"{name} {said_ms(value) if name in _IN_MS else value}"
        for name, value in toxic.attributes.items()
        if value or name != "jitter"
    )
    return (
        f"{toxic.type}: {figures}, {toxic.stream} {WAY_SIGN[toxic.stream]}, "
        f"{windows.said_window(window)}"
    )


_IN_MS = frozenset({"latency", "timeout"})


def _way_field(way: Stream, *, row: int) -> FormField:
    options = (("downstream", "reply <"), ("upstream", "request >"))
    return FormField(name="way", label="way", value=way, options=options, row=row)


def _window_fields(window: Window) -> tuple[FormField, FormField]:
    return (
        FormField(
            name="window",
            label="window",
            value=windows.kind_of(window),
            options=tuple(windows.KINDS),
            row=2,
        ),
        FormField(
            name="window_detail",
            label="which",
            value=windows.detail_of(window),
            width=30,
            row=3,
        ),
    )
