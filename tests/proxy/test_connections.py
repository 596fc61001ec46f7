"""Ends of streams, back-pressure, many connections, and control calls that never wait for data."""

import asyncio
import hashlib
import resource
from time import monotonic

import psutil
import pytest

from tests.proxy.world import Upstream, World, eventually

LONG_MS = 30_000
CONTROL_LIMIT_S = 2.0  # what the tool allows a control call
MEBIBYTE = 1 << 20


async def test_a_half_close_closes_both_directions(world: World) -> None:
    upstream = await world.upstream(echo=False)
    client = await world.connect(world.proxy(upstream.address))
    await client.send(b"request")
    client.writer.write_eof()
    assert await client.end() == (b"", "eof")
    await eventually(lambda: upstream.ends == ["eof"])
    assert upstream.text == b"request"


async def test_a_request_still_arrives_when_its_client_leaves_under_latency(
    world: World, upstream: Upstream
) -> None:
    proxy = world.proxy(upstream.address)
    proxy.add("latency", "upstream", latency=80)
    client = await world.connect(proxy)
    sent = await client.send(b"ghost")
    await client.close()
    await eventually(lambda: upstream.text == b"ghost")
    assert upstream.received[0][0] - sent >= 0.08
    await eventually(lambda: len(upstream.ends) == 1)


async def test_a_server_that_leaves_first_ends_the_client(world: World) -> None:
    upstream = await world.upstream(echo=False)
    client = await world.connect(world.proxy(upstream.address))
    await client.send(b"a")
    await eventually(lambda: upstream.text == b"a")
    upstream.writers[0].write(b"bye")
    upstream.writers[0].close()
    assert await client.end() == (b"bye", "eof")


async def test_a_server_that_speaks_first_is_heard(world: World) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        await writer.drain()
        writer.close()

    greeter = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = greeter.sockets[0].getsockname()[1]
    client = await world.connect(world.proxy(f"127.0.0.1:{port}"))
    assert await client.end() == (b"hello", "eof")
    greeter.close()
    await greeter.wait_closed()


async def test_an_aborted_client_ends_its_upstream(world: World, upstream: Upstream) -> None:
    client = await world.connect(world.proxy(upstream.address))
    await client.send(b"a")
    assert await client.get(1) == b"a"
    client.abort()
    await eventually(lambda: len(upstream.ends) == 1)


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        (None, {}),
        ("latency", {"latency": 5}),
        ("slicer", {"average_size": 10_000, "size_variation": 1_000, "delay": 0}),
        ("bandwidth", {"rate": 50_000}),
    ],
)
async def test_large_data_passes_byte_exact(
    world: World, upstream: Upstream, kind: str | None, attributes: dict[str, int]
) -> None:
    proxy = world.proxy(upstream.address)
    if kind is not None:
        proxy.add(kind, "downstream", **attributes)
        proxy.add(kind, "upstream", **attributes)
    data = b"".join(hashlib.sha256(bytes([n])).digest() for n in range(256)) * 256  # 2 MiB
    client = await world.connect(proxy)
    sending = asyncio.create_task(client.send(data))
    got = await client.get(len(data))
    await sending
    assert hashlib.sha256(got).digest() == hashlib.sha256(data).digest()


async def test_a_slow_reader_slows_its_sender_and_memory_stays_bounded(world: World) -> None:
    """100 MiB are offered; the proxy takes what buffers hold, and passes all once it is read."""
    upstream = await world.upstream(echo=False, reading=False)
    proxy = world.proxy(upstream.address)
    memory = psutil.Process(world.server.process.pid).memory_info
    before = memory().rss
    client = await world.connect(proxy)
    total, sent = 100 * MEBIBYTE, 0
    while sent < total:
        client.writer.write(bytes(MEBIBYTE))
        sent += MEBIBYTE
        try:
            async with asyncio.timeout(0.3):
                await client.writer.drain()
        except TimeoutError:
            break
    assert sent < total  # the sender was made to wait
    assert memory().rss - before < 30 * MEBIBYTE


async def test_a_disabled_link_drops_what_a_slow_reader_has_not_taken(world: World) -> None:
    """The server has said all and left; its reply still waits for the client."""
    upstream = await world.upstream(echo=False)
    proxy = world.proxy(upstream.address)
    client = await world.connect(proxy)
    await client.send(b"request")
    await eventually(lambda: upstream.text == b"request")
    reply = bytes(32 * MEBIBYTE)
    upstream.writers[0].write(reply)
    upstream.writers[0].close()
    proxy.enable(enabled=False)
    got, _ = await client.end()
    assert len(got) < len(reply)


async def test_control_calls_do_not_wait_for_clients_that_are_gone_and_chunks_that_are_held(
    world: World, upstream: Upstream
) -> None:
    proxy = world.proxy(upstream.address)
    hold = proxy.add("latency", "upstream", latency=LONG_MS)
    client = await world.connect(proxy)
    for _ in range(8):
        await client.send(b"x" * 1000)
        await asyncio.sleep(0)
    client.abort()
    started = monotonic()
    proxy.change(hold, latency=0)  # neutralised first: Shopify/toxiproxy#558
    proxy.remove(hold)
    assert monotonic() - started < CONTROL_LIMIT_S


@pytest.mark.parametrize("engine", ["embedded"], indirect=True, scope="session")
async def test_the_embedded_servers_delete_needs_no_neutralising(world: World) -> None:
    # The real one waits 5 s per held chunk (Shopify/toxiproxy#558).
    upstream = await world.upstream()
    proxy = world.proxy(upstream.address)
    hold = proxy.add("latency", "upstream", latency=LONG_MS)
    client = await world.connect(proxy)
    await client.send(b"held")
    client.abort()
    started = monotonic()
    proxy.remove(hold)
    assert monotonic() - started < CONTROL_LIMIT_S


async def test_two_thousand_connections_pass_data_and_leave_nothing_behind(world: World) -> None:
    """Each takes a descriptor here, two in the proxy server and one at the upstream."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    upstream = await world.upstream()
    proxy = world.proxy(upstream.address)
    descriptors = psutil.Process(world.server.process.pid).num_fds
    before = descriptors()
    count = min(2000, hard // 4)
    clients = [await world.connect(proxy) for _ in range(count)]
    for number, client in enumerate(clients):
        client.writer.write(f"{number:04}".encode())
    assert [await client.get(4) for client in clients] == [
        f"{number:04}".encode() for number in range(count)
    ]
    started = monotonic()
    toxic = proxy.add("latency", "upstream", latency=LONG_MS)
    for client in clients:
        client.writer.write(b"held")
    proxy.change(toxic, latency=0)
    proxy.remove(toxic)
    assert monotonic() - started < 3 * CONTROL_LIMIT_S
    assert {await client.get(4) for client in clients} == {b"held"}
    for client in clients:
        client.writer.close()
    await eventually(lambda: len(upstream.ends) == count)
    await eventually(lambda: descriptors() <= before + 2)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_thousand_proxies_are_populated_in_one_call(world: World) -> None:
    wanted = [
        {"name": world.name(), "listen": "127.0.0.1:0", "upstream": "127.0.0.1:1"}
        for _ in range(1000)
    ]
    reply = world.server.call("POST", "/populate", wanted)
    assert reply.status == 201
    assert len({each["listen"] for each in reply.json()["proxies"]}) == 1000
