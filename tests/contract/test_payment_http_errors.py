"""What the wire can do, and the name every client gives it.

A raw socket server plays each fault; asked through both clients of the services: httpx on
`ExactTransport` (order → payment) and Stripe's SDK on `_ExactHttp` (payment → gateway). Each must
say the truth about whether the request was sent, and none may send it twice. Watches the private
names relied on: aiohttp's `_retry_connection`, the SDK's `_handle_request_error` and its log.
"""

import asyncio
import inspect
import re
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import aiohttp
import httpx
import pytest
import stripe
from stripe import _api_requestor

from services.chassis.clock import SystemClock
from services.chassis.http_client import NOT_SENT, Link, http_client, new_session
from services.chassis.ids import Ids
from services.chassis.logs import EventLog
from services.payment.payment import (
    Charge,
    Declined,
    NotDone,
    Outcome,
    ServerError,
    Told,
    Unknown,
    WrongState,
)
from services.payment.settings import PaymentSettings
from services.payment.stripe_client import StripeGateway, counts

TRY_MS = 400
CHARGE = Charge(
    order_id="ord_1", user_id="u", amount_minor=4200, currency="usd", card="pm_card_visa"
)

Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """A scripted peer: how often it was sent a request, and where it listens."""

    url: str = ""
    served: int = 0


