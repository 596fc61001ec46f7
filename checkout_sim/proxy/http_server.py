"""A small HTTP/1.1 server on httptools: enough for an API, and started in a moment.

Takes one coroutine function from Request to Response. Requests of one connection are answered in
order; a request whose head or body is too large is refused.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import cast
from urllib.parse import unquote

import httptools

BODY_LIMIT = 16 * 1024 * 1024


@dataclass(slots=True, kw_only=True)
class Request:
    """What was asked: the path is decoded, header names are in lower case."""

    method: str = ""
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    keep_alive: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What is answered; a 204 has no body and no length."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self, *, keep_alive: bool, with_body: bool) -> bytes:
        """Give the bytes on the wire."""
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.status != HTTPStatus.NO_CONTENT and (self.body or with_body):
            lines.append(f"Content-Length: {len(self.body)}")
        if not keep_alive:
            lines.append("Connection: close")
        head = "\r\n".join(lines).encode("latin-1", errors="replace") + b"\r\n\r\n"
        return head + self.body if with_body else head


Handler = Callable[[Request], Awaitable[Response]]


class HttpConnection(asyncio.Protocol):
    """One client of the API."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._waiting: deque[Request] = deque()
        self._answering: asyncio.Task[None] | None = None
        self._url = b""
        self._body: list[bytes] = []
        self._request = Request()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Answer nothing more; what is being done is done to its end."""
        del exc
        self._waiting.clear()

    def data_received(self, data: bytes) -> None:
        """Parse; anything but HTTP ends the connection, as Go's server does."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._transport.close()
        except httptools.HttpParserError:
            self._refuse(HTTPStatus.BAD_REQUEST)

    def _refuse(self, status: HTTPStatus) -> None:
        body = f"{status.value} {status.phrase}".encode()
        self._transport.write(
            Response(status=status, body=body).encoded(keep_alive=False, with_body=True)
        )
        self._transport.close()

    # -- httptools' callbacks

    def on_message_begin(self) -> None:
        """Start a request."""
        self._request = Request()
        self._url, self._body = b"", []

    def on_url(self, url: bytes) -> None:
        """Collect the target, which may come in parts."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header."""
        self._request.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Invite the body of a client that waits for that."""
        if self._request.headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Collect the body."""
        self._body.append(body)
        if sum(map(len, self._body)) > BODY_LIMIT:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def on_message_complete(self) -> None:
        """Queue the request."""
        self._request.method = self._parser.get_method().decode("latin-1")
        self._request.path = unquote(self._url.partition(b"?")[0].decode("latin-1"))
        self._request.body = b"".join(self._body)
        self._request.keep_alive = self._parser.should_keep_alive()
        self._waiting.append(self._request)
        if self._answering is None:
            self._answering = asyncio.get_running_loop().create_task(self._answer())

    async def _answer(self) -> None:
        try:
            while self._waiting:
                request = self._waiting.popleft()
                response = await self._handler(request)
                if self._transport.is_closing():
                    return
                keep_alive = request.keep_alive
                with_body = request.method != "HEAD"
                self._transport.write(response.encoded(keep_alive=keep_alive, with_body=with_body))
                if not keep_alive:
                    self._transport.close()
                    return
        finally:
            self._answering = None
