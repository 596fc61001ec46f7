"""Proxies: defaults, PATCH, /populate, /reset, the config file, enabling and disabling."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.proxy.world import Server, Upstream, World, eventually

DEAD = "127.0.0.1:1"


def test_listen_is_echoed_resolved_only_once_started(world: World) -> None:
    name = world.name()
    wanted = {"name": name, "upstream": DEAD, "listen": "127.0.0.1:0", "enabled": False}
    created = world.server.call("POST", "/proxies", wanted).json()
    assert (created["listen"], created["enabled"]) == ("127.0.0.1:0", False)
    enabled = world.server.call("PATCH", f"/proxies/{name}", {"enabled": True}).json()
    assert enabled["listen"] != "127.0.0.1:0"
    disabled = world.server.call("PATCH", f"/proxies/{name}", {"enabled": False}).json()
    assert disabled["listen"] == enabled["listen"]


@pytest.mark.parametrize("verb", ["PATCH", "POST"])
def test_a_patch_keeps_what_it_does_not_name(world: World, verb: str) -> None:
    proxy = world.proxy(DEAD)
    before = proxy.call("GET").json()
    assert proxy.call(verb, "", {"name": "ignored"}).json() == before
    moved = proxy.call(verb, "", {"upstream": "127.0.0.1:2"}).json()
    assert moved == {**before, "upstream": "127.0.0.1:2"}


def test_port_zero_in_a_patch_always_moves_to_another_port(world: World) -> None:
    proxy = world.proxy(DEAD)
    toxic = proxy.add("latency", latency=1)
    moved = proxy.call("PATCH", "", {"listen": "127.0.0.1:0"}).json()
    assert moved["listen"] not in {proxy.address, "127.0.0.1:0"}
    assert [each["name"] for each in moved["toxics"]] == [toxic]


async def test_changing_the_upstream_closes_connections_and_keeps_toxics(
    world: World, upstream: Upstream
) -> None:
    other = await world.upstream()
    proxy = world.proxy(upstream.address)
    client = await world.connect(proxy)
    await client.send(b"a")
    assert await client.get(1) == b"a"
    proxy.add("latency", latency=1)
    proxy.call("PATCH", "", {"upstream": other.address})
    assert (await client.end())[0] == b""
    again = await world.connect(proxy)
    await again.send(b"b")
    assert await again.get(1) == b"b"
    assert (upstream.text, other.text) == (b"a", b"b")
    assert len(proxy.call("GET").json()["toxics"]) == 1


def test_an_unusable_listen_in_a_patch_is_500(world: World) -> None:
    proxy, other = world.proxy(DEAD), world.proxy(DEAD)
    assert proxy.call("PATCH", "", {"listen": "zz"}).json() == {
        "error": "address zz: missing port in address",
        "status": 500,
    }
    taken = proxy.call("PATCH", "", {"listen": other.address})
    assert taken.json()["error"] == f"listen tcp {other.address}: bind: address already in use"
    assert proxy.call("GET").json()["enabled"] is False
    assert proxy.enable().status == 500


def test_populate_creates_keeps_what_is_the_same_and_replaces_what_differs(world: World) -> None:
    kept, replaced, new = world.proxy(DEAD), world.proxy(DEAD), world.name()
    kept.add("latency", latency=1)
    replaced.add("latency", latency=1)
    wanted = [
        {"name": kept.name, "listen": kept.address, "upstream": DEAD, "enabled": False},
        {"name": replaced.name, "listen": replaced.address, "upstream": "127.0.0.1:2"},
        {"name": new, "listen": "127.0.0.1:0", "upstream": DEAD, "toxics": ["ignored"]},
    ]
    reply = world.server.call("POST", "/populate", wanted)
    assert (reply.status, reply.content_type) == (201, "application/json")
    seen = [
        (each["name"], each["upstream"], each["enabled"], len(each["toxics"]))
        for each in reply.json()["proxies"]
    ]
    assert seen == [
        (kept.name, DEAD, True, 1),
        (replaced.name, "127.0.0.1:2", True, 0),
        (new, DEAD, True, 0),
    ]


def test_populate_of_nothing_answers_null(server: Server) -> None:
    reply = server.call("POST", "/populate", [])
    assert (reply.status, reply.text) == (201, '{"proxies":null}')


def test_populate_validates_all_entries_before_it_applies_any(world: World) -> None:
    name = world.name()
    wanted = [{"name": name, "upstream": DEAD, "listen": "127.0.0.1:0"}, {"name": "x"}]
    reply = world.server.call("POST", "/populate", wanted)
    assert (reply.status, reply.content_type) == (400, "application/json")
    assert reply.json() == {
        "error": "missing required field: upstream at proxy 2",
        "status": 400,
        "proxies": None,
    }
    assert world.server.call("GET", f"/proxies/{name}").status == 404


def test_populate_stops_at_the_first_failure_and_says_what_it_did(world: World) -> None:
    taken = world.proxy(DEAD)
    first, second, third = world.name(), world.name(), world.name()
    wanted = [
        {"name": first, "upstream": DEAD, "listen": "127.0.0.1:0"},
        {"name": second, "upstream": DEAD, "listen": taken.address},
        {"name": third, "upstream": DEAD, "listen": "127.0.0.1:0"},
    ]
    reply = world.server.call("POST", "/populate", wanted)
    assert (reply.status, reply.content_type) == (500, "application/json")
    body = reply.json()
    assert body["error"] == f"listen tcp {taken.address}: bind: address already in use"
    assert [each["name"] for each in body["proxies"]] == [first]
    assert world.server.call("GET", f"/proxies/{third}").status == 404


def test_reset_enables_all_and_drops_toxics(
    tmp_path: Path, engine: str, command: list[str]
) -> None:
    server = Server.start(engine, command, log=tmp_path / "log")
    try:
        wanted = {"name": "a", "upstream": DEAD, "listen": "127.0.0.1:0", "enabled": False}
        server.call("POST", "/proxies", wanted)
        server.call("POST", "/proxies/a/toxics", {"type": "latency"})
        reply = server.call("POST", "/reset")
        assert (reply.status, reply.text) == (204, "")
        shown = server.call("GET", "/proxies/a").json()
        assert (shown["enabled"], shown["toxics"]) == (True, [])
    finally:
        server.process.kill()
        server.process.wait()


@pytest.mark.parametrize(
    ("config", "names"),
    [
        (json.dumps([{"name": "a", "listen": "127.0.0.1:0", "upstream": DEAD}]), ["a"]),
        ("not json", []),
    ],
)
def test_the_config_file_is_a_populate_and_a_bad_one_is_only_logged(
    tmp_path: Path, engine: str, command: list[str], config: str, names: list[str]
) -> None:
    file = tmp_path / "toxiproxy.json"
    file.write_text(config)
    server = Server.start(engine, command, "-config", str(file), log=tmp_path / "log")
    try:
        assert list(server.call("GET", "/proxies").json()) == names
    finally:
        server.process.kill()
        server.process.wait()


async def test_disabling_closes_idle_and_busy_connections_and_refuses_new_ones(
    world: World, upstream: Upstream
) -> None:
    proxy = world.proxy(upstream.address)
    idle, busy = await world.connect(proxy), await world.connect(proxy)
    await eventually(lambda: len(upstream.writers) == 2)
    proxy.add("bandwidth", rate=0)
    await busy.send(b"held on the way back")
    await eventually(lambda: upstream.text == b"held on the way back")
    assert proxy.enable(enabled=False).json()["enabled"] is False
    assert [(await client.end())[0] for client in (idle, busy)] == [b"", b""]
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", proxy.port)
    await eventually(lambda: len(upstream.ends) == 2)


async def test_enabling_listens_on_the_same_port_with_the_same_toxics(
    world: World, upstream: Upstream
) -> None:
    proxy = world.proxy(upstream.address)
    toxic = proxy.add("latency", latency=60)
    proxy.enable(enabled=False)
    enabled = proxy.enable().json()
    assert (enabled["listen"], enabled["toxics"][0]["name"]) == (proxy.address, toxic)
    client = await world.connect(proxy)
    sent = await client.send(b"a")
    assert await client.get(1) == b"a"
    assert asyncio.get_running_loop().time() - sent >= 0.06


async def test_data_held_when_the_proxy_is_disabled_is_lost(
    world: World, upstream: Upstream
) -> None:
    proxy, open_way = world.proxy(upstream.address), world.proxy(upstream.address)
    hold = proxy.add("bandwidth", "upstream", rate=0)
    client, witness = await world.connect(proxy), await world.connect(open_way)
    await client.send(b"held")
    await witness.send(b"w")
    assert await witness.get(1) == b"w"
    proxy.enable(enabled=False)
    proxy.enable()
    proxy.remove(hold)
    again = await world.connect(proxy)
    await again.send(b"a")
    assert await again.get(1) == b"a"
    assert upstream.text == b"wa"


async def test_a_dead_upstream_is_accepted_then_closed_and_works_once_it_is_back(
    world: World,
) -> None:
    upstream = await world.upstream()
    port = int(upstream.address.rpartition(":")[2])
    proxy = world.proxy(upstream.address)
    await upstream.close()
    client = await world.connect(proxy)
    assert (await client.end())[0] == b""
    await world.upstream(port=port)
    again = await world.connect(proxy)
    await again.send(b"back")
    assert await again.get(4) == b"back"


async def test_deleting_a_proxy_closes_its_connections(world: World, upstream: Upstream) -> None:
    proxy = world.proxy(upstream.address)
    client = await world.connect(proxy)
    await client.send(b"a")
    assert await client.get(1) == b"a"
    assert proxy.call("DELETE").status == 204
    assert (await client.end())[0] == b""
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", proxy.port)
