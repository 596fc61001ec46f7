"""The faults scenarios are made of: what the caller sees, and how often the callee served.

The callee counts requests it served; absence is judged after the fault was lifted and another
request went through. Callers: httpx, aiohttp, requests, with their own transports.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import aiohttp
import httpx
import pytest
import requests

from tests.proxy.world import ProxyUnderTest, World, eventually

TIMEOUT_S = 0.4
LATE_MS = 700

Post = Callable[[str], Awaitable[object]]


async def by_httpx(url: str) -> object:
    async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
        return (await client.post(url, content=b"{}")).content


async def by_aiohttp(url: str) -> object:
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=TIMEOUT_S, sock_read=TIMEOUT_S)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(url, data=b"{}") as response,
    ):
        return await response.read()


async def by_requests(url: str) -> object:
    def post() -> bytes:
        with requests.Session() as session:
            session.trust_env = False
            return session.post(url, data=b"{}", timeout=TIMEOUT_S).content

    return await asyncio.to_thread(post)


CALLERS: Mapping[str, Post] = {"httpx": by_httpx, "aiohttp": by_aiohttp, "requests": by_requests}

RESET = {
    "httpx": httpx.ReadError,
    "aiohttp": aiohttp.ClientOSError,
    "requests": requests.ConnectionError,
}
CLOSED = {
    "httpx": httpx.RemoteProtocolError,
    "aiohttp": aiohttp.ServerDisconnectedError,
    "requests": requests.ConnectionError,
}
# Closed with some of the request still unread, which TCP tells by an RST (RFC 9293, 3.10.4): httpx
# sends head and body apart, and sees whichever comes first.
CUT: Mapping[str, tuple[type[Exception], ...]] = {
    "httpx": (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError),
    "aiohttp": (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError),
    "requests": (requests.ConnectionError,),
}
LATE = {
    "httpx": httpx.ReadTimeout,
    "aiohttp": aiohttp.SocketTimeoutError,
    "requests": requests.ReadTimeout,
}
REFUSED = {
    "httpx": httpx.ConnectError,
    "aiohttp": aiohttp.ClientConnectorError,
    "requests": requests.ConnectionError,
}
TRUNCATED: Mapping[str, tuple[type[Exception], ...]] = {
    "httpx": (httpx.RemoteProtocolError,),
    "aiohttp": (aiohttp.ClientPayloadError,),
    "requests": (requests.ConnectionError, requests.exceptions.ChunkedEncodingError),
}


class Callee:
    """A small HTTP server that counts what it served."""

    HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\n"
    REPLY = HEAD + b"x" * 100

    def __init__(self) -> None:
        self.served = 0
        self._server: asyncio.Server
        self.address = ""

    async def open(self) -> "Callee":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1])
                    for line in head.lower().splitlines()
                    if line.startswith(b"content-length")
                )
                await reader.readexactly(length)
                self.served += 1
                writer.write(self.REPLY)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def close(self) -> None:
        self._server.close()
        await self._server.wait_closed()


@pytest.fixture
async def callee() -> AsyncIterator[Callee]:
    made = await Callee().open()
    yield made
    await made.close()


@pytest.fixture
def proxy(world: World, callee: Callee) -> ProxyUnderTest:
    return world.proxy(callee.address)


@pytest.fixture(params=list(CALLERS))
def caller(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def post(caller: str, proxy: ProxyUnderTest) -> object:
    return await CALLERS[caller](f"http://{proxy.address}/")


async def lift(proxy: ProxyUnderTest, toxic: str) -> None:
    """Delete and bounce, then let another request through: 1 more served."""
    proxy.remove(toxic)
    proxy.enable(enabled=False)
    proxy.enable()
    assert await post("httpx", proxy) == b"x" * 100


@pytest.mark.parametrize(
    ("kind", "attributes", "stream", "expected"),
    [
        ("reset_peer", {"timeout": 0}, "upstream", RESET),
        ("reset_peer", {"timeout": 0}, "downstream", RESET),
        ("limit_data", {"bytes": 0}, "upstream", CUT),
        ("limit_data", {"bytes": 0}, "downstream", CLOSED),
        ("timeout", {"timeout": 0}, "upstream", LATE),
        ("timeout", {"timeout": 0}, "downstream", LATE),
    ],
)
async def test_a_request_never_arrives_or_its_reply_is_lost(
    proxy: ProxyUnderTest,
    callee: Callee,
    caller: str,
    kind: str,
    attributes: dict[str, int],
    stream: str,
    expected: Mapping[str, type[Exception] | tuple[type[Exception], ...]],
) -> None:
    toxic = proxy.add(kind, stream, **attributes)
    with pytest.raises(expected[caller]):
        await post(caller, proxy)
    await lift(proxy, toxic)
    assert callee.served == (1 if stream == "upstream" else 2)  # the last one is lift's


async def test_a_late_request_is_served_after_its_caller_gave_up(
    proxy: ProxyUnderTest, callee: Callee, caller: str
) -> None:
    proxy.add("latency", "upstream", latency=LATE_MS)
    with pytest.raises(LATE[caller]):
        await post(caller, proxy)
    assert callee.served == 0
    await eventually(lambda: callee.served == 1)


async def test_a_slow_reply_is_a_reply_or_a_timeout_and_served_once(
    proxy: ProxyUnderTest, callee: Callee, caller: str
) -> None:
    toxic = proxy.add("latency", "downstream", latency=50)
    assert await post(caller, proxy) == b"x" * 100
    proxy.change(toxic, latency=LATE_MS)
    with pytest.raises(LATE[caller]):
        await post(caller, proxy)
    assert callee.served == 2


async def test_a_frozen_link_serves_nothing_until_lifted_then_once_though_the_caller_left(
    proxy: ProxyUnderTest, callee: Callee, caller: str
) -> None:
    toxic = proxy.add("bandwidth", "upstream", rate=0)
    with pytest.raises(LATE[caller]):
        await post(caller, proxy)
    assert callee.served == 0
    proxy.remove(toxic)
    await eventually(lambda: callee.served == 1)


async def test_a_disabled_link_refuses(proxy: ProxyUnderTest, callee: Callee, caller: str) -> None:
    proxy.enable(enabled=False)
    with pytest.raises(REFUSED[caller]):
        await post(caller, proxy)
    assert callee.served == 0


async def test_a_truncated_reply_is_an_error_though_the_work_was_done(
    proxy: ProxyUnderTest, callee: Callee, caller: str
) -> None:
    proxy.add("limit_data", "downstream", bytes=len(Callee.HEAD) + 10)
    with pytest.raises(TRUNCATED[caller]):
        await post(caller, proxy)
    assert callee.served == 1


async def test_a_trickling_reply_is_whole(
    proxy: ProxyUnderTest, callee: Callee, caller: str
) -> None:
    proxy.add("slicer", "downstream", average_size=20, size_variation=5, delay=5_000)
    assert await post(caller, proxy) == b"x" * 100
    assert callee.served == 1


async def test_a_crash_in_the_middle_of_a_call_is_a_disconnect(
    proxy: ProxyUnderTest, callee: Callee, caller: str
) -> None:
    """Hold the reply, cut the link once the callee has served."""
    proxy.add("bandwidth", "downstream", rate=0)
    calling = asyncio.create_task(post(caller, proxy))
    await eventually(lambda: callee.served == 1)
    proxy.enable(enabled=False)
    with pytest.raises((RESET[caller], CLOSED[caller])):
        await calling
