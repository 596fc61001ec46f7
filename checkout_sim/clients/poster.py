"""Posts orders, with so little CPU that the driver does not outweigh what it drives.

One kept connection per request in flight, an asyncio Protocol, and httptools (uvicorn's parser) for
the answers. A general client costs more CPU per post, and is used wherever the load is not; with it
the driver took a larger share of all CPU (`python -m tests.bench.throughput` prints it).

Nothing is ever sent twice. Errors are httpx's, judged as in `transport.py`:

    httpx.ConnectError             not sent: refused, or no way there
    httpx.RemoteProtocolError      closed before a whole answer
    httpx.DecodingError            an answer that is no HTTP
    httpx.ReadError                the connection broke: reset and the like
"""

import asyncio
import json
from collections.abc import Mapping
from typing import cast
from urllib.parse import urlsplit

import httptools
import httpx

Answer = tuple[int, bytes]


class Poster:
    """Posts JSON to one base URL and reads the whole answer; the caller bounds the time."""

    def __init__(self, base_url: str) -> None:
        split = urlsplit(base_url)
        self._host = split.hostname or ""
        self._port = split.port or 80
        self._idle: list[_Connection] = []
        self._open: set[_Connection] = set()

    @property
    def idle(self) -> int:
        """Return how many kept connections await a request."""
        return sum(connection.reusable for connection in self._idle)

    async def post(self, path: str, body: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """Return status and body. Raises httpx.RequestError; a cancelled post hangs up."""
        connection = self._take_idle() or await self._connect()
        try:
            answer = await connection.exchange(self._request(path, body, headers))
        except BaseException:
            connection.hang_up()
            raise
        if connection.reusable:
            self._idle.append(connection)
        else:
            connection.hang_up()
        return answer

    async def close(self) -> None:
        """Hang up every connection."""
        for connection in list(self._open):
            connection.hang_up()

    def _take_idle(self) -> "_Connection | None":
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable:
                return connection
        return None

    async def _connect(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(
                lambda: _Connection(self._open), self._host, self._port
            )
        except OSError as refused:
            where = f"{self._host}:{self._port}"
            raise httpx.ConnectError(f"cannot connect to {where}: {refused}") from refused
        return connection

    def _request(self, path: str, body: Mapping[str, str], headers: Mapping[str, str]) -> bytes:
        content = json.dumps(body).encode()
        named = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n{named}\r\n"
        )
        return head.encode() + content


class _Connection(asyncio.Protocol):
    """One connection, one exchange at a time."""

    def __init__(self, all_open: "set[_Connection]") -> None:
        self._all_open = all_open
        self._transport: asyncio.WriteTransport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[Answer] | None = None
        self._body: list[bytes] = []
        self._keeps_alive = True

    @property
    def reusable(self) -> bool:
        """Return whether another request may be sent."""
        return self._keeps_alive and self._transport is not None

    def exchange(self, request: bytes) -> asyncio.Future[Answer]:
        """Send a request and return what will be its answer."""
        self._answer = asyncio.get_running_loop().create_future()
        if self._transport is None:
            self._fail(httpx.ReadError("the connection was closed before anything was sent"))
        else:
            self._transport.write(request)
        return self._answer

    def hang_up(self) -> None:
        """Close at once; what was under way is lost."""
        if self._transport is not None:
            self._transport.abort()

    # ---- what asyncio says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        # uvloop's transports write, but are no subclass of asyncio's.
        self._transport = cast("asyncio.WriteTransport", transport)
        self._all_open.add(self)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, which calls back below."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(httpx.DecodingError(f"not HTTP: {error}"))
            self.hang_up()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the exchange under way how the connection ended."""
        self._transport = None
        self._all_open.discard(self)
        if exc is None:
            self._fail(httpx.RemoteProtocolError("closed before a whole answer"))
        else:
            self._fail(httpx.ReadError(f"the connection broke: {exc}"))

    # ---- what httptools says

    def on_body(self, body: bytes) -> None:
        """Collect a piece of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Resolve the exchange."""
        body, self._body = b"".join(self._body), []
        self._keeps_alive = self._parser.should_keep_alive()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((self._parser.get_status_code(), body))

    def _fail(self, error: httpx.RequestError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
