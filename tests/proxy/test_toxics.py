"""Each toxic: alone in each direction, stacked, and added, changed or removed while data flows.

"Held" is proved without sleeping: what went the open way meanwhile has arrived, this has not.
"""

from time import monotonic

import pytest

from tests.proxy.world import Client, ProxyUnderTest, Upstream, World, eventually

STREAMS = ["upstream", "downstream"]
LONG_MS = 30_000  # never waited for


async def echo(client: Client, data: bytes = b"ping") -> float:
    """Send, get it back, give the seconds it took."""
    sent = await client.send(data)
    assert await client.get(len(data)) == data
    return monotonic() - sent


async def witness(world: World, upstream: Upstream) -> None:
    """Wait until something sent now the open way has come back."""
    await echo(await world.connect(world.proxy(upstream.address)), b"w")


@pytest.fixture
def proxy(world: World, upstream: Upstream) -> ProxyUnderTest:
    return world.proxy(upstream.address)


@pytest.fixture
async def client(world: World, proxy: ProxyUnderTest) -> Client:
    """Connected and used once, so that toxics meet a live connection."""
    made = await world.connect(proxy)
    await echo(made)
    return made


async def held(world: World, upstream: Upstream, client: Client, data: bytes) -> None:
    """Send what an armed upstream toxic holds, and make sure that it does."""
    before = upstream.text
    await client.send(data)
    await witness(world, upstream)
    assert upstream.text == before + b"w"


# -- latency


@pytest.mark.parametrize("stream", STREAMS)
async def test_latency_delays_data_that_long_on_a_live_connection(
    proxy: ProxyUnderTest, client: Client, stream: str
) -> None:
    toxic = proxy.add("latency", stream, latency=80)
    assert await echo(client) >= 0.08
    proxy.change(toxic, latency=0)
    proxy.remove(toxic)
    assert await echo(client) < 0.08


async def test_latencies_add_up(proxy: ProxyUnderTest, client: Client, world: World) -> None:
    for number, stream in enumerate(["upstream", "upstream", "downstream"]):
        body = {
            "name": f"l{number}",
            "type": "latency",
            "stream": stream,
            "attributes": {"latency": 40},
        }
        proxy.call("POST", "/toxics", body)
    assert await echo(client) >= 0.12
    assert await echo(await world.connect(proxy)) >= 0.12


async def test_latency_keeps_chunks_in_order_and_delays_each_from_its_own_reading(
    proxy: ProxyUnderTest, client: Client
) -> None:
    proxy.add("latency", "upstream", latency=100)
    first = await client.send(b"1")
    for byte in b"23456789":
        await client.send(bytes([byte]))
    assert await client.get(9) == b"123456789"
    assert 0.1 <= monotonic() - first < 0.5  # not nine times a delay


async def test_changing_latency_releases_what_is_held_at_once(
    world: World, upstream: Upstream, proxy: ProxyUnderTest, client: Client
) -> None:
    toxic = proxy.add("latency", "upstream", latency=LONG_MS)
    await held(world, upstream, client, b"held")
    proxy.change(toxic, latency=10)
    assert await client.get(4) == b"held"
    assert await echo(client) >= 0.01


async def test_a_new_toxic_lets_what_is_held_pass_it_by(
    world: World, upstream: Upstream, proxy: ProxyUnderTest, client: Client
) -> None:
    proxy.add("latency", "upstream", latency=LONG_MS)
    await held(world, upstream, client, b"first")
    proxy.add("timeout", "upstream", timeout=0)
    assert await client.get(5) == b"first"


async def test_of_several_held_chunks_a_new_toxic_lets_only_the_first_pass(
    world: World, upstream: Upstream, proxy: ProxyUnderTest, client: Client
) -> None:
    latency = proxy.add("latency", "upstream", latency=LONG_MS)
    for chunk in (b"1", b"2", b"3"):
        await held(world, upstream, client, chunk)
    arrived = upstream.text
    proxy.add("timeout", "upstream", timeout=0)
    assert await client.get(1) == b"1"
    proxy.change(latency, latency=0)
    await witness(world, upstream)
    assert upstream.text == arrived + b"1w"  # 2 and 3 were swallowed


# -- bandwidth


