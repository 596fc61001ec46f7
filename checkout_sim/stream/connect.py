"""The client's end of an engine's stream: observations and answers in, commands out.

Takes the path of the engine's socket (`stream.runtime` finds one); gives a Connection to iterate
over. A program that draws needs this module and `model` alone.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Protocol, Self

from checkout_sim.model.answer import Lagged, Streamed, Stretch
from checkout_sim.model.command import Asked, Command, Subscribe
from checkout_sim.model.errors import EngineGone
from checkout_sim.model.history import Observation
from checkout_sim.stream.lines import line_of, streamed_of

LINE_LIMIT_BYTES = 16 * 1024 * 1024  # a Draft carries a whole scenario, a Judged 100 violations


class Streaming(Protocol):
    """What a screen needs of a connection; tests give a canned one."""

    def __aiter__(self) -> AsyncIterator[Streamed]:
        """Iterate over what the engine says."""
        ...

    async def send(self, command: Command) -> str:
        """Ask for something; the answers carry the id that is returned."""
        ...


class Connection:
    """One subscriber. Subscribe first: `await connection.send(Subscribe())`.

    Iteration yields observations in order, none twice, and answers as they come; it ends when the
    engine does. A Lagged is answered here, by subscribing again where the gap began, and yielded
    too, so that a screen can say that it is behind.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, by: str
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._by = by
        self._numbers = count(1)
        self._last_id = 0

    def __aiter__(self) -> Self:
        """Return itself: there is one stream."""
        return self

    async def __anext__(self) -> Streamed:
        """Return what the engine says next. Raises HistoryUnreadable for what is no such line."""
        while True:
            item = await self._next()
            match item:
                case Observation(id=number) if number <= self._last_id:
                    continue  # asked for twice: by the screen, and by us after a Lagged
                case Observation(id=number):
                    self._last_id = number
                case Stretch():
                    self._last_id = 0
                case Lagged(from_id=from_id):
                    await self.send(Subscribe(from_id=from_id))
                case _:
                    pass
            return item

    async def send(self, command: Command) -> str:
        """Send a command and return its id. Raises EngineGone where nobody listens any more."""
        command_id = f"c{next(self._numbers)}"
        self._writer.write(line_of(Asked(command_id=command_id, command=command, by=self._by)))
        try:
            await self._writer.drain()
        except OSError as error:
            raise EngineGone(
                f"the engine does not listen any more ({error.strerror or error}); its own "
                "messages are in engine.log in the run's folder"
            ) from error
        return command_id

    async def _next(self) -> Streamed:
        try:
            line = await self._reader.readline()
        except OSError:
            line = b""
        if not line.endswith(b"\n"):  # a torn last line: the engine was killed while it wrote
            raise StopAsyncIteration
        return streamed_of(line)


@asynccontextmanager
async def connect(path: Path, *, by: str = "operator") -> AsyncIterator[Connection]:
    """Yield a connection to the engine that listens at `path`; leaving closes it.

    `by` names who asks, in the history. Raises EngineGone where no engine listens.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(path, limit=LINE_LIMIT_BYTES)
    except OSError as error:
        raise EngineGone(
            f"{path}: no engine listens there ({error.strerror or error}); start one with "
            "`checkout-sim tui`"
        ) from error
    try:
        yield Connection(reader, writer, by=by)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
