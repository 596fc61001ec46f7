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
import os
import time
from pathlib import Path
from typing import ClassVar

from textual.app import App

from checkout_sim.board.board import Board
from checkout_sim.board.context import Display
from checkout_sim.board.session import Told
from checkout_sim.model.command import Buy, Command
from checkout_sim.model.errors import EngineGone
from checkout_sim.stream.connect import Streaming, connect
from checkout_sim.tui.actions import ALL, Action, actions_of
from checkout_sim.tui.keymap import own_actions
from checkout_sim.tui.link import EngineLink
from checkout_sim.tui.looks import THEMES, Looks, theme_of
from checkout_sim.tui.options import Options
from checkout_sim.tui.permission import Standpoint, refusal
from checkout_sim.tui.screens import VIEWS
from checkout_sim.tui.screens.view import View

_SLOW_FRAME_S = 0.05
_SLOW_EVERY_S = 0.25


class CheckoutSimApp(App[int]):
    """The dashboard. `return_value` is the exit code of the program."""

    CSS_PATH: ClassVar = "app.tcss"
    ENABLE_COMMAND_PALETTE: ClassVar[bool] = False  # its own, made of the table: see palette.py
    BINDINGS: ClassVar = []
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
        # Textual reads NO_COLOR once, here, and takes it out of the environment (textual#2829).
        no_color = self.options.no_color or bool(os.environ.get("NO_COLOR"))
        super().__init__(ansi_color=True if no_color else None)
        if no_color:
            os.environ["NO_COLOR"] = "1"  # for whatever is started from here
        self.table = actions
        self.live = Board()
        self.link = EngineLink(connection, self.live)
        self.told = Told(text="")
        self.last_buy: Buy | None = None
        self._frozen: tuple[Board, float, int] | None = None  # board, its clock, events by then
        self._told_seen = 0
        self._next_frame_s = 0.0
        self._no_color = no_color
        for name, palette in THEMES.items():
            self.register_theme(theme_of(name, palette))
        self.theme = self.options.theme if self.options.theme in THEMES else "checkout-dark"
        self.looks = Looks(THEMES[self.theme], no_color=no_color)

    # ---- what views ask ----------------------------------------------------------------------

    @property
    def board(self) -> Board:
        """Return the board that is shown: the snapshot while the display is frozen."""
        return self._frozen[0] if self._frozen else self.live

    @property
    def now_ms(self) -> float:
        """Return the run's clock, as far as it is shown."""
        return self._frozen[1] if self._frozen else self.link.now_ms

    @property
    def ascii_only(self) -> bool:
        """Return whether to draw in ASCII alone."""
        return self.options.ascii_only

    @property
    def standpoint(self) -> Standpoint:
        """Return where things stand, for what may be done now."""
        stretch = self.live.session.stretch
        return Standpoint(
            phase=self.live.session.phase,
            columns=self.size.width,
            rows=self.size.height,
            read_only=self.options.read_only or bool(stretch and stretch.read_only),
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
            frozen=None if frozen is None else self.link.received - frozen[2],
            read_only=self.standpoint.read_only,
            recorded_s=self._recorded_s(),
            ended=bool(self.link.ended),
        )

    # ---- life --------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Begin to read, and to draw."""
        self.run_worker(self.link.follow(self._on_engine_end), group="engine")
        self.set_interval(1 / max(1, self.options.fps), self._pump, name="pump")

    def _on_engine_end(self, why: str) -> None:
        self.tell(f"the engine has ended: {why}; ctrl+q leaves", wrong=True)

    def _pump(self) -> None:
        """Draw one frame: fewer when nobody looks or when drawing is slow."""
        began_s = time.monotonic()
        if began_s < self._next_frame_s:
            return
        self.draw_now()
        took_s = time.monotonic() - began_s
        rest_s = _SLOW_EVERY_S if took_s > _SLOW_FRAME_S or not self.app_focus else 0.0
        self._next_frame_s = began_s + rest_s

    def draw_now(self) -> None:
        """Draw a frame whether it is due or not: after a key, and in tests."""
        self.live.elapse(self.link.now_ms)
        self._hear()
        view = self.screen
        if isinstance(view, View) and view.is_mounted:
            with self.batch_update():
                view.refresh_rows()

    def _hear(self) -> None:
        """Take over what the engine told since the last frame."""
        session = self.live.session
        if session.told_count != self._told_seen:
            self._told_seen = session.told_count
            self.told = session.last_told

    def _recorded_s(self) -> float | None:
        began_ms = self.live.session.recording_since_ms
        if not self.live.session.state.recording:
            return None
        return max(0.0, self.link.now_ms - (began_ms or 0.0)) / 1000.0

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
        if isinstance(command, Buy):
            self.last_buy = command
        return command_id

    async def perform(self, action_id: str, *arguments: str) -> None:
        """Perform an action: the view's method, the app's, or the one command of its row."""
        view = self.screen
        scope = view.scope if isinstance(view, View) else ""
        row = next((one for one in self.actions_of(scope) if one.id == action_id), None)
        if row is None:
            self.tell(f"{action_id}: not on this screen", wrong=True)
            return
        if row.harmful and row.id != "fault.heal_all" and self.standpoint.too_small:
            self.tell("too small to act: H heals, resize", wrong=True)
            return
        method = getattr(view, row.method, None) or getattr(self, row.method, None)
        if method is not None:
            await method(*arguments)
        elif row.command is not None:
            await self.send(row.command)
        elif row.id.startswith("screen."):
            self._show(row.id.partition(".")[2])

    # ---- views -------------------------------------------------------------------------------

    def _show(self, scope: str) -> None:
        """Go to a view by its scope; it is made when it is first shown."""
        if scope in self.MODES:
            self.switch_mode(scope)
            return
        self.tell(f"there is no screen {scope}", wrong=True)


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
) -> int:
    """Show the engine that listens at a socket until the operator leaves; return the exit code.

    Raises EngineGone where no engine listens, and ActionsContradict where the table or the
    operator's keys.toml does not add up; nothing is drawn then.
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
    )
    return asyncio.run(_run(connection_path, options))


async def _run(connection_path: Path, options: Options) -> int:
    async with connect(connection_path) as connection:
        app = CheckoutSimApp(connection, options, actions=own_actions())
        code = await app.run_async(mouse=options.mouse)
    return code or 0