@pytest.mark.parametrize("stream", STREAMS)
async def test_bandwidth_spreads_data_at_its_rate(
    proxy: ProxyUnderTest, client: Client, stream: str
) -> None:
    proxy.add("bandwidth", stream, rate=100)
    size = 20_000  # at 100 x 1,000 B/s: 0.2 s, of which the last 0.1 s slice may be early
    assert 0.15 <= await echo(client, b"x" * size) < 2


@pytest.mark.parametrize("stream", STREAMS)
async def test_bandwidth_zero_holds_and_loses_nothing(
    world: World, upstream: Upstream, proxy: ProxyUnderTest, client: Client, stream: str
) -> None:
    """Lifted by removal alone: raising the rate may end Toxiproxy 2.12.0 (bandwidth.go:46)."""
    toxic = proxy.add("bandwidth", stream, rate=0)
    sent = upstream.text
    await client.send(b"held")
    await witness(world, upstream)
    assert (b"held" in upstream.text[len(sent) :]) == (stream == "downstream")
    lifted = monotonic()
    proxy.remove(toxic)
    assert await client.get(4) == b"held"
    assert stream == "downstream" or upstream.received[-1][0] >= lifted
    await echo(client)


async def test_a_request_held_by_bandwidth_zero_arrives_though_its_caller_left(
    world: World, upstream: Upstream, proxy: ProxyUnderTest, client: Client
) -> None:
    toxic = proxy.add("bandwidth", "upstream", rate=0)
    await held(world, upstream, client, b"ghost")
    await client.close()
    proxy.remove(toxic)
    await eventually(lambda: b"ghost" in upstream.text)
    await eventually(lambda: "eof" in upstream.ends)


# -- timeout


@pytest.mark.parametrize("stream", STREAMS)
async def test_timeout_swallows_data_and_closes_after_that_long_without_any(
    upstream: Upstream, proxy: ProxyUnderTest, client: Client, stream: str
) -> None:
    before = upstream.text
    proxy.add("timeout", stream, timeout=100)
    sent = await client.send(b"swallowed")
    assert await client.end() == (b"", "eof")
    assert monotonic() - sent >= 0.1
    assert upstream.text == before + (b"" if stream == "upstream" else b"swallowed")


async def test_timeout_closes_idle_connections_too(proxy: ProxyUnderTest, client: Client) -> None:
    armed = monotonic()
    proxy.add("timeout", "downstream", timeout=60)
    assert await client.end() == (b"", "eof")
    assert monotonic() - armed >= 0.06


async def test_removing_a_timeout_closes_the_connection(
    world: World, upstream: Upstream, proxy: ProxyUnderTest, client: Client
) -> None:
    toxic = proxy.add("timeout", "upstream", timeout=0)
    await client.send(b"swallowed")
    await witness(world, upstream)
    proxy.remove(toxic)
    assert await client.end() == (b"", "eof")
    await echo(await world.connect(proxy))


# -- reset_peer


@pytest.mark.parametrize("stream", STREAMS)
async def test_reset_peer_ends_a_connection_opened_under_it_with_rst(
    world: World, upstream: Upstream, proxy: ProxyUnderTest, stream: str
) -> None:
    proxy.add("reset_peer", stream, timeout=0)
    client = await world.connect(proxy)
    await client.send(b"dropped")
    assert await client.end() == (b"", "ConnectionResetError")
    assert upstream.text == (b"" if stream == "upstream" else b"dropped")


async def test_reset_peer_ends_a_connection_opened_before_it_with_fin(
    proxy: ProxyUnderTest, client: Client
) -> None:
    proxy.add("reset_peer", "upstream", timeout=0)
    await client.send(b"dropped")
    assert await client.end() == (b"", "eof")


async def test_reset_peer_waits_its_timeout(world: World, proxy: ProxyUnderTest) -> None:
    proxy.add("reset_peer", "upstream", timeout=80)
    client = await world.connect(proxy)
    sent = await client.send(b"dropped")
    assert await client.end() == (b"", "ConnectionResetError")
    assert monotonic() - sent >= 0.08


