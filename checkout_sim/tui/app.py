"""The app: one connection, one board, one pump, and the views that draw it.

Takes a connection to an engine (`stream.connect`); reads its stream into a board, draws what is in
sight ten times a second, and turns keys into commands. Commands leave through `send` alone, which
refuses what must not leave now and tells why.

    app = CheckoutSimApp(connection, Options(read_only=True))
    await app.run_async()

Views ask it for `board`, `now_ms`, `looks`, `options`, `standpoint`, `actions_of(scope)`, and tell
the operator something by `tell(...)`. Everything that works from any screen is in `everywhere.py`.
"""

import asyncio
import gc
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, NamedTuple

from textual import events
from textual.app import App
from textual.geometry import Size

from checkout_sim.board.board import Board
from checkout_sim.board.context import Display
from checkout_sim.board.session import Told
from checkout_sim.model.command import Buy, Command, LiftAll
from checkout_sim.model.errors import EngineGone
from checkout_sim.stream.connect import Streaming, connect
from checkout_sim.tui.actions import ALL, Action, actions_of
from checkout_sim.tui.everywhere import Everywhere
from checkout_sim.tui.keymap import own_actions
from checkout_sim.tui.late_keys import handed_on
from checkout_sim.tui.leaving import Leaving
from checkout_sim.tui.link import EngineLink
from checkout_sim.tui.looks import THEMES, Looks, theme_of
from checkout_sim.tui.options import Options
from checkout_sim.tui.outbox import Outbox
from checkout_sim.tui.permission import Standpoint, refusal
from checkout_sim.tui.resizing import forget_stated_size, resize_missed, terminal_size
from checkout_sim.tui.screens import VIEWS
from checkout_sim.tui.screens.view import View

DEFAULT_THEME = "checkout-dark"
_NICENESS = 5  # a third of the weight of services and engine, where all want the processor
_SLOW_FRAME_S = 0.05
_SLOW_EVERY_S = 0.25
_BEHIND_EVERY_S = 0.5  # drawing what nobody can follow took half of the time of catching up


class Frozen(NamedTuple):
    """A display held still: what it shows, its clock, how much had been received by then."""

    board: Board
    now_ms: float
    received: int


