import asyncio
import socket

import httpx
import pytest

from checkout_sim.clients.transport import error_of, http_client
from tests.integration.clients.server import (
    OK,
    Answer,
    be_silent,
    break_off_in_the_body,
    hang_up,
    reset,
    serving,
    stall_in_the_body,
    talk_nonsense,
)

LIMIT_S = 5.0


async def error_from(url: str, *, method: str = "POST", timeout_s: float = LIMIT_S) -> Exception:
    async with http_client(timeout_s=timeout_s) as client:
        with pytest.raises(httpx.TransportError) as raised:
            await client.request(method, url)
    return raised.value


async def test_a_refusal_says_that_nothing_was_sent() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        error = await error_from(f"http://127.0.0.1:{bound.getsockname()[1]}")
    assert type(error) is httpx.ConnectError
    assert error_of(error) == "refused"


async def test_a_connection_that_is_never_made_says_that_nothing_was_sent() -> None:
    with socket.socket() as deaf, socket.socket() as first:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        first.connect(deaf.getsockname())  # fills the backlog: the next SYN is dropped
        error = await error_from(f"http://127.0.0.1:{deaf.getsockname()[1]}", timeout_s=0.2)
    assert type(error) is httpx.ConnectTimeout
    assert error_of(error) == "connect_timeout"


@pytest.mark.parametrize(
    ("answer", "kind", "name"),
    [
        (hang_up, httpx.RemoteProtocolError, "disconnected"),
        (reset, httpx.ReadError, "reset"),
        (break_off_in_the_body, httpx.RemoteProtocolError, "disconnected"),
        (talk_nonsense, httpx.RemoteProtocolError, "unreadable"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_what_goes_wrong_after_sending_is_never_called_unsent_and_sent_once(
    answer: Answer, kind: type[Exception], name: str, method: str
) -> None:
    async with serving(answer) as server:
        error = await error_from(server.url, method=method)
    assert type(error) is kind
    assert error_of(error) == name
    assert server.requests == 1


@pytest.mark.parametrize("answer", [be_silent, stall_in_the_body])
async def test_an_answer_that_does_not_come_or_does_not_end_is_a_timeout(answer: Answer) -> None:
    async with serving(answer) as server:
        error = await error_from(server.url, timeout_s=0.1)
    assert type(error) is httpx.ReadTimeout
    assert error_of(error) == "timeout"


async def test_errors_are_as_true_while_the_body_is_streamed() -> None:
    async with (
        serving(break_off_in_the_body) as server,
        http_client(timeout_s=LIMIT_S) as client,
        client.stream("GET", server.url) as response,
    ):
        with pytest.raises(httpx.RemoteProtocolError):
            await response.aread()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_request_on_a_reused_connection_is_not_repeated_behind_our_back(
    method: str,
) -> None:
    """aiohttp would: `_retry_connection`, a private name this test watches."""

    async def answer_once(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if server.requests == 1:
            writer.write(OK)
        else:
            writer.close()

    async with serving(answer_once) as server, http_client(timeout_s=LIMIT_S) as client:
        await client.request(method, server.url)
        with pytest.raises(httpx.RemoteProtocolError):
            await client.request(method, server.url)
    assert server.requests == 2


async def test_connections_are_not_rationed() -> None:
    """A closed pool would make shoppers wait for each other, and report it as the shop's delay."""
    all_here = asyncio.Event()
    many = 150  # aiohttp's own limit is 100

    async def answer_when_all_are_here(
        _: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if server.requests == many:
            all_here.set()
        await all_here.wait()
        writer.write(OK)

    async with (
        serving(answer_when_all_are_here) as server,
        http_client(timeout_s=LIMIT_S) as client,
    ):
        answers = await asyncio.gather(*(client.get(server.url) for _ in range(many)))
    assert [answer.status_code for answer in answers] == [200] * many


async def test_proxies_of_the_operators_shell_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)

    async with serving(answer) as server, http_client(timeout_s=LIMIT_S) as client:
        assert (await client.get(server.url)).json() == {}