async def read_request(reader: asyncio.StreamReader, server: Server) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            await reader.readexactly(int(line.split(b":")[1]))
    server.served += 1


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN."""
    opened = writer.get_extra_info("socket")
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


WHOLE = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
TRUNCATED = b'HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"id": "pi_'

# name → (bytes to answer with, how it ends, the error both clients must report)
WIRE: dict[str, tuple[bytes, str, str]] = {
    "reset after the request": (b"", "reset", "reset"),
    "closed after the request": (b"", "close", "disconnected"),
    "closed within the head": (b"HTTP/1.1 200 OK\r\nconte", "close", "disconnected"),
    "closed within the body": (TRUNCATED, "close", "disconnected"),
    "reset within the body": (TRUNCATED, "reset", "disconnected"),
    "silence": (b"", "stall", "timeout"),
    "silence within the body": (TRUNCATED, "stall", "timeout"),
    "garbage": (b"\x00\xff not HTTP at all\r\n\r\n", "close", "unreadable"),
}


@asynccontextmanager
async def playing(answer: bytes, ending: str, *, whole_first: int = 0) -> AsyncIterator[Server]:
    """Serve: `whole_first` good answers on a connection, then the fault."""
    server, over = Server(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await read_request(reader, server)
                if server.served > whole_first:
                    break
                writer.write(WHOLE)
            writer.write(answer)
            await writer.drain()
            if ending == "stall":
                await over.wait()
            if ending == "reset":
                reset(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        over.set()
        listener.close()
        await listener.wait_closed()


def free_url() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


class Heard(list[dict[str, object]]):
    """The `call.ended` events."""

    def __call__(self, event: object) -> None:
        assert isinstance(event, dict)
        if event["kind"] == "call.ended":
            self.append(event["data"])


async def ask_httpx(url: str, method: str = "POST", *, times: int = 1) -> str | None:
    """Return the error `call.ended` reports for the last of `times` requests on one client."""
    clock, heard = SystemClock(), Heard()
    events = EventLog(clock, fd=None, listener=heard)
    link = Link("order_to_payment", events=events, clock=clock, ids=Ids())
    async with http_client(base_url=url, connect_ms=TRY_MS, read_ms=TRY_MS) as client:
        for attempt in range(1, times + 1):
            with suppress(httpx.HTTPError), link.call("process", attempt=attempt) as call:
                answer = await client.request(method, "/payment/process", content=b"{}")
                call.http_status = answer.status_code
    name = heard[-1]["error"]
    assert name is None or isinstance(name, str)
    return name


async def ask_stripe(url: str, *, times: int = 1) -> tuple[Outcome, object]:
    """Return the outcome of the last of `times` charges, and the error `call.ended` reports."""
    clock, heard = SystemClock(), Heard()
    settings = PaymentSettings(
        gateway_url=url, gateway_try_ms=TRY_MS, gateway_connect_ms=TRY_MS / 2
    )
    gateway = StripeGateway(
        settings,
        clock=clock,
        ids=Ids(),
        events=EventLog(clock, fd=None, listener=heard),
        breaker=None,
    )
    try:
        for _ in range(times):
            outcome = await gateway.charge(CHARGE)
    finally:
        await gateway.aclose()
    return outcome, heard[-1]["error"]


@pytest.mark.parametrize("fault", WIRE)
async def test_httpx_names_the_fault_and_sends_once(fault: str) -> None:
    answer, ending, expected = WIRE[fault]
    async with playing(answer, ending) as server:
        assert await ask_httpx(server.url) == expected
        assert server.served == 1
    assert expected not in NOT_SENT


@pytest.mark.parametrize("fault", WIRE)
async def test_the_sdk_names_the_fault_and_sends_once(fault: str) -> None:
    answer, ending, expected = WIRE[fault]
    async with playing(answer, ending) as server:
        outcome, name = await ask_stripe(server.url)
        assert (outcome, name) == (Unknown(error=expected), expected)
        assert server.served == 1


async def test_a_refusal_is_known_not_to_have_been_sent() -> None:
    assert await ask_httpx(free_url()) == "refused"
    assert await ask_stripe(free_url()) == (NotDone(error="refused"), "refused")


async def test_a_connect_that_times_out_is_known_not_to_have_been_sent() -> None:
    with socket.socket() as deaf:  # bound, listening, its backlog full: SYNs are dropped
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        host, port = deaf.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        try:
            for filler in fillers:
                filler.setblocking(False)  # noqa: FBT003 - the socket module's own signature
                filler.connect_ex((host, port))
            url = f"http://{host}:{port}"
            assert await ask_httpx(url) == "connect_timeout"
            expected = "connect_timeout"
            assert await ask_stripe(url) == (NotDone(error=expected), expected)
        finally:
            for filler in fillers:
                filler.close()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_a_reused_connection_that_breaks_is_not_silently_asked_again(method: str) -> None:
    async with playing(b"", "close", whole_first=1) as server:
        assert await ask_httpx(server.url, method, times=2) == "disconnected"
        assert server.served == 2


async def test_a_get_of_the_sdk_is_not_silently_asked_again() -> None:
    async with playing(b"", "close", whole_first=1) as server:
        outcome, name = await ask_stripe(server.url, times=2)
        assert (outcome, name) == (Unknown(error="disconnected"), "disconnected")
        assert server.served == 2


async def test_the_switch_that_stops_aiohttp_from_repeating_is_still_there() -> None:
    async with aiohttp.ClientSession() as stock, new_session() as ours:
        assert stock._retry_connection is True
        assert ours._retry_connection is False


def test_the_sdk_has_the_names_that_are_silenced_and_logs_through_no_others() -> None:
    source = inspect.getsource(_api_requestor)
    assert {"log_info(", "log_debug("} == set(re.findall(r"\blog_\w+\(", source))
    assert "in _APIRequestor.AI_AGENTS:" in source


def http(status: int, body: str, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", f"content-length: {len(body.encode())}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def error(**fields: str) -> str:
    inner = ", ".join(f'"{name}": "{value}"' for name, value in fields.items())
    return f'{{"error": {{{inner}}}}}'


_SHOULD_NOT = "Stripe-Should-Retry: false"

ANSWERS: list[tuple[bytes, Outcome, str | None]] = [
    (http(200, '{"id": "pi_1", "status": "succeeded"}'), Told(id="pi_1", status="succeeded"), None),
    (
        http(402, error(type="card_error", code="card_declined", decline_code="lost_card")),
        Declined(code="lost_card", message=""),
        None,
    ),
    (
        http(404, error(type="invalid_request_error", code="resource_missing", message="No")),
        Declined(code="resource_missing", message="No"),
        None,
    ),
    (
        http(400, error(type="invalid_request_error", code="payment_intent_unexpected_state")),
        WrongState(status=None),
        None,
    ),
    (http(400, error(type="idempotency_error")), Unknown(error="IdempotencyError"), None),
    (http(409, error(code="idempotency_key_in_use")), Unknown(error="in_flight"), None),
    (http(429, error(code="lock_timeout")), NotDone(error="lock_timeout"), None),
    (http(401, error(type="invalid_request_error")), NotDone(error="AuthenticationError"), None),
    (
        http(500, error(type="api_error"), _SHOULD_NOT),
        ServerError(error="HTTP 500", saved=True),
        None,
    ),
    (http(503, error(type="api_error")), ServerError(error="HTTP 503", saved=False), None),
    (
        http(502, "<html>bad gateway</html>"),
        ServerError(error="HTTP 502", saved=False),
        "unreadable",
    ),
    (http(200, "<html>captive portal</html>"), Unknown(error="unreadable"), "unreadable"),
    (http(200, "[]"), Unknown(error="unreadable"), "unreadable"),
    (http(200, '{"id": 7}'), Unknown(error="unreadable"), "unreadable"),
    (http(200, ""), Unknown(error="unreadable"), "unreadable"),
]


@pytest.mark.parametrize(("answer", "expected", "name"), ANSWERS)
async def test_every_answer_has_its_outcome_class(
    answer: bytes, expected: Outcome, name: str | None
) -> None:
    async with playing(answer, "close") as server:
        outcome, heard = await ask_stripe(server.url)
    if isinstance(outcome, Declined) and isinstance(expected, Declined) and not expected.message:
        assert outcome.code == expected.code
    else:
        assert outcome == expected
    assert heard == name


def test_the_breaker_counts_what_is_the_gateways_fault_alone() -> None:
    statuses = {402: False, 429: False, 404: False, 409: False, 500: True, 503: True}
    answered = {
        status: counts(stripe.APIError("told", "{}", status, {"error": {}})) for status in statuses
    }
    assert answered == statuses
    assert counts(stripe.APIError("garbage", "<html>", 200, None))
    assert counts(TimeoutError())
