"""What works from any screen: the answers to the actions of scope `everywhere`.

Each `do_…` answers the action of its name. A view that means something else by one (filters that
`esc` clears, say) has a method of the same name, which comes first.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from checkout_sim.model.command import Buy, Command, LiftAll, Note, Record
from checkout_sim.model.scenario import Load
from checkout_sim.tui.dialogs.leader import FaultLeader, meant
from checkout_sim.tui.dialogs.menu import Choice, Menu
from checkout_sim.tui.dialogs.prompt import Prompt
from checkout_sim.tui.outbox import Offer
from checkout_sim.tui.palette import Palette
from checkout_sim.tui.screen_text import screen_text
from checkout_sim.tui.screens import ON_TOP, VIEWS
from checkout_sim.tui.screens.help import HelpView

if TYPE_CHECKING:
    from checkout_sim.tui.app import CheckoutSimApp

_FIRST_BUY = Buy(lines=Load().cart)


class Everywhere:
    """The answers, on behalf of an app."""

    def __init__(self, app: "CheckoutSimApp") -> None:
        self._app = app

    # ---- faults ------------------------------------------------------------------------------

    async def do_fault_heal_all(self) -> None:
        """Heal; pressed again while strangers' toxics are there, remove those as well."""
        foreign = bool(self._app.live.faults.foreign)
        command = LiftAll(foreign=foreign and self._app.last_sent == LiftAll())
        if await self._app.send(command) and foreign and not command.foreign:
            count = len(self._app.live.faults.foreign)
            self._app.tell(f"healed; {count} foreign toxics stay: H again removes them as well")

    async def do_fault_leader(self, label: str = "", letter: str = "") -> None:
        """Ask for a place and a letter, or take them as given."""
        if label and letter:
            await self._send_meant(meant(self._app.live, label, letter))
            return
        self._app.push_screen(FaultLeader(self._app.live), self._send_meant)

    async def _send_meant(self, command: Command | str | None) -> None:
        if isinstance(command, str):
            self._app.tell(command, wrong=True)
        elif command is not None:
            await self._app.send(command)

    # ---- checkouts and recording -------------------------------------------------------------

    async def do_checkout_repeat(self) -> None:
        """Send the last checkout again, once; the first is a mug paid by visa."""
        last = self._app.last_buy or _FIRST_BUY
        await self._app.send(replace(last, count=1, rate_per_s=None))

    async def do_recording_toggle(self) -> None:
        """Begin a stretch, or end it and look at what it would become."""
        recording = self._app.live.session.state.recording
        mark: Literal["begin", "end"] = "end" if recording else "begin"
        if await self._app.send(Record(mark=mark)) and recording and "review" in ON_TOP:
            self._app.push_screen(ON_TOP["review"]())

    async def do_note_add(self, *words: str) -> None:
        """Put a sentence into the history."""
        if words:
            await self._note(" ".join(words))
            return
        self._app.push_screen(Prompt("note", placeholder="what you saw"), self._note)

    async def _note(self, text: str | None) -> None:
        if text and text.strip():
            await self._app.send(Note(text=text.strip()))

    # ---- the display -------------------------------------------------------------------------

    async def do_view_freeze(self) -> None:
        """Hold the display still, or let it go."""
        self._app.toggle_freeze()

    async def do_view_back(self) -> None:
        """Leave what is on top of another view; a zoomed panel first."""
        view = self._app.view
        if view is not None and view.maximized is not None:
            view.minimize()
        elif view is not None and view.on_top:
            self._app.pop_screen()

    async def do_panel_next(self) -> None:
        """Focus the next panel."""
        if self._app.view is not None:
            self._app.view.focus_next()

    async def do_panel_previous(self) -> None:
        """Focus the panel before."""
        if self._app.view is not None:
            self._app.view.focus_previous()

    async def do_panel_zoom(self) -> None:
        """Let the focused panel have the whole screen."""
        view = self._app.view
        if view is not None and view.focused is not None:
            view.maximize(view.focused, container=False)

    async def do_panel_unzoom(self) -> None:
        """Show all panels again."""
        if self._app.view is not None:
            self._app.view.minimize()

    async def show_named(self, named: str) -> None:
        """Go to the screen that row 1 names so: "5 Orders"; to none where none is."""
        for number, (scope, heading, _) in VIEWS.items():
            if named == f"{number} {heading}":
                await self._app.show(scope)

    async def do_tab_next(self) -> None:
        """Go to the screen after."""
        await self._go(1)

    async def do_tab_previous(self) -> None:
        """Go to the screen before."""
        await self._go(-1)

    async def _go(self, step: int) -> None:
        scopes = [scope for scope, _, _ in VIEWS.values()]
        here = scopes.index(self._app.current_mode) if self._app.current_mode in scopes else 0
        await self._app.show(scopes[(here + step) % len(scopes)])

    async def do_finding_next(self) -> None:
        """Go to the orders, where findings are."""
        await self._to_orders("do_finding_next")

    async def do_finding_previous(self) -> None:
        """Go to the orders, where findings are."""
        await self._to_orders("do_finding_previous")

    async def _to_orders(self, method: str) -> None:
        await self._app.show("orders")
        answer = getattr(self._app.view, method, None)  # none where help still lies on the orders
        if answer is not None:
            await answer()

    # ---- words -------------------------------------------------------------------------------

    async def do_command_open(self) -> None:
        """Ask for an action by name, with what it takes."""
        names = tuple(row.id for row in self._app.actions_of(self._app.scope))
        self._app.push_screen(
            Prompt(":", placeholder="fault.leader 6 r", words=names), self._app.perform_line
        )

    async def do_help_show(self) -> None:
        """Show every key of the view below."""
        app = self._app
        if app.scope == "help":
            return
        rows = app.actions_of(app.scope)
        off = {row.id: app.why_not(row) for row in rows}
        app.push_screen(HelpView(app.scope, rows, off))

    async def do_palette_open(self) -> None:
        """Search every action of the view."""
        self._app.push_screen(Palette())

    # ---- copying, leaving --------------------------------------------------------------------

    async def do_copy_menu(self) -> None:
        """Copy one of the things the view offers."""
        view = self._app.view
        offers = [] if view is None else view.copies()
        if not offers:
            self._app.tell("nothing to copy here: mark an order first")
            return
        choices = [Choice(offer.key, offer.title, offer.text) for offer in offers]
        self._app.push_screen(Menu("copy", choices), self._copy)

    async def _copy(self, choice: Choice | None) -> None:
        if choice is not None:
            self._app.copy(choice.value, choice.title)

    async def do_export_menu(self) -> None:
        """Write a file of what the view offers, or of the screen itself."""
        view = self._app.view
        offers = [] if view is None else list(view.exports())
        offers += self._screen_itself()
        texts = {offer.key: offer for offer in offers}
        choices = [Choice(offer.key, offer.title) for offer in offers]

        async def write(choice: Choice | None) -> None:
            if choice is not None:
                self._app.export(texts[choice.key].name, texts[choice.key].text)

        self._app.push_screen(Menu("export", choices), write)

    def _screen_itself(self) -> list[Offer]:
        """Return the screen as it is now, before a menu lies on it."""
        name = self._app.scope or "screen"
        return [
            Offer("s", "screen as SVG", self._app.export_screenshot(), f"{name}.svg"),
            Offer("t", "screen as text", screen_text(self._app.screen), f"{name}.txt"),
        ]

    async def do_session_quit(self) -> None:
        """Ask how to leave; both ways heal."""
        await self._app.action_quit()
