"""The operator's desk at the fault console: what the next letter will do, and to what.

Takes a letter, a link and the faults in force; gives the command. It remembers which fault was last
touched on each link, what was sent for it and not read back yet, the way the next fault is turned
to and the window it will have. It knows no screen.
"""

from collections.abc import Sequence

from checkout_sim.board.faults import FaultSeen
from checkout_sim.board.places import Link
from checkout_sim.board.presets import PRESET_OF_LETTER, Preset, fault_name, preset_of
from checkout_sim.board.processes import ProcessSeen
from checkout_sim.model.command import (
    Adjust,
    Inject,
    Kill,
    LiftFault,
    Pause,
    Restart,
    Resume,
    Start,
    UntilLifted,
    Window,
)
from checkout_sim.model.fault import LinkFault, Stream
from checkout_sim.scenario_files.units import NotAValue
from checkout_sim.tui.forms import link_fault as editing
from checkout_sim.tui.forms.fault_draft import FaultDraft, draft_of
from checkout_sim.tui.forms.seen_fault import link_fault_of

_SPARED = "gateway"


class FaultDesk:
    """What is remembered between keys."""

    def __init__(self) -> None:
        self.window: Window = UntilLifted()
        self.way: Stream | None = None
        self._touched: dict[str, str] = {}  # link → the fault last touched there
        self._sent: dict[str, LinkFault] = {}  # fault → what was asked for last
        self.windows: dict[str, Window] = {}  # fault → the window it was given

    # ---- commands ----------------------------------------------------------------------------

    def toggle(
        self, preset: Preset, link: Link, on_link: Sequence[FaultSeen]
    ) -> Inject | LiftFault:
        """Return what a letter does: add the preset's fault, or lift the one that is there."""
        there = self.there(preset, link, on_link)
        if there is not None:
            return LiftFault(name=there.name)
        draft = self.draft(preset, link, on_link)
        return Inject(
            name=draft.name, kind=draft.fault, window=draft.window, title=draft.preset.title
        )

    def draft(self, preset: Preset, link: Link, on_link: Sequence[FaultSeen]) -> FaultDraft:
        """Return what the form is to hold for a letter: the fault that is there, or a new one."""
        there = self.there(preset, link, on_link)
        known = None if there is None else self._as_sent(there)
        if known is None:
            return draft_of(preset, link, window=self.window, way=self.way)
        return FaultDraft(preset=preset, link=link, fault=known, in_force=True)

    def stepped(self, link: Link, on_link: Sequence[FaultSeen], steps: int) -> Adjust:
        """Return the fault last touched on this link, stronger or weaker. Raises NotAValue."""
        fault, kind = self._to_change(link, on_link)
        preset = preset_of(fault.type, fault.toxics)
        changed = editing.stepped(kind, steps, attribute=preset.figure if preset else "")
        if changed == kind:
            raise NotAValue(f"{fault.title or fault.name} has no figure to step; p edits it")
        return Adjust(name=fault.name, kind=changed)

    def turned(self, link: Link, on_link: Sequence[FaultSeen], way: Stream) -> Adjust | None:
        """Return the fault last touched on this link, turned; None: the next one will be.

        Raises NotAValue for a fault that has no way.
        """
        if not self._in_force(on_link):
            self.way = None if self.way == way else way
            return None
        fault, kind = self._to_change(link, on_link)
        changed = editing.turned(kind, way)
        if not kind.toxics:
            raise NotAValue(f"{fault.title or fault.name} has no way: the link is down as a whole")
        if changed == kind:
            raise NotAValue(f"{fault.title or fault.name} strikes that way already")
        return Adjust(name=fault.name, kind=changed)

    def sent(self, command: Inject | Adjust) -> None:
        """Remember what was asked for, until it is read back or lifted."""
        if not isinstance(command.kind, LinkFault):
            return
        self._sent[command.name] = command.kind
        self._touched[command.kind.links[0]] = command.name
        if isinstance(command, Inject):
            self.windows[command.name] = command.window

    def forget(self, in_force: Sequence[FaultSeen]) -> None:
        """Drop what was remembered of faults that are gone; those asked for last stay a while."""
        names = {one.name for one in in_force}
        for name in [name for name in self._sent if name not in names]:
            del self._sent[name]

    # ---- questions ---------------------------------------------------------------------------

    def touched(self, link: Link, on_link: Sequence[FaultSeen]) -> FaultSeen | None:
        """Return the fault last touched on a link, or the newest there, if any."""
        shown = [one for one in on_link if one.stage != "lifted"]
        wanted = self._touched.get(link.name)
        named = [one for one in shown if one.name == wanted]
        found = named or shown[-1:]
        return found[0] if found else None

    def there(self, preset: Preset, link: Link, on_link: Sequence[FaultSeen]) -> FaultSeen | None:
        """Return this preset's fault on this link, wanted, armed or stuck; None where it is not."""
        name = fault_name(preset, link)
        return next((one for one in on_link if one.name == name and one.stage != "lifted"), None)

    # ---- within ------------------------------------------------------------------------------

    def _to_change(self, link: Link, on_link: Sequence[FaultSeen]) -> tuple[FaultSeen, LinkFault]:
        fault = self.touched(link, self._in_force(on_link))
        kind = None if fault is None else self._as_sent(fault)
        if fault is None or kind is None:
            raise NotAValue(
                f"no fault on {link.label} to change; a letter adds one: "
                f"{' '.join(PRESET_OF_LETTER)}"
            )
        return fault, kind

    def _as_sent(self, fault: FaultSeen) -> LinkFault | None:
        return self._sent.get(fault.name) or link_fault_of(fault)

    @staticmethod
    def _in_force(on_link: Sequence[FaultSeen]) -> list[FaultSeen]:
        return [one for one in on_link if one.in_force]


def kill_or_start(process: ProcessSeen) -> Kill | Start:
    """Return what K does: SIGKILL, or a start of what is down. Raises NotAValue for the gateway."""
    _spare(process)
    if process.state in {"killed", "exited"}:
        return Start(process=process.name, instance=process.instance)
    return Kill(process=process.name, instance=process.instance)


def pause_or_resume(process: ProcessSeen) -> Pause | Resume:
    """Return what P does: SIGSTOP, or SIGCONT. Raises NotAValue for the gateway."""
    _spare(process)
    if process.state == "paused":
        return Resume(process=process.name, instance=process.instance)
    return Pause(process=process.name, instance=process.instance)


def restart(process: ProcessSeen) -> Restart:
    """Return what T does: SIGTERM, then a start. Raises NotAValue for the gateway."""
    _spare(process)
    return Restart(process=process.name, instance=process.instance)


def _spare(process: ProcessSeen) -> None:
    if process.name == _SPARED:
        raise NotAValue("the gateway is never harmed: its journal is the evidence; a: controls")
