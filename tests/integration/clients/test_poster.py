"""The load's own client: one request sent once, and the truth about what became of it."""

import asyncio
import socket

import httpx
import pytest

from checkout_sim.clients.poster import Poster
from checkout_sim.clients.transport import error_of
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

BODY = {"userId": "shopper-1"}


async def answer_ok(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(len(b'{"userId": "shopper-1"}'))
    writer.write(OK)


async def test_an_answer_is_read_whole_and_its_connection_used_again() -> None:
    async with serving(answer_ok) as server:
        poster = Poster(server.url)
        first = await poster.post("/order/place", BODY, {"Idempotency-Key": "k1"})
        second = await poster.post("/order/place", BODY, {"Idempotency-Key": "k2"})
        await poster.close()

    assert (first, second) == ((200, b"{}"), (200, b"{}"))
    assert server.requests == 2


async def test_a_refusal_says_that_nothing_was_sent() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        poster = Poster(f"http://127.0.0.1:{bound.getsockname()[1]}")
        with pytest.raises(httpx.ConnectError) as raised:
            await poster.post("/", BODY, {})

    assert error_of(raised.value) == "refused"


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (hang_up, "disconnected"),
        (reset, "reset"),
        (break_off_in_the_body, "disconnected"),
        (talk_nonsense, "unreadable"),
    ],
)
async def test_what_goes_wrong_after_sending_is_never_called_unsent_and_sent_once(
    answer: Answer, name: str
) -> None:
    async with serving(answer) as server:
        with pytest.raises(httpx.RequestError) as raised:
            await Poster(server.url).post("/", BODY, {})

    assert error_of(raised.value) == name
    assert server.requests == 1


@pytest.mark.parametrize("answer", [be_silent, stall_in_the_body])
async def test_a_shopper_out_of_patience_hangs_up(answer: Answer) -> None:
    async with serving(answer) as server:
        poster = Poster(server.url)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await poster.post("/", BODY, {})
        # The server's reader ends only because the connection was closed: leaving proves it.

    assert server.requests == 1


async def test_a_request_on_a_connection_that_dies_is_not_repeated() -> None:
    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if server.requests == 1:
            await answer_ok(reader, writer)
        else:
            writer.close()

    async with serving(answer_once) as server:
        poster = Poster(server.url)
        await poster.post("/", BODY, {})
        with pytest.raises(httpx.RemoteProtocolError):
            await poster.post("/", BODY, {})

    assert server.requests == 2


async def test_a_connection_closed_while_idle_is_replaced_before_anything_is_sent() -> None:
    closed = asyncio.Event()

    async def answer_then_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer_ok(reader, writer)
        if server.requests == 1:
            await writer.drain()
            writer.close()
            await writer.wait_closed()
            closed.set()

    async with serving(answer_then_close) as server:
        poster = Poster(server.url)
        await poster.post("/", BODY, {})
        async with asyncio.timeout(5):
            await closed.wait()
            while poster.idle:  # noqa: ASYNC110 - the client says nothing when a socket closes
                await asyncio.sleep(0)
        assert await poster.post("/", BODY, {}) == (200, b"{}")
        await poster.close()


async def test_requests_in_flight_do_not_wait_for_each_other() -> None:
    all_here = asyncio.Event()

    async def answer_when_all_are_here(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if server.requests == 50:
            all_here.set()
        await all_here.wait()
        await answer_ok(reader, writer)

    async with serving(answer_when_all_are_here) as server:
        poster = Poster(server.url)
        answers = await asyncio.gather(*(poster.post("/", BODY, {}) for _ in range(50)))
        await poster.close()

    assert [status for status, _ in answers] == [200] * 50
