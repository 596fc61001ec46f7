"""The app's end of the engine's stream: what it reads, and how fast without freezing the screen.

Takes a connection; folds what comes into a board, yielding to the screen every few milliseconds,
and ends when the engine does.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from checkout_sim.board.board import Board, reduce
from checkout_sim.model.command import Asked, Command, Subscribe
from checkout_sim.model.errors import EngineGone
from checkout_sim.stream.connect import Streaming

CLOSED = "the engine closed its stream"
_PAUSE_S = 0.002
_FLOWING_S = 0.05
_MANY_SLICES = 5
_SLICE_S = 0.008  # catching up 100,000 lines must not cost a key press more than this


@dataclass(slots=True)
class EngineLink:
    """A connection and the board it feeds. `ended` says why nothing comes any more."""

    connection: Streaming
    board: Board
    by: str = "operator"
    ended: str = ""
    received: int = 0
    full_slices: int = 0  # in a row, without a pause between two items
    touched_s: float = (
        0.0  # monotonic, when the last item came: the board's clock goes on from here
    )

    async def follow(self, on_end: Callable[[str], None]) -> None:
        """Fold the stream into the board until it ends; then say why, once."""
        slice_began = time.monotonic()
        try:
            await self.connection.send(Subscribe())
            async for item in self.connection:
                reduce(self.board, item)
                self.received += 1
                now = time.monotonic()
                if now - self.touched_s > _PAUSE_S:  # it had run dry: whatever comes now is new
                    self.full_slices, slice_began = 0, now
                self.touched_s = now
                if now - slice_began > _SLICE_S:
                    self.full_slices += 1
                    await self._ask_for_gap()
                    await asyncio.sleep(0)
                    # The screen's turn was no pause of the stream's.
                    self.touched_s = slice_began = time.monotonic()
        except (EngineGone, OSError, ValueError) as error:
            self.ended = str(error)
        else:
            self.ended = self.board.session.state.message or CLOSED
        on_end(self.ended)

    @property
    def catching_up(self) -> bool:
        """Return whether more is waiting than a person could follow."""
        flowing = time.monotonic() - self.touched_s < _FLOWING_S
        return self.full_slices >= _MANY_SLICES and flowing

    async def send(self, command: Command) -> str:
        """Send a command, remembered until its answer comes. Raises EngineGone."""
        command_id = await self.connection.send(command)
        reduce(self.board, Asked(command_id=command_id, command=command, by=self.by))
        return command_id

    @property
    def now_ms(self) -> float:
        """Return the run's clock: the last observation's, and what has passed since."""
        running = self.board.session.phase not in {"judged", "start"} and not self.ended
        since_s = time.monotonic() - self.touched_s if running and self.touched_s else 0.0
        return self.board.last_ms + since_s * 1000.0

    async def _ask_for_gap(self) -> None:
        missing = self.board.missing_from
        if missing is not None:
            self.board.missing_from = None
            await self.connection.send(Subscribe(from_id=missing))
