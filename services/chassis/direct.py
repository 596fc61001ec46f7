"""The short way in: hot POST routes are answered before FastAPI's own stack.

FastAPI's nine layers (middlewares, router, two exit stacks, dependency solver) cost a quarter of a
millisecond per request, which is more than a handler that writes two rows. `DirectAPI` is FastAPI
in all but that: a path given to `direct` is still routed, documented and refused by method, but its
POST requests go straight to the handler, with the same limit on bodies, the same answers to errors
and the same count of requests in flight.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from .errors import BODY_LIMIT_BYTES, ServiceError, body_too_large, error_response, unforeseen
from .health import InFlight


@dataclass(frozen=True, slots=True)
class Asked:
    """What a hot handler sees of a request: raw headers, names in lower case, and the body."""

    headers: Iterable[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: bytes) -> str | None:
        """Return the first header of that lower-case name, or None."""
        return next((value.decode("latin-1") for key, value in self.headers if key == name), None)


Handler = Callable[[Asked], Awaitable[Response]]


class ClientGone(Exception):
    """The client left before its request was whole: nothing began, nobody to answer."""


class DirectAPI(FastAPI):
    """FastAPI with a short way in for some POST routes."""

    def __init__(self, *, in_flight: InFlight, **fastapi: Any) -> None:
        super().__init__(**fastapi)
        self._in_flight = in_flight
        self._handlers: dict[str, Handler] = {}

    def direct(self, path: str, handler: Handler, **documented: Any) -> None:
        """Answer POST `path` by `handler`; `documented` is what `FastAPI.post` takes for OpenAPI.

        The handler's name and docstring are the operation's.
        """

        async def endpoint(request: Request) -> Response:
            return await handler(Asked(request.scope["headers"], await request.body()))

        endpoint.__name__, endpoint.__doc__ = handler.__name__, handler.__doc__
        self.post(path, **documented)(endpoint)
        self._handlers[path] = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "http" and scope["method"] == "POST":
            handler = self._handlers.get(scope["path"])
            if handler is not None:
                await self._answer(handler, scope, receive, send)
                return
        await super().__call__(scope, receive, send)

    async def _answer(self, handler: Handler, scope: Scope, receive: Receive, send: Send) -> None:
        self._in_flight.count += 1
        try:
            try:
                response = await handler(Asked(scope["headers"], await whole_body(receive)))
            except ServiceError as error:
                response = error_response(error)
            except ClientGone:
                return
            except Exception as error:  # noqa: BLE001 - the outermost boundary records what it caught
                response = unforeseen(scope["method"], scope["path"], error)
            await response(scope, receive, send)
        finally:
            self._in_flight.count -= 1


async def whole_body(receive: Receive) -> bytes:
    """Return the body once it is there; 413 beyond 64 KiB, ClientGone when it never comes whole."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        body: bytes = message.get("body", b"")
        if len(body) > BODY_LIMIT_BYTES:
            raise body_too_large()
        return body
    chunks: list[bytes] = []
    size = 0
    while True:
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > BODY_LIMIT_BYTES:
            raise body_too_large()
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)
        message = await receive()
