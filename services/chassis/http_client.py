"""HTTP between services: httpx on aiohttp, with errors that tell "not sent" from "unknown".

The stock httpx-aiohttp transport maps resets, disconnects *after* sending and refusals all to
`httpx.ConnectTimeout`, so a lost answer reads as a request never sent and a charge may be rolled
back (also openai/openai-python#3594); and aiohttp repeats GET, PUT and DELETE on a reused
connection by itself. `ExactTransport` corrects both. Only ConnectError and ConnectTimeout mean
that this try was not sent.

`Link` names a connection of the map of links and records `call.started` and `call.ended`.
"""

import asyncio
from collections.abc import Callable
from functools import lru_cache
from types import TracebackType
from typing import Any, NoReturn, Self

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


def _raise_exact(cause: aiohttp.ClientError | OSError, request: httpx.Request) -> NoReturn:
    exact: type[httpx.TransportError]
    match cause:
        case aiohttp.ClientConnectorError():
            exact = httpx.ConnectError
        case aiohttp.ConnectionTimeoutError():
            exact = httpx.ConnectTimeout
        case TimeoutError():
            exact = httpx.ReadTimeout
        case aiohttp.NonHttpUrlClientError():
            exact = httpx.UnsupportedProtocol
        case aiohttp.ClientConnectionError() if not isinstance(
            cause, aiohttp.ServerDisconnectedError
        ):
            exact = httpx.ReadError
        case aiohttp.ClientError():
            exact = httpx.RemoteProtocolError
        case OSError():
            exact = httpx.ReadError
    raise exact(str(cause), request=request) from cause


class ExactTransport(AiohttpTransport):
    """httpx-aiohttp with honest errors and without hidden repeats; answers are read whole."""

    def __init__(self) -> None:
        super().__init__(verify=False, client=new_session)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` once and read its whole answer; what goes wrong is raised as it is."""
        session = self.client
        if not isinstance(session, aiohttp.ClientSession):
            session = self.client = self.get_client()
        whole = isinstance(request.stream, httpx.ByteStream)
        data = request.read() if whole else await request.aread()
        try:
            async with session.request(
                request.method,
                str(request.url),
                headers=request.headers.multi_items(),
                data=data or None,
                allow_redirects=False,
                auto_decompress=False,
                timeout=_timeout_of(**request.extensions.get("timeout", {})),
            ) as response:
                body = await response.read()
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            _raise_exact(error, request)
        return httpx.Response(
            response.status,
            headers=response.raw_headers,
            content=body,
            request=request,
        )


@lru_cache
def _timeout_of(
    *,
    connect: float | None = None,
    read: float | None = None,
    write: float | None = None,  # noqa: ARG001 - httpx names four; aiohttp has no limit on writing
    pool: float | None = None,
) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(sock_connect=connect, sock_read=read, connect=pool)


class LinkClient(httpx.AsyncClient):
    """httpx without what no link of ours uses: authentication, cookies, redirects, hooks.

    Those layers cost twice what the request below them does (250 µs against 77).
    """

    async def send(self, request: httpx.Request, **_: Any) -> httpx.Response:
        """Send `request` once and return its answer, read whole."""
        response = await self._transport.handle_async_request(request)
        await response.aread()
        return response


def http_client(*, base_url: str, connect_ms: float, read_ms: float) -> httpx.AsyncClient:
    """Return the one client an app keeps for a link; redirects and proxies are never followed.

    `read_ms` limits each wait for bytes; limit a whole try with `asyncio.timeout`.
    """
    timeout = httpx.Timeout(read_ms / 1000, connect=connect_ms / 1000, pool=connect_ms / 1000)
    return LinkClient(
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
    """One try on a link, as a `with` block: records `call.started` and, however it ends, `.ended`.

    Set `http_status` as soon as an answer's head is there, and `error` for one that is not raised.
    """

    __slots__ = ("_about", "_began_ms", "_key", "_link", "_order", "error", "http_status")

    def __init__(
        self, link: "Link", about: dict[str, Any], *, order: str | None, key: str | None
    ) -> None:
        self._link = link
        self._about = about
        self._order = order
        self._key = key
        self._began_ms = 0.0
        self.http_status: int | None = None
        self.error: str | None = None

    def __enter__(self) -> Self:
        self._began_ms = self._link.clock.monotonic_ms()
        self._link.events.emit("call.started", order=self._order, key=self._key, **self._about)
        return self

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        if error is not None:
            self.error = self.error or self._link.error_of(error)
        self._link.events.emit(
            "call.ended",
            order=self._order,
            key=self._key,
            **self._about,
            http_status=self.http_status,
            error=self.error,
            duration_ms=round(self._link.clock.monotonic_ms() - self._began_ms, 3),
        )


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
        self.events = events
        self.clock = clock
        self.error_of = error_of
        self._ids = ids

    def call(
        self, operation: str, *, attempt: int = 1, order: str | None = None, key: str | None = None
    ) -> Call:
        """Return the record of one try, to be put around it by `with`; `attempt` counts from 1."""
        about = {
            "link": self.name,
            "call_id": self._ids.new("call"),
            "attempt": attempt,
            "operation": operation,
        }
        return Call(self, about, order=order, key=key)
