"""The fault console: every link with what it carries, and every fault by one letter.

The letter of a preset adds it to the marked link, the same letter lifts it; `p` and the letter fill
in a form first. Processes are struck by K, P and T, the gateway by its labelled controls. What is
wanted, what was read back and what has struck stand side by side: `fault_console.py` draws them.
"""

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import on

from checkout_sim.board.places import Link
from checkout_sim.board.presets import PRESET_OF_LETTER, PRESETS, WAY_SIGN, Preset, preset_of
from checkout_sim.board.processes import ProcessSeen
from checkout_sim.model.command import Adjust, Command, Inject, LiftFault
from checkout_sim.model.fault import Stream
from checkout_sim.scenario_files.units import NotAValue
from checkout_sim.tui.forms.budgets import Budgets
from checkout_sim.tui.forms.fault_desk import kill_or_start, pause_or_resume, restart
from checkout_sim.tui.forms.fault_draft import (
    control_command,
    control_fields,
    control_name,
    next_window,
)
from checkout_sim.tui.forms.window import said_window, window_named
from checkout_sim.tui.screens.fault_console import FaultConsole
from checkout_sim.tui.widgets.fault_form import FaultForm
from checkout_sim.tui.widgets.faults_source import UNUSED
from checkout_sim.tui.widgets.stream_table import StreamTable


