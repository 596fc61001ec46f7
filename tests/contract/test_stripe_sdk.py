"""The unmodified `stripe` SDK against the gateway: every flow, and every exception from the wire.

What payment relies on is met here with the SDK's aiohttp, httpx and
requests clients. Wire faults are made by a small TCP server that misbehaves on purpose.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import stripe

from services.gateway.parameters import DEFAULT_API_VERSION
from tests.services.gateway.gateway_process import KEY, GatewayProcess

# The SDK hands httpx its body in a way httpx deprecates; that is theirs to mend.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

CLIENTS: dict[str, Callable[[], stripe.HTTPClient]] = {
    "aiohttp": lambda: stripe.AIOHTTPClient(timeout=aiohttp.ClientTimeout(total=10)),
    "httpx": lambda: stripe.HTTPXClient(timeout=10),
    "requests": lambda: stripe.RequestsClient(timeout=10),
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    process = GatewayProcess(tmp_path_factory.mktemp("sdk") / "gateway.db").start()
    yield process
    process.stop()


@pytest.fixture(autouse=True)
def quiet_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe, "enable_telemetry", False)


class Sdk:
    """One `StripeClient` over one HTTP client, called the same way whether it awaits or not."""

    def __init__(self, name: str, http: stripe.HTTPClient, url: str, key: str = KEY) -> None:
        self._waits = name == "requests"
        self.v1 = stripe.StripeClient(
            key, base_addresses={"api": url}, http_client=http, max_network_retries=0
        ).v1

    async def __call__(self, service: Any, method: str, *args: Any) -> Any:
        if self._waits:
            return await asyncio.to_thread(getattr(service, method), *args)
        return await getattr(service, f"{method}_async")(*args)


@asynccontextmanager
async def sdk_at(name: str, url: str, key: str = KEY) -> AsyncIterator[Sdk]:
    http = CLIENTS[name]()
    try:
        yield Sdk(name, http, url, key)
    finally:
        if name == "requests":
            http.close()  # type: ignore[no-untyped-call]
        else:
            await http.close_async()  # type: ignore[no-untyped-call]


@pytest.fixture(params=CLIENTS)
async def sdk(request: pytest.FixtureRequest, gateway: GatewayProcess) -> AsyncIterator[Sdk]:
    async with sdk_at(request.param, gateway.url) as client:
        yield client


def charge(order: str, **more: Any) -> dict[str, Any]:
    return {
        "amount": 4200,
        "currency": "usd",
        "confirm": True,
        "payment_method": "pm_card_visa",
        "metadata": {"order_id": order},
        **more,
    }


async def refused(call: Awaitable[Any]) -> stripe.StripeError:
    with pytest.raises(stripe.StripeError) as caught:
        await call
    return caught.value


# -- flows ----------------------------------------------------------------------------------


async def test_the_whole_of_a_checkout(sdk: Sdk) -> None:
    intents, refunds = sdk.v1.payment_intents, sdk.v1.refunds
    made = await sdk(intents, "create", {"amount": 4200, "currency": "usd"})
    paid = await sdk(
        intents, "confirm", made.id, {"payment_method": "pm_card_visa", "expand": ["latest_charge"]}
    )
    part = await sdk(refunds, "create", {"payment_intent": made.id, "amount": 1200})
    rest = await sdk(refunds, "create", {"charge": paid.latest_charge.id})
    read = await sdk(intents, "retrieve", made.id)
    listed = await sdk(refunds, "list", {"payment_intent": made.id})

    assert isinstance(paid, stripe.PaymentIntent)
    assert isinstance(paid.latest_charge, stripe.Charge)
    assert (made.status, paid.status, read.status) == (
        "requires_payment_method",
        "succeeded",
        "succeeded",
    )
    assert (made.livemode, made.client_secret.startswith(made.id)) == (False, True)
    assert (part.amount, rest.amount) == (1200, 3000)
    assert [refund.id for refund in listed.data] == [rest.id, part.id]
    assert read.latest_charge == paid.latest_charge.id


async def test_manual_capture_search_events_and_balance(sdk: Sdk) -> None:
    v1 = sdk.v1
    held = await sdk(v1.payment_intents, "create", charge("manual", capture_method="manual"))
    taken = await sdk(v1.payment_intents, "capture", held.id, {"amount_to_capture": 4000})
    found = await sdk(v1.payment_intents, "search", {"query": 'metadata["order_id"]:"manual"'})
    events = await sdk(v1.events, "list", {"type": "payment_intent.succeeded", "limit": 1})
    balance = await sdk(v1.balance_transactions, "list", {"source": taken.latest_charge})

    assert (held.status, held.amount_capturable) == ("requires_capture", 4200)
    assert (taken.status, taken.amount_received) == ("succeeded", 4000)
    assert held.id in [intent.id for intent in found.data]
    assert events.data[0].data.object["id"] == held.id
    assert balance.data[0].amount == 4000


async def test_a_saved_key_is_replayed(sdk: Sdk, request: pytest.FixtureRequest) -> None:
    key = {"idempotency_key": request.node.name}
    first = await sdk(sdk.v1.payment_intents, "create", charge("replay"), key)
    second = await sdk(sdk.v1.payment_intents, "create", charge("replay"), key)

    assert first.id == second.id
    assert second.last_response.headers["Idempotent-Replayed"] == "true"


async def test_lists_page_by_themselves(gateway: GatewayProcess) -> None:
    async with sdk_at("aiohttp", gateway.url) as sdk:
        made = [
            (await sdk(sdk.v1.payment_intents, "create", {"amount": 100, "currency": "usd"})).id
            for _ in range(3)
        ]
        page = await sdk(sdk.v1.payment_intents, "list", {"limit": 1})
        walked: list[str] = []
        async for intent in page.auto_paging_iter():
            walked.append(intent.id)
            if len(walked) == len(made):
                break

    assert walked == made[::-1]


# -- exceptions the gateway raises ------------------------------------------------------------


async def test_402_is_a_card_error_with_its_intent(sdk: Sdk) -> None:
    declined = charge("declined", payment_method="pm_card_visa_chargeDeclinedInsufficientFunds")
    error = await refused(sdk(sdk.v1.payment_intents, "create", declined))

    assert isinstance(error, stripe.CardError)
    assert (error.http_status, error.code) == (402, "card_declined")
    assert error.error is not None
    assert error.error.decline_code == "insufficient_funds"
    assert error.error.payment_intent is not None
    assert error.error.payment_intent.status == "requires_payment_method"
    assert error.request_id


async def test_400_and_404_are_invalid_requests(sdk: Sdk) -> None:
    intents = sdk.v1.payment_intents
    bad = await refused(sdk(intents, "create", {"amount": 1, "currency": "zzz"}))
    missing = await refused(sdk(intents, "retrieve", "pi_none"))
    paid = await sdk(intents, "create", charge("fence"))
    fence = await refused(sdk(intents, "cancel", paid.id))

    assert isinstance(bad, stripe.InvalidRequestError)
    assert isinstance(missing, stripe.InvalidRequestError)
    assert isinstance(fence, stripe.InvalidRequestError)
    assert (bad.param, missing.http_status) == ("currency", 404)
    assert fence.error is not None
    assert fence.error.code == "payment_intent_unexpected_state"
    assert fence.error.payment_intent is not None
    assert fence.error.payment_intent.status == "succeeded"


async def test_a_reused_key_is_an_idempotency_error(
    sdk: Sdk, request: pytest.FixtureRequest
) -> None:
    key = {"idempotency_key": request.node.name}
    await sdk(sdk.v1.payment_intents, "create", charge("first"), key)
    error = await refused(sdk(sdk.v1.payment_intents, "create", charge("other"), key))

    assert isinstance(error, stripe.IdempotencyError)


async def test_a_live_key_is_an_authentication_error(gateway: GatewayProcess) -> None:
    async with sdk_at("aiohttp", gateway.url, "sk_live_1") as sdk:
        error = await refused(sdk(sdk.v1.payment_intents, "list"))

    assert isinstance(error, stripe.AuthenticationError)


@pytest.mark.parametrize(
    ("control", "kind", "status"),
    [
        ("rate_limited", stripe.RateLimitError, 429),
        ("lock_timeout", stripe.RateLimitError, 429),
        ("unavailable", stripe.APIError, 503),
        ("error_500_no_effect", stripe.APIError, 500),
        ("error_500_after_effect", stripe.APIError, 500),
    ],
)
async def test_429_and_5xx_by_control(
    gateway: GatewayProcess, sdk: Sdk, control: str, kind: type[stripe.StripeError], status: int
) -> None:
    gateway.arm(control, control, operation="charge", order_id=control)
    error = await refused(sdk(sdk.v1.payment_intents, "create", charge(control)))
    gateway.lift()

    assert type(error) is kind
    assert error.http_status == status


async def test_409_is_an_api_error_that_names_its_code_inside(
    gateway: GatewayProcess, sdk: Sdk, request: pytest.FixtureRequest
) -> None:
    order = request.node.name
    key = {"idempotency_key": order}
    gateway.arm("slow_execution", order, operation="charge", order_id=order, parameters={"ms": 800})
    first = asyncio.create_task(sdk(sdk.v1.payment_intents, "create", charge(order), key))
    await asyncio.to_thread(gateway.event, "gateway.fault_used", order=order)
    error = await refused(sdk(sdk.v1.payment_intents, "create", charge(order), key))
    paid = await first
    gateway.lift()

    assert type(error) is stripe.APIError
    assert (error.http_status, error.code) == (409, None)
    assert error.error is not None
    assert error.error.code == "idempotency_key_in_use"
    assert paid.status == "succeeded"


async def test_a_dropped_connection_is_a_connection_error_and_the_charge_stands(
    gateway: GatewayProcess, sdk: Sdk, request: pytest.FixtureRequest
) -> None:
    order = request.node.name
    gateway.arm("drop_after_commit", order, operation="charge", order_id=order)
    error = await refused(sdk(sdk.v1.payment_intents, "create", charge(order)))
    gateway.lift()

    assert isinstance(error, stripe.APIConnectionError)
    assert gateway.net(order) == 4200


# -- exceptions the wire raises ---------------------------------------------------------------


@asynccontextmanager
async def server(answer: bytes | None, *, reset: bool = False) -> AsyncIterator[str]:
    """Serve each connection `answer` after its request and close; None says nothing for ever."""
    held: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if reset:
            linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        if answer is None:
            held.append(writer)
            return
        writer.write(answer)
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        for writer in held:
            writer.close()
        listener.close()


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("answer", "reset"),
    [(b"", False), (b"", True), (b"this is not HTTP\r\n\r\n", False)],
    ids=["eof", "reset", "garbage"],
)
async def test_a_broken_wire_is_a_connection_error_of_unknown_outcome(
    client: str,
    answer: bytes,
    reset: bool,  # noqa: FBT001 - a parameter of the table above
) -> None:
    async with server(answer, reset=reset) as url, sdk_at(client, url) as sdk:
        error = await refused(sdk(sdk.v1.payment_intents, "create", charge("wire")))

    assert isinstance(error, stripe.APIConnectionError)
    assert not isinstance(error.__cause__, aiohttp.ClientConnectorError)


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_refused_connection_is_a_connection_error(client: str) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unheard.getsockname()[1]}"
        async with sdk_at(client, url) as sdk:
            error = await refused(sdk(sdk.v1.payment_intents, "create", charge("wire")))

    assert isinstance(error, stripe.APIConnectionError)
    assert client != "aiohttp" or isinstance(error.__cause__, aiohttp.ClientConnectorError)


async def test_silence_is_a_connection_error_after_the_timeout() -> None:
    http = stripe.AIOHTTPClient(timeout=aiohttp.ClientTimeout(total=0.2, connect=0.1))
    async with server(None) as url:
        sdk = Sdk("aiohttp", http, url)
        error = await refused(sdk(sdk.v1.payment_intents, "create", charge("wire")))
        await http.close_async()  # type: ignore[no-untyped-call]

    assert isinstance(error, stripe.APIConnectionError)
    assert not isinstance(error.__cause__, aiohttp.ClientConnectorError)


async def test_a_truncated_body_leaks_raw_out_of_the_aiohttp_client() -> None:
    whole = json.dumps({"id": "pi_1"}).encode()
    torn = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + whole
    async with server(torn) as url, sdk_at("aiohttp", url) as sdk:
        with pytest.raises(aiohttp.ClientPayloadError):
            await sdk(sdk.v1.payment_intents, "create", charge("wire"))


def test_the_gateway_knows_the_version_its_sdk_speaks() -> None:

    assert stripe.api_version == DEFAULT_API_VERSION