async def test_a_connection_opened_under_reset_peer_ends_in_rst_even_after_its_removal(
    world: World, upstream: Upstream, proxy: ProxyUnderTest
) -> None:
    toxic = proxy.add("reset_peer", "upstream", timeout=0)
    client = await world.connect(proxy)
    await eventually(lambda: upstream.writers)
    proxy.remove(toxic)
    await echo(client)
    proxy.enable(enabled=False)
    assert await client.end() == (b"", "ConnectionResetError")


# -- limit_data


@pytest.mark.parametrize("stream", STREAMS)
async def test_limit_data_passes_exactly_so_many_bytes_counted_from_arming_then_ends(
    upstream: Upstream, proxy: ProxyUnderTest, client: Client, stream: str
) -> None:
    before = upstream.text
    proxy.add("limit_data", stream, bytes=10)
    assert await echo(client, b"123456") > 0
    await client.send(b"7890abcdef")
    got, how = await client.end()
    assert how == "eof"
    if stream == "downstream":
        assert got == b"7890"
    else:
        await eventually(lambda: upstream.text == before + b"1234567890")


async def test_limit_data_zero_lets_nothing_pass(
    upstream: Upstream, world: World, proxy: ProxyUnderTest
) -> None:
    proxy.add("limit_data", "upstream", bytes=0)
    client = await world.connect(proxy)
    await client.send(b"request")
    assert await client.end() == (b"", "eof")
    assert upstream.text == b""


async def test_changing_a_limit_keeps_the_count_and_removal_leaves_survivors_open(
    proxy: ProxyUnderTest, client: Client
) -> None:
    toxic = proxy.add("limit_data", "downstream", bytes=10)
    await echo(client, b"123456")
    proxy.change(toxic, bytes=12)
    await echo(client, b"78901")
    proxy.remove(toxic)
    await echo(client, b"more than ever was left")


# -- slicer, slow_close, noop


@pytest.mark.parametrize("stream", STREAMS)
async def test_slicer_cuts_and_loses_nothing(
    world: World, proxy: ProxyUnderTest, stream: str
) -> None:
    proxy.add("slicer", stream, average_size=20, size_variation=5, delay=5_000)
    data = bytes(range(200))
    # At least 8 slices of at most 25 bytes: 7 pauses before the last one.
    assert await echo(await world.connect(proxy), data) >= 0.035


async def test_removing_a_slicer_lets_the_rest_pass(proxy: ProxyUnderTest, client: Client) -> None:
    toxic = proxy.add("slicer", "upstream", average_size=1, size_variation=0, delay=5_000_000)
    await client.send(b"1234")
    assert await client.get(1) == b"1"
    proxy.change(toxic, delay=0)
    proxy.remove(toxic)
    assert await client.get(3) == b"234"


@pytest.mark.parametrize("stream", STREAMS)
async def test_slow_close_delays_the_end_alone(
    upstream: Upstream, proxy: ProxyUnderTest, client: Client, stream: str
) -> None:
    proxy.add("slow_close", stream, delay=100)
    await echo(client)
    if stream == "upstream":
        left = monotonic()
        await client.close()
        await eventually(lambda: upstream.ends == ["eof"])
    else:
        left = monotonic()
        upstream.writers[0].close()
        assert await client.end() == (b"", "eof")
    assert monotonic() - left >= 0.1


async def test_noop_passes_everything(proxy: ProxyUnderTest, client: Client) -> None:
    proxy.add("noop", "upstream")
    proxy.add("noop", "downstream")
    await echo(client, b"x" * 100_000)


async def test_a_toxicity_of_zero_never_acts(world: World, proxy: ProxyUnderTest) -> None:
    attributes = {"latency": LONG_MS}
    body = {"type": "latency", "toxicity": 0, "attributes": attributes}
    assert proxy.call("POST", "/toxics", body).json()["toxicity"] == 0
    await echo(await world.connect(proxy))


async def test_reset_peer_after_limit_data_and_latency_works_as_a_chain(
    world: World, upstream: Upstream, proxy: ProxyUnderTest
) -> None:
    proxy.add("latency", "downstream", latency=60)
    proxy.add("limit_data", "downstream", bytes=3)
    client = await world.connect(proxy)
    sent = await client.send(b"123456")
    assert await client.end() == (b"123", "eof")
    assert monotonic() - sent >= 0.06
    assert upstream.text == b"123456"