class CheckoutSimApp(App[int]):
    """The dashboard. `return_value` is the exit code of the program."""

    CSS_PATH: ClassVar = "app.tcss"
    ENABLE_COMMAND_PALETTE: ClassVar[bool] = False  # bound by the table: `palette.open`
    MODES: ClassVar = {scope: make for scope, _, make in VIEWS.values()}
    DEFAULT_MODE: ClassVar[str] = "dashboard"

    def __init__(
        self,
        connection: Streaming,
        options: Options | None = None,
        *,
        actions: tuple[Action, ...] = ALL,
    ) -> None:
        self.options = options or Options()
        # Textual reads NO_COLOR once, here, and takes it out of the environment (textual#2829);
        # it alone leaves grey RGB, hence the terminal's own colours as well.
        no_color = self.options.no_color or bool(os.environ.get("NO_COLOR"))
        if no_color:
            os.environ["NO_COLOR"] = "1"
        super().__init__(ansi_color=True if no_color else None)
        if no_color:
            os.environ["NO_COLOR"] = "1"  # for whatever is started from here
        for name, palette in THEMES.items():
            self.register_theme(theme_of(name, palette))
        named = f"checkout-{self.options.theme.removeprefix('checkout-')}"
        self.theme = named if named in THEMES else DEFAULT_THEME
        self.looks = Looks(THEMES[self.theme], no_color=no_color)
        self.table = actions
        self.live = Board()
        self.link = EngineLink(connection, self.live)
        self.leaving = Leaving(self)
        self.told = Told(text="")
        self.last_buy: Buy | None = None
        self.last_sent: Command | None = None
        self.everywhere = Everywhere(self)
        self.measure: Callable[[], Size | None] = terminal_size
        self._outbox = Outbox(self.options.clip, self.options.exports, self.copy_to_clipboard)
        self._frozen: Frozen | None = None
        self._told_seen = 0
        self._next_frame_s = 0.0

    # ---- what views ask ----------------------------------------------------------------------

    @property
    def board(self) -> Board:
        """Return the board that is shown: the snapshot while the display is frozen."""
        return self._frozen.board if self._frozen else self.live

    @property
    def now_ms(self) -> float:
        """Return the run's clock, as far as it is shown."""
        return self._frozen.now_ms if self._frozen else self.link.now_ms

    @property
    def ascii_only(self) -> bool:
        """Return whether to draw in ASCII alone."""
        return self.options.ascii_only

    @property
    def view(self) -> View | None:
        """Return the topmost view, dialogs above it apart."""
        return next((one for one in reversed(self.screen_stack) if isinstance(one, View)), None)

    @property
    def scope(self) -> str:
        """Return the scope of the topmost view."""
        return self.view.scope if self.view is not None else ""

    @property
    def standpoint(self) -> Standpoint:
        """Return where things stand, for what may be done now."""
        stretch = self.live.session.stretch
        return Standpoint(
            phase=self.live.session.phase,
            columns=self.size.width,
            rows=self.size.height,
            read_only=self.options.read_only or bool(stretch and stretch.read_only),
            cuttable=not self.options.read_only and bool(stretch and not stretch.live),
            alive=not self.link.ended,
        )

    def actions_of(self, scope: str) -> tuple[Action, ...]:
        """Return the actions that work on a view, the operator's keys in place."""
        return actions_of(scope, self.table)

    def display_of(self, view: View) -> Display:
        """Return what the display itself is doing, for row 1 of a view."""
        frozen = self._frozen
        return Display(
            number=view.number,
            heading=view.heading,
            tabs=tuple((number, heading) for number, (_, heading, _) in VIEWS.items()),
            frozen=None if frozen is None else self.link.received - frozen.received,
            read_only=self.standpoint.read_only,
            recorded_s=self._recorded_s(),
            ended=bool(self.link.ended),
        )

    def _recorded_s(self) -> float | None:
        session = self.live.session
        if not session.state.recording:
            return None
        return max(0.0, self.link.now_ms - (session.recording_since_ms or 0.0)) / 1000.0

    # ---- life --------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Begin to read, and to draw."""
        if self.is_headless or self.is_web:
            self.measure = lambda: None  # whoever draws it there says how large it is
        self.run_worker(self.link.follow(self._on_engine_end), group="engine")
        self.set_interval(1 / max(1, self.options.fps), self._pump, name="pump")

    def _on_engine_end(self, why: str) -> None:
        self.run_worker(self.leaving.engine_ended(why), group="engine")

    def on_key(self, event: events.Key) -> None:
        """Let a dialog have the keys that were typed while it was still opening."""
        if handed_on(event, self.screen):
            event.prevent_default()

    async def action_quit(self) -> None:
        """Ask how to leave: Textual's own binding of ctrl+q would leave without healing."""
        self.leaving.ask()

    def _pump(self) -> None:
        """Draw one frame: fewer when nobody looks or when drawing is slow."""
        began_s = time.monotonic()
        if began_s < self._next_frame_s:
            return
        resize_missed(self, self.measure())
        self.draw_now()
        slow = time.monotonic() - began_s > _SLOW_FRAME_S or not self.app_focus
        rest_s = _SLOW_EVERY_S if slow else 0.0
        self._next_frame_s = began_s + (_BEHIND_EVERY_S if self.link.catching_up else rest_s)

    def draw_now(self) -> None:
        """Draw a frame whether it is due or not: after a key, and in tests."""
        if not self.is_running:
            return  # widgets leave before the timer does
        self.live.elapse(self.link.now_ms)
        session = self.live.session
        if session.told_count != self._told_seen:
            self._told_seen = session.told_count
            self.told = session.last_told
        view = self.view
        if view is not None and view.drawable:
            with self.batch_update():
                view.refresh_rows()

    def toggle_freeze(self) -> None:
        """Hold what is shown while counting goes on, or show what is live again."""
        if self._frozen is not None:
            self._frozen = None
        else:
            self._frozen = Frozen(self.live.snapshot(), self.link.now_ms, self.link.received)
        self.draw_now()

    # ---- telling and sending -----------------------------------------------------------------

    def tell(self, text: str, *, wrong: bool = False) -> None:
        """Put a sentence into the status row, until the next one."""
        self.told = Told(text=text, wrong=wrong)

    async def send(self, command: Command) -> str | None:
        """Send a command and return its id; tell why not, and return None, if it may not leave."""
        why_not = refusal(command, self.standpoint)
        if why_not:
            self.tell(why_not, wrong=True)
            return None
        try:
            command_id = await self.link.send(command)
        except EngineGone as error:
            self.tell(str(error), wrong=True)
            return None
        self.last_sent = command
        if isinstance(command, Buy):
            self.last_buy = command
        return command_id

    def why_not(self, row: Action) -> str:
        """Return why an action is off just now; empty where it is on."""
        at = self.standpoint
        if not row.harmful or row.command == LiftAll():
            return ""  # what it sends is checked when it is sent
        if at.too_small:
            return "too small to act: H heals, resize"
        if at.read_only:
            return "this is read-only: watching changes nothing"
        if row.phases and at.phase not in row.phases:
            return f"not in phase {at.phase}: {row.title} belongs to {' or '.join(row.phases)}"
        return ""

    async def perform(self, action_id: str, *arguments: str) -> None:
        """Perform an action: the view's method, the app's, or the one command of its row."""
        rows = {row.id: row for row in reversed(self.actions_of(self.scope))}
        row = rows.get(action_id)
        if row is None:
            self.tell(f"{action_id}: no such action on this screen; ? lists them", wrong=True)
            return
        off = self.why_not(row)
        if off:
            self.tell(off, wrong=True)
            return
        method = getattr(self.view, row.method, None) or getattr(self.everywhere, row.method, None)
        if method is not None:
            await method(*arguments)
        elif row.command is not None:
            await self.send(row.command)
        elif row.id.startswith("screen."):
            await self.show(row.id.partition(".")[2])
        self.draw_now()

    async def perform_line(self, line: str | None) -> None:
        """Perform what a `:` line says: an action's id, or the end of one, and what it takes."""
        words = (line or "").split()
        if not words:
            return
        name, *arguments = words
        rows = self.actions_of(self.scope)
        named = [row.id for row in rows if row.id == name]
        ends = [row.id for row in rows if row.id.rpartition(".")[2] == name]
        found = named or list(dict.fromkeys(ends))
        if len(found) > 1:
            self.tell(f"{name}: {' or '.join(found)}?", wrong=True)
            return
        await self.perform(found[0] if found else name, *arguments)

    # ---- out of the screen -------------------------------------------------------------------

    def copy(self, text: str, what: str) -> None:
        """Copy a text to the terminal and to a file."""
        told, wrong = self._outbox.copy(text, what)
        self.tell(told, wrong=wrong)

    def export(self, name: str, text: str) -> None:
        """Write a text to a file of its own."""
        told, wrong = self._outbox.export(name, text)
        self.tell(told, wrong=wrong)

    # ---- views -------------------------------------------------------------------------------

    async def show(self, scope: str) -> None:
        """Go to a view by its scope; it is made when it is first shown."""
        if scope not in self.MODES:
            self.tell(f"there is no screen {scope}", wrong=True)
            return
        await self.switch_mode(scope)