class FaultsView(FaultConsole):
    """Screen 2."""

    scope: ClassVar[str] = "faults"
    number: ClassVar[str] = "2"
    heading: ClassVar[str] = "Faults"

    def __init__(self) -> None:
        super().__init__()
        self._edit_next = False  # `p` was pressed: the next letter fills in the form

    # ---- presets -----------------------------------------------------------------------------

    async def strike_or_lift(self, letter: str) -> None:
        """Add a preset to the marked link, lift it, or fill in its form after `p`."""
        preset, link = PRESET_OF_LETTER[letter], self.link
        edit, self._edit_next = self._edit_next, False
        if link is None:
            self.tell(f"{letter} strikes a link: mark one of them first", wrong=True)
        elif edit:
            await self._open_form(preset, link)
        else:
            await self._change(self.desk.toggle(preset, link, self.faults_on(link)))

    async def do_fault_edit(self, *words: str) -> None:
        """Fill in the form first: of the letter that follows, or of the fault that is on."""
        link = self.link
        named = [one for one in PRESETS if words and words[0] in {one.letter, one.id}]
        if link is None:
            self.tell("p edits a fault on a link: mark one of them first", wrong=True)
        elif named:
            await self._open_form(named[0], link)
        elif words:
            known = ", ".join(one.id for one in PRESETS)
            self.tell(f"no preset is called {words[0]}; there are {known}", wrong=True)
        elif self._edit_next:
            await self._edit_touched(link)
        else:
            self._edit_next = True
            letters = " ".join(PRESET_OF_LETTER)
            self.tell(f"edit which on {link.label}? {letters}; p again: the fault that is on")

    async def _edit_touched(self, link: Link) -> None:
        self._edit_next = False
        touched = self.desk.touched(link, self.faults_on(link))
        preset = None if touched is None else preset_of(touched.type, touched.toxics)
        if preset is None:
            self.tell(f"no fault on {link.label} to edit; p and a letter adds one", wrong=True)
            return
        await self._open_form(preset, link)

    async def do_fault_weaker(self) -> None:
        """Make the fault last touched on this link weaker by a quarter."""
        await self._step(-1)

    async def do_fault_stronger(self) -> None:
        """Make it stronger."""
        await self._step(1)

    async def _step(self, steps: int) -> None:
        link = self.link
        if link is None:
            self.tell("mark a link first: - and = change what strikes it", wrong=True)
            return
        try:
            command = self.desk.stepped(link, self.faults_on(link), steps)
        except NotAValue as error:
            self.tell(str(error), wrong=True)
            return
        await self._change(command)

    async def do_fault_downstream(self) -> None:
        """Turn the fault last touched on this link, or the next one, to the reply's way."""
        await self._turn("downstream")

    async def do_fault_upstream(self) -> None:
        """Turn it to the request's way."""
        await self._turn("upstream")

    async def _turn(self, way: Stream) -> None:
        link = self.link
        if link is None:
            self.tell("mark a link first: < and > turn what strikes it", wrong=True)
            return
        try:
            command = self.desk.turned(link, self.faults_on(link), way)
        except NotAValue as error:
            self.tell(str(error), wrong=True)
            return
        if command is not None:
            await self._change(command)
            return
        way_now = self.desk.way
        said = f"strikes {way_now} ({WAY_SIGN[way_now]})" if way_now else "strikes its own way"
        self.tell(f"the next fault {said}")

    async def do_fault_window(self, *words: str) -> None:
        """Go to the next kind of window, or take the one named: `for 10s`."""
        if not words:
            self.desk.window = next_window(self.desk.window)
        else:
            try:
                self.desk.window = window_named(words)
            except NotAValue as error:
                self.tell(str(error), wrong=True)
                return
        self.tell(f"the next fault is in force {said_window(self.desk.window)}")

    async def do_links_unused(self) -> None:
        """Show the links that carry nothing under this strategy, or hide them."""
        self.source.show_unused = not self.source.shows_unused
        self.links.forget()

    async def do_row_open(self) -> None:
        """Open the form of the fault on the marked link, or the gateway's menu."""
        if self.link is not None:
            await self._edit_touched(self.link)
        elif self.process is not None and self.process.name == "gateway":
            await self.do_gateway_menu()

    # ---- processes ---------------------------------------------------------------------------

    async def do_process_kill(self) -> None:
        """Kill the marked process; start it when it is down."""
        await self._strike("K", kill_or_start)

    async def do_process_pause(self) -> None:
        """Pause the marked process; resume it when it is paused."""
        await self._strike("P", pause_or_resume)

    async def do_process_restart(self) -> None:
        """Restart the marked process."""
        await self._strike("T", restart)

    async def _strike(self, key: str, command_of: Callable[[ProcessSeen], Command]) -> None:
        process = self.process
        if process is None:
            self.tell(f"{key} strikes a process: mark one of them first", wrong=True)
            return
        try:
            command = command_of(process)
        except NotAValue as error:
            self.tell(str(error), wrong=True)
            return
        await self.send(command)

    # ---- the gateway's controls --------------------------------------------------------------

    async def do_gateway_menu(self, *words: str) -> None:
        """Open the menu of controls, or close it; with words, arm one at once."""
        if words:
            await self._arm_named(words)
            return
        menu = self.query_one("#controls", StreamTable)
        opened = not menu.has_class("-open")
        self._show_menu(opened=opened)

    def _show_menu(self, *, opened: bool) -> None:
        menu = self.query_one("#controls", StreamTable)
        menu.set_class(opened, "-open")
        self.set_class(opened, "-menu")  # on a short screen the menu takes the panels' place
        (menu if opened else self.links).focus()
        menu.refresh_rows()

    async def _arm_named(self, words: tuple[str, ...]) -> None:
        names = ("operation", "nth", "times", "ms")
        typed = dict(zip(names, words[1:], strict=False))
        try:
            usual = {one.name: one.value for one in control_fields(words[0], self.desk.window)}
            await self._change(control_command(words[0], {**usual, **typed}))
        except NotAValue as error:
            self.tell(str(error), wrong=True)

    @on(StreamTable.Opened, "#controls")
    async def _pick_control(self, event: StreamTable.Opened) -> None:
        event.stop()
        there = self.checkout_app.live.faults.by_name.get(control_name(event.key))
        if there is not None and there.stage != "lifted":
            await self._change(LiftFault(name=there.name))
            return
        self._show_menu(opened=False)
        await self.form.arm(event.key, self.desk.window)

    @on(StreamTable.Opened, "#console")
    async def _open_row(self, event: StreamTable.Opened) -> None:
        event.stop()
        if event.key == UNUSED:
            await self.do_links_unused()
        else:
            await self.checkout_app.perform("row.open")

    # ---- the form ----------------------------------------------------------------------------

    async def _open_form(self, preset: Preset, link: Link) -> None:
        draft = self.desk.draft(preset, link, self.faults_on(link))
        await self.form.edit(draft, self._budgets.on(link.name))

    @on(FaultForm.Ready)
    async def _typed(self, event: FaultForm.Ready) -> None:
        event.stop()
        if event.window is not None:
            self.desk.window = event.window
        if await self._change(event.command):
            self.form.close()
        else:
            self.form.say(self.checkout_app.told.text, wrong=True)

    async def do_view_back(self) -> None:
        """Close the menu, leave an edit that was begun, or go back."""
        menu = self.query_one("#controls", StreamTable)
        if menu.has_class("-open"):
            self._show_menu(opened=False)
        elif self._edit_next:
            self._edit_next = False
            self.tell("")
        else:
            self.minimize()

    async def _change(self, command: Inject | Adjust | LiftFault) -> bool:
        """Send a fault command and remember what it asked for; return whether it left."""
        sent = await self.send(command)
        if sent is not None and not isinstance(command, LiftFault):
            self.desk.sent(command)
        return sent is not None

    @property
    def _budgets(self) -> Budgets:
        run = self.board.session.run
        return Budgets(
            time_scale=float(run.get("time_scale") or 1.0), settings=run.get("settings") or {}
        )


def _answering(letter: str) -> Callable[[FaultsView], Awaitable[None]]:
    """Return the method that answers a preset's action."""

    async def answer(view: FaultsView) -> None:
        await view.strike_or_lift(letter)

    answer.__doc__ = f"Add {PRESET_OF_LETTER[letter].title}, or lift it."
    return answer


# One method per preset, as the registry looks for them: a new preset needs no line here.
for _preset in PRESETS:
    setattr(FaultsView, f"do_fault_{_preset.id}", _answering(_preset.letter))
