"""HTTP for the tool's clients, whose errors say truly whether a request was sent.

Gives `http_client()`, httpx over aiohttp, about an eighth of the CPU of httpx's own transport,
and `error_of()`.
httpx-aiohttp 0.2 maps refusals, resets and disconnects *after* sending alike to `ConnectTimeout`
(openai/openai-python#3594 met the same), so a lost reply would read as "never sent"; and aiohttp
repeats GET, PUT and DELETE by itself on a reused connection, so one call could be two. Here:

    httpx.ConnectError, httpx.ConnectTimeout    this request was not sent
    httpx.ReadTimeout                           sent, perhaps; no answer in time
    httpx.RemoteProtocolError                   closed before a whole answer, or no HTTP
    httpx.ReadError                             the connection broke: reset and the like

services/chassis has its own copy: a service and the tool share no code.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

_NOT_HTTP = (
    aiohttp.ServerDisconnectedError,
    aiohttp.ClientPayloadError,
    aiohttp.ClientResponseError,
)


def translate(error: aiohttp.ClientError) -> httpx.TransportError:
    """Return the httpx error that says what aiohttp's says."""
    match error:
        case aiohttp.ConnectionTimeoutError():
            kind: type[httpx.TransportError] = httpx.ConnectTimeout
        case aiohttp.SocketTimeoutError():
            kind = httpx.ReadTimeout
        case aiohttp.ClientConnectorError():
            kind = httpx.ConnectError
        case _ if isinstance(error, _NOT_HTTP):
            kind = httpx.RemoteProtocolError
        case aiohttp.NonHttpUrlClientError() | aiohttp.InvalidUrlClientError():
            kind = httpx.UnsupportedProtocol
        case _:
            kind = httpx.ReadError
    return kind(str(error) or type(error).__name__)


@contextmanager
def _truthfully() -> Iterator[None]:
    """Judge by the cause, which httpx-aiohttp keeps, not by its own mapping."""
    try:
        yield
    except aiohttp.ClientError as error:  # the few it does not map
        raise translate(error) from error
    except httpx.TransportError as error:
        cause = error.__cause__
        if not isinstance(cause, aiohttp.ClientError):
            raise
        raise translate(cause) from cause


class _Body(httpx.AsyncByteStream):
    """A body whose errors are judged the same way while it streams."""

    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _truthfully():
            async for chunk in self._stream:
                yield chunk

    async def aclose(self) -> None:
        with _truthfully():
            await self._stream.aclose()


class TruthfulTransport(AiohttpTransport):
    """httpx-aiohttp's transport with its errors set right, and nothing sent twice."""

    def get_client(self) -> aiohttp.ClientSession:
        """Return a session without a bound on connections, cookies, or repeats of its own."""
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
        )
        # Private, so aiohttp is pinned to a minor version and a test watches what it does.
        session._retry_connection = False  # noqa: SLF001
        return session

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request once."""
        with _truthfully():
            response = await super().handle_async_request(request)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _Body(response.stream)
        return response


def http_client(*, timeout_s: float, base_url: str = "") -> httpx.AsyncClient:
    """Return a client for one base URL or many; `timeout_s` bounds each wait, not their sum.

    Environment proxies are ignored: what is measured must go where it is sent.
    """
    return httpx.AsyncClient(
        transport=TruthfulTransport(verify=False),  # loopback HTTP: no certificates to load
        timeout=timeout_s,
        base_url=base_url,
        trust_env=False,
    )


def error_of(error: BaseException) -> str:
    """Return the wire's name of what ended a request (services/README.md, `call.ended`).

    Only `refused` and `connect_timeout` mean that it was not sent.
    """
    match error:
        case httpx.ConnectError():
            return "refused"
        case httpx.ConnectTimeout():
            return "connect_timeout"
        case httpx.TimeoutException() | TimeoutError():
            return "timeout"
        case httpx.ReadError() | httpx.WriteError():
            return "reset"
        case httpx.RemoteProtocolError() if not isinstance(
            error.__cause__, aiohttp.ClientResponseError
        ):
            return "disconnected"
        case _:
            return "unreadable"
