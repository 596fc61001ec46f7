"""The engine's end of the stream: a unix socket that tells of runs and takes commands.

Takes lines and answers, gives commands to whoever handles them. Every subscriber is written to by a
task of its own, so that one who does not read holds up nobody. Who falls out of a tape's memory is
told Lagged and asks again; the file has it all.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from socket import socket

from checkout_sim.model.answer import Ack, EngineState, Nack
from checkout_sim.model.command import Asked, Subscribe
from checkout_sim.model.errors import HistoryUnreadable
from checkout_sim.stream.connect import LINE_LIMIT_BYTES
from checkout_sim.stream.lines import asked_of
from checkout_sim.stream.subscriber import Subscriber
from checkout_sim.stream.tape import Tape

Handle = Callable[[Asked, Subscriber], Awaitable[None]]

_FAREWELL_S = 0.5  # for what has been said to reach those who read


class Server:
    """All subscribers of one engine. `tape` is the run at hand; `state` what row 1 shows."""

    def __init__(self, handle: Handle, *, on_left: Callable[[int], None]) -> None:
        self.subscribers: set[Subscriber] = set()
        self.state: EngineState | None = None
        self._handle = handle
        self._on_left = on_left
        self._tape: Tape | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def tape(self) -> Tape | None:
        """Return the run that is told of now."""
        return self._tape

    def mount(self, tape: Tape) -> None:
        """Tell of a new run from now on; those still behind on the one before finish it first."""
        self._tape = tape
        for subscriber in self.subscribers:
            subscriber.mount(tape)

    def append(self, line: bytes) -> None:
        """Tell one more line of the run."""
        assert self._tape is not None, "a line belongs to a run"
        self._tape.append(line)
        self.wake()

    def wake(self) -> None:
        """Let subscribers look at the tape again: it has grown, ended or been judged."""
        for subscriber in self.subscribers:
            subscriber.wake()

    def say(self, state: EngineState) -> None:
        """Tell everybody where the engine is, if that is news."""
        if state != self.state:
            self.state = state
            for subscriber in self.subscribers:
                subscriber.tell(state)

    async def farewell(self) -> None:
        """Wait until everybody has been told everything, bounded."""
        waiting = [asyncio.create_task(one.told_all.wait()) for one in self.subscribers]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=_FAREWELL_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        subscriber = Subscriber(writer)
        if self._tape is not None:
            subscriber.mount(self._tape)
        self.subscribers.add(subscriber)
        if self.state is not None:
            subscriber.tell(self.state)
        writing = asyncio.create_task(self._write(subscriber, writer))
        try:
            await self._listen(reader, subscriber)
        finally:
            self.subscribers.discard(subscriber)
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            self._on_left(len(self.subscribers))

    async def _write(self, subscriber: Subscriber, writer: asyncio.StreamWriter) -> None:
        try:
            await subscriber.write()
        except OSError:
            writer.close()

    async def _listen(self, reader: asyncio.StreamReader, subscriber: Subscriber) -> None:
        while True:
            try:
                line = await reader.readline()
            except (OSError, ValueError):  # ValueError: a line beyond the limit
                return
            if not line.endswith(b"\n"):
                return
            try:
                asked = asked_of(line)
            except HistoryUnreadable as error:
                subscriber.tell(
                    Nack(
                        command_id="",
                        code="invalid",
                        message=f"not a command: {error}",
                        hint="the screen and the engine are of different versions; restart both",
                    )
                )
                continue
            if isinstance(asked.command, Subscribe):
                subscriber.subscribe(asked.command)
                subscriber.tell(Ack(command_id=asked.command_id))
            else:
                await self._handle(asked, subscriber)


@asynccontextmanager
async def serving(server: Server, listener: socket) -> AsyncIterator[None]:
    """Serve who connects, or has connected; on leaving everybody is told the rest, then let go."""
    attending: set[asyncio.Task[None]] = set()

    def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(server.attend(reader, writer))
        attending.add(task)
        task.add_done_callback(attending.discard)
        task.add_done_callback(lambda _: writer.close())  # also of one that never began

    serving_at = await asyncio.start_unix_server(attend, sock=listener, limit=LINE_LIMIT_BYTES)
    try:
        yield
    finally:
        serving_at.close()
        await server.farewell()
        for task in list(attending):
            task.cancel()
        await asyncio.gather(*attending, return_exceptions=True)