def run_app(  # noqa: PLR0913 - the command line's choices, one by one
    connection_path: Path,
    *,
    read_only: bool,
    ascii_only: bool,
    no_color: bool,
    theme: str,
    fps: int,
    mouse: bool,
    scenarios_folders: tuple[Path, ...],
    owns_engine: bool,
    why_ended: Callable[[], str] = str,
) -> int:
    """Show the engine that listens at a socket until the operator leaves; return the exit code.

    Raises EngineGone where no engine listens, and ActionsContradict where the table or the
    operator's keys.toml does not add up; nothing is drawn then. Left behind an engine that ended
    by itself it raises EngineGone too, behind one whose stack never came up StackDidNotStart.
    """
    options = Options(
        read_only=read_only,
        ascii_only=ascii_only,
        no_color=no_color,
        theme=theme,
        fps=fps,
        mouse=mouse,
        scenarios_folders=scenarios_folders,
        owns_engine=owns_engine,
        why_ended=why_ended,
    )
    forget_stated_size()
    return asyncio.run(_run(connection_path, options))


async def _run(connection_path: Path, options: Options) -> int:
    # Whoever shops comes first: a frame may be late, a checkout's latency is what is measured.
    with suppress(OSError, AttributeError):
        os.nice(_NICENESS)
    # A board holds 100,000 tuples that live as long as the run: looking through them for garbage
    # at Python's usual pace would stall a frame every second or so.
    gc.set_threshold(50_000, 50, 50)
    try:
        async with connect(connection_path) as connection:
            app = CheckoutSimApp(connection, options, actions=own_actions())
            code = await app.run_async(mouse=options.mouse)
    except EngineGone as error:
        why = await asyncio.to_thread(options.why_ended)
        raise EngineGone(f"the engine did not start: {why}" if why else str(error)) from error
    if app.leaving.wrong is not None:
        raise app.leaving.wrong
    return code or 0
