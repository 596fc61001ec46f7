"""HTTP between services: httpx on aiohttp, with errors that tell "not sent" from "unknown".

The stock httpx-aiohttp transport maps resets, disconnects *after* sending and refusals all to
`httpx.ConnectTimeout`, so a lost answer reads as a request never sent and a charge may be rolled
back (also openai/openai-python#3594); and aiohttp repeats GET, PUT and DELETE on a reused
connection by itself. `ExactTransport` corrects both. Only ConnectError and ConnectTimeout mean
that this try was not sent.

`Link` names a connection of the map of links and records `call.started` and `call.ended`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from .breaker import BreakerOpen
from .clock import Clock
from .ids import Ids
from .logs import EventLog

NOT_SENT = frozenset({"refused", "connect_timeout", "breaker_open"})

KEEPALIVE_SECONDS = 15  # below the servers' 75 s, so that the client, not the server, hangs up


def new_session() -> aiohttp.ClientSession:
    """Return an aiohttp session that repeats nothing, keeps no cookies and limits nothing.

    `_retry_connection` is private to aiohttp: the version is pinned to a minor and
    tests/contract/test_payment_http_errors.py watches the behaviour. Needs a running loop.
    """
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=False, keepalive_timeout=KEEPALIVE_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
    )
    session._retry_connection = False  # noqa: SLF001 - the only switch aiohttp has for this
    return session


def _raise_exact(error: httpx.HTTPError, request: httpx.Request) -> NoReturn:
    cause = error.__cause__
    exact: type[httpx.TransportError]
    match cause:
        case aiohttp.ClientConnectorError():
            exact = httpx.ConnectError
        case aiohttp.ConnectionTimeoutError():
            exact = httpx.ConnectTimeout
        case aiohttp.ServerTimeoutError():
            exact = httpx.ReadTimeout
        case (
            aiohttp.ServerDisconnectedError()
            | aiohttp.ClientPayloadError()
            | aiohttp.ClientResponseError()
        ):
            exact = httpx.RemoteProtocolError
        case aiohttp.ClientConnectionError() | OSError():
            exact = httpx.ReadError
        case _:
            raise error
    raise exact(str(error), request=request) from cause


class _ExactStream(httpx.AsyncByteStream):
    """The body of an answer, with the same mapping while it streams."""

    def __init__(self, inner: httpx.AsyncByteStream, request: httpx.Request) -> None:
        self._inner = inner
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._inner:
                yield chunk
        except httpx.HTTPError as error:
            _raise_exact(error, self._request)

    async def aclose(self) -> None:
        await self._inner.aclose()


class ExactTransport(AiohttpTransport):
    """httpx-aiohttp with honest errors and without hidden repeats."""

    def __init__(self) -> None:
        super().__init__(verify=False, client=new_session)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` once; what goes wrong is raised as the exception it is."""
        try:
            response = await super().handle_async_request(request)
        except httpx.HTTPError as error:
            _raise_exact(error, request)
        except aiohttp.ClientError as error:  # ClientResponseError is in no map of the base class
            raise httpx.RemoteProtocolError(str(error), request=request) from error
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _ExactStream(response.stream, request)
        return response


def http_client(*, base_url: str, connect_ms: float, read_ms: float) -> httpx.AsyncClient:
    """Return the one client an app keeps for a link; redirects and proxies are never followed.

    `read_ms` limits each wait for bytes; limit a whole try with `asyncio.timeout`.
    """
    timeout = httpx.Timeout(read_ms / 1000, connect=connect_ms / 1000, pool=connect_ms / 1000)
    return httpx.AsyncClient(
        base_url=base_url,
        transport=ExactTransport(),
        timeout=timeout,
        trust_env=False,
        follow_redirects=False,
    )


# First match wins, so subclasses stand before their bases. aiohttp's own errors are here for
# callers that do without httpx.
_NAMES: tuple[tuple[type[BaseException], str], ...] = (
    (BreakerOpen, "breaker_open"),
    (asyncio.CancelledError, "canceled"),
    (httpx.ConnectError, "refused"),
    (aiohttp.ClientConnectorError, "refused"),
    (httpx.ConnectTimeout, "connect_timeout"),
    (httpx.PoolTimeout, "connect_timeout"),
    (aiohttp.ConnectionTimeoutError, "connect_timeout"),
    (httpx.TimeoutException, "timeout"),
    (TimeoutError, "timeout"),
    (aiohttp.ServerDisconnectedError, "disconnected"),
    (aiohttp.ClientPayloadError, "disconnected"),
    (httpx.NetworkError, "reset"),
    (OSError, "reset"),
    (aiohttp.ClientConnectionError, "reset"),
)


def error_of(error: BaseException) -> str:
    """Return the `call.ended` name of what ended a call (services/README.md, "Events").

    What none of the names fits is `unreadable`: an answer came and could not be understood.
    """
    if isinstance(error, httpx.RemoteProtocolError) and isinstance(
        error.__cause__, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError
    ):
        return "disconnected"
    return next((name for kind, name in _NAMES if isinstance(error, kind)), "unreadable")


class Call:
    """One try on a link; set `http_status` as soon as an answer's head is there."""

    __slots__ = ("error", "http_status")

    def __init__(self) -> None:
        self.http_status: int | None = None
        self.error: str | None = None  # set it to report an error that is not raised


class Link:
    """A named link: wraps each try in `call.started` and `call.ended`."""

    def __init__(
        self,
        name: str,
        *,
        events: EventLog,
        clock: Clock,
        ids: Ids,
        error_of: Callable[[BaseException], str] = error_of,
    ) -> None:
        self.name = name
        self._events = events
        self._clock = clock
        self._ids = ids
        self._error_of = error_of

    @contextmanager
    def call(
        self, operation: str, *, attempt: int = 1, order: str | None = None, key: str | None = None
    ) -> Iterator[Call]:
        """Record one try around the `with` block, however it ends; `attempt` counts from 1."""
        call = Call()
        call_id = self._ids.new("call")
        began_ms = self._clock.monotonic_ms()
        about = {"link": self.name, "call_id": call_id, "attempt": attempt, "operation": operation}
        self._events.emit("call.started", order=order, key=key, **about)
        try:
            yield call
        except BaseException as error:
            call.error = call.error or self._error_of(error)
            raise
        finally:
            self._events.emit(
                "call.ended",
                order=order,
                key=key,
                **about,
                http_status=call.http_status,
                error=call.error,
                duration_ms=round(self._clock.monotonic_ms() - began_ms, 3),
            )
