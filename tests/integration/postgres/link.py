"""A link to PostgreSQL, made by hand, that can break exactly at a COMMIT.

A TCP relay that reads along: `cut` arms it, by a word of the transaction whose COMMIT is meant. A
proxy server's toxics know nothing of transactions; a moment a few milliseconds off would be
another story.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

# before: COMMIT never leaves. after: it is carried out, its answer lost. late: it is held while
# the caller is cut off, and delivered by `deliver`. silent: as after, but nobody hangs up.
Where = Literal["before", "after", "late", "silent"]
_COMMIT = b"COMMIT\0"


class Link:
    """One relay, many connections; `url` leads through it."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._armed: tuple[bytes, Where] | None = None
        self._held: list[tuple[asyncio.StreamWriter, bytes]] = []
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self.port = 0
        self.is_up = True
        self.cuts = 0

    @property
    def url(self) -> str:
        """Return the database's URL through this link."""
        host = f"{self._url.netloc.rpartition(':')[0]}:{self.port}"
        return urlunsplit(self._url._replace(netloc=host))

    def cut(self, word: str, where: Where) -> None:
        """Break at the COMMIT of the next transaction that says `word`."""
        self._armed = (word.encode(), where)

    async def deliver(self) -> None:
        """Hand on what was held, to a server that may have hung up."""
        for writer, held in self._held:
            with contextlib.suppress(OSError):
                writer.write(held)
                await writer.drain()
            writer.close()
        self._held.clear()

    async def connected(
        self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter
    ) -> None:
        """Relay one connection until either end hangs up, or it is cut."""
        if not self.is_up:
            to_client.transport.abort()
            return
        host, port = self._url.hostname, self._url.port
        server, to_server = await asyncio.open_connection(host, port)
        relay = asyncio.current_task()
        assert relay is not None
        self._open[relay] = to_client
        silent = asyncio.Event()
        answers = asyncio.create_task(_carry(server, to_client, silent))
        try:
            await self._requests(client, to_server, server, answers, silent)
        finally:
            await _ended(answers)
            del self._open[relay]
            to_client.transport.abort()
            if not any(writer is to_server for writer, _ in self._held):
                to_server.transport.abort()

    async def _requests(
        self,
        client: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
        server: asyncio.StreamReader,
        answers: "asyncio.Task[None]",
        silent: asyncio.Event,
    ) -> None:
        is_meant = False
        while data := await _read(client):
            is_meant = is_meant or (self._armed is not None and self._armed[0] in data)
            if not (is_meant and _COMMIT in data) or self._armed is None:
                to_server.write(data)
                continue
            where, self._armed = self._armed[1], None
            self.cuts += 1
            match where:
                case "before":
                    return
                case "late":
                    self._held.append((to_server, data))
                    return
                case "after":
                    await _ended(answers)
                    to_server.write(data)
                    assert await _read(server), "the server hung up instead of committing"
                    return
                case "silent":
                    silent.set()
                    is_meant = False
                    to_server.write(data)

    async def close(self) -> None:
        """End every connection."""
        for to_client in self._open.values():
            to_client.transport.abort()
        await asyncio.gather(*self._open)
        for writer, _ in self._held:
            writer.transport.abort()


async def _carry(
    server: asyncio.StreamReader, to_client: asyncio.StreamWriter, silent: asyncio.Event
) -> None:
    while data := await _read(server):
        if not silent.is_set():
            to_client.write(data)
    to_client.close()


async def _read(reader: asyncio.StreamReader) -> bytes:
    """Return what came; nothing, however the connection ended."""
    with contextlib.suppress(OSError):
        return await reader.read(65536)
    return b""


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def linked(url: str) -> AsyncIterator[Link]:
    """Yield a link to the database at `url`, on a free port."""
    link = Link(url)
    server = await asyncio.start_server(link.connected, "127.0.0.1", 0)
    link.port = server.sockets[0].getsockname()[1]
    try:
        yield link
    finally:
        server.close()
        await link.close()
        await server.wait_closed()
