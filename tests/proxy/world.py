"""What the conformance tests are made of: a server under test, upstreams, and raw connections."""

import asyncio
import contextlib
import http.client
import json
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import quote

LIMIT_S = 10.0
ACCEPTING_TURNS = 5  # of the loop, from accept(2) to connection_made: asyncio needs three
_numbers = count(1)


@dataclass(frozen=True)
class Reply:
    status: int
    content_type: str | None
    headers: dict[str, str]
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


def call(
    port: int,
    method: str,
    path: str,
    body: object = None,
    *,
    headers: dict[str, str] | None = None,
) -> Reply:
    """Make one API call; a body of text goes out as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
    try:
        content = body if isinstance(body, str | None) else json.dumps(body)
        connection.request(method, path, body=content, headers=headers or {})
        response = connection.getresponse()
        text = response.read().decode()
        kept = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, kept.get("content-type"), kept, text)
    finally:
        connection.close()


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


@dataclass(frozen=True)
class Server:
    """A running proxy server."""

    kind: str
    port: int
    process: subprocess.Popen[bytes]

    @classmethod
    def start(
        cls, kind: str, command: Sequence[str], *options: str, log: Path, port: int | None = None
    ) -> "Server":
        port = port or free_port()
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*command, "-host", "127.0.0.1", "-port", str(port), *options],
                stdout=output,
                stderr=output,
            )
        until, poll = monotonic() + LIMIT_S, threading.Event()
        while monotonic() < until and process.poll() is None:
            try:
                call(port, "GET", "/version")
            except OSError:
                poll.wait(0.01)
            else:
                return cls(kind, port, process)
        process.kill()
        raise AssertionError(f"{command} is not ready: {log.read_text()}")

    @property
    def embedded(self) -> bool:
        return self.kind == "embedded"

    def call(self, method: str, path: str, body: object = None, **more: Any) -> Reply:
        return call(self.port, method, path, body, **more)


async def eventually(check: Callable[[], object], *, limit_s: float = LIMIT_S) -> None:
    """Wait for an observation."""
    async with asyncio.timeout(limit_s):
        while not check():  # noqa: ASYNC110 what is observed may be in another process
            await asyncio.sleep(0.002)


class Upstream:
    """A TCP server that remembers what it got and when; it echoes unless told otherwise."""

    def __init__(self, *, echo: bool = True, reading: bool = True) -> None:
        self.echo = echo
        self.reading = reading
        self.received: list[tuple[float, bytes]] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.ends: list[str] = []  # per connection over: eof, or the error's name
        self._serving: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server
        self.address = ""

    async def open(self, port: int = 0) -> "Upstream":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port, backlog=4096)
        host, bound = self._server.sockets[0].getsockname()
        self.address = f"{host}:{bound}"
        return self

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Know the connection from its first moment: one that is not known is never closed."""
        self.writers.append(writer)
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while self.reading and (data := await reader.read(1 << 20)):
                self.received.append((monotonic(), data))
                if self.echo:
                    writer.write(data)
                    await writer.drain()
            if self.reading:
                self.ends.append("eof")
                writer.close()
        except OSError as error:
            self.ends.append(type(error).__name__)
            writer.close()

    @property
    def text(self) -> bytes:
        return b"".join(data for _, data in self.received)

    async def close(self) -> None:
        """Stop listening and end every connection, one that is only just being accepted too."""
        self._server.close()
        for _ in range(ACCEPTING_TURNS):
            await asyncio.sleep(0)
        for writer in self.writers:
            writer.transport.abort()
        if self._serving:
            await asyncio.wait(self._serving, timeout=LIMIT_S)
        await self._server.wait_closed()


@dataclass
class Client:
    """A raw connection through a proxy."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> float:
        """Send and give the moment."""
        moment = monotonic()
        self.writer.write(data)
        await self.writer.drain()
        return moment

    async def get(self, size: int) -> bytes:
        """Read exactly so many bytes."""
        async with asyncio.timeout(LIMIT_S):
            return await self.reader.readexactly(size)

    async def end(self) -> tuple[bytes, str]:
        """Read to the end; give what came and how it ended: eof, or the error's name."""
        got = b""
        try:
            async with asyncio.timeout(LIMIT_S):
                while data := await self.reader.read(1 << 16):
                    got += data
        except OSError as error:
            return got, type(error).__name__
        return got, "eof"

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    def abort(self) -> None:
        """Leave with an RST."""
        self.writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0"
        )
        self.writer.transport.abort()


@dataclass
class ProxyUnderTest:
    """One proxy of the server under test."""

    server: Server
    name: str
    address: str

    def call(self, method: str, path: str = "", body: object = None) -> Reply:
        return self.server.call(method, f"/proxies/{quote(self.name)}{path}", body)

    def add(self, kind: str, stream: str = "downstream", **attributes: int) -> str:
        """Add a toxic and give its name."""
        reply = self.call(
            "POST", "/toxics", {"type": kind, "stream": stream, "attributes": attributes}
        )
        assert reply.status == 200, reply
        return str(reply.json()["name"])

    def change(self, toxic: str, **attributes: int) -> None:
        reply = self.call("PATCH", f"/toxics/{toxic}", {"attributes": attributes})
        assert reply.status == 200, reply

    def remove(self, toxic: str) -> None:
        reply = self.call("DELETE", f"/toxics/{toxic}")
        assert reply.status == 204, reply

    def enable(self, *, enabled: bool = True) -> Reply:
        return self.call("PATCH", "", {"enabled": enabled})

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])


@dataclass
class World:
    """All that one test makes."""

    server: Server
    _upstreams: list[Upstream] = field(default_factory=list)
    _clients: list[Client] = field(default_factory=list)
    _proxies: list[str] = field(default_factory=list)

    def name(self) -> str:
        """Give a name no other test uses; what has it is deleted afterwards."""
        name = f"p{next(_numbers)}"
        self._proxies.append(name)
        return name

    async def upstream(self, *, echo: bool = True, reading: bool = True, port: int = 0) -> Upstream:
        made = await Upstream(echo=echo, reading=reading).open(port)
        self._upstreams.append(made)
        return made

    def proxy(self, upstream: str) -> ProxyUnderTest:
        name = self.name()
        reply = self.server.call(
            "POST", "/proxies", {"name": name, "listen": "127.0.0.1:0", "upstream": upstream}
        )
        assert reply.status == 201, reply
        return ProxyUnderTest(self.server, name, reply.json()["listen"])

    async def connect(self, proxy: ProxyUnderTest) -> Client:
        made = Client(*await asyncio.open_connection("127.0.0.1", proxy.port))
        self._clients.append(made)
        return made

    async def close(self) -> None:
        """End everything, even where the server under test is gone."""
        async with contextlib.AsyncExitStack() as closing:
            for upstream in self._upstreams:
                closing.push_async_callback(upstream.close)
            for client in self._clients:
                client.writer.transport.abort()
            for name in self._proxies:
                self.server.call("DELETE", f"/proxies/{quote(name)}")
