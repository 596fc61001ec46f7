"""Every endpoint of Toxiproxy's HTTP API: status, body, content type, messages, quirks."""

import json
import socket
from collections.abc import Iterator

import pytest

from tests.proxy.world import Reply, Server, World

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"
DEAD = "127.0.0.1:1"


@pytest.fixture
def name(world: World) -> str:
    return world.proxy(DEAD).name


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        yield bound.getsockname()[1]


def refused(reply: Reply, status: int, message: str) -> None:
    assert (reply.status, reply.content_type) == (status, TEXT)
    assert reply.text == json.dumps({"error": message, "status": status}, separators=(",", ":")) + (
        "\n"
    )


def test_version_is_json_with_a_charset_and_a_newline(server: Server) -> None:
    reply = server.call("GET", "/version")
    assert (reply.status, reply.content_type) == (200, "application/json;charset=utf-8")
    assert reply.text in {'{"version": "2.12.0"}\n', '{"version": "git"}\n'}
    assert ("x-checkout-sim-proxy" in reply.headers) == server.embedded


def test_a_proxy_is_created_shown_listed_and_deleted(world: World) -> None:
    name = world.name()
    wanted = {"name": name, "listen": "127.0.0.1:0", "upstream": DEAD}
    created = world.server.call("POST", "/proxies", wanted)
    assert (created.status, created.content_type) == (201, JSON)
    listen = created.json()["listen"]
    assert created.text == (
        f'{{"name":"{name}","listen":"{listen}","upstream":"{DEAD}",'
        '"enabled":true,"Logger":{},"toxics":[]}'
    )
    shown = world.server.call("GET", f"/proxies/{name}")
    assert (shown.status, shown.content_type, shown.text) == (200, JSON, created.text)
    listed = world.server.call("GET", "/proxies")
    assert (listed.status, listed.content_type) == (200, JSON)
    assert listed.json()[name] == created.json()
    gone = world.server.call("DELETE", f"/proxies/{name}")
    assert (gone.status, gone.text, gone.content_type) == (204, "", None)
    refused(world.server.call("DELETE", f"/proxies/{name}"), 404, "proxy not found")
    refused(world.server.call("GET", f"/proxies/{name}"), 404, "proxy not found")


def test_a_toxic_is_added_with_200_shown_listed_and_deleted(name: str, server: Server) -> None:
    place = f"/proxies/{name}/toxics"
    added = server.call("POST", place, {"type": "latency", "attributes": {"latency": 5}})
    assert (added.status, added.content_type) == (200, JSON)
    assert added.text == (
        '{"attributes":{"latency":5,"jitter":0},"name":"latency_downstream",'
        '"type":"latency","stream":"downstream","toxicity":1}'
    )
    assert server.call("GET", f"{place}/latency_downstream").text == added.text
    assert server.call("GET", place).text == f"[{added.text}]"
    assert server.call("GET", f"/proxies/{name}").json()["toxics"] == [added.json()]
    gone = server.call("DELETE", f"{place}/latency_downstream")
    assert (gone.status, gone.text) == (204, "")
    refused(server.call("DELETE", f"{place}/latency_downstream"), 404, "toxic not found")
    refused(server.call("GET", f"{place}/latency_downstream"), 404, "toxic not found")
    refused(server.call("PATCH", f"{place}/latency_downstream", {}), 404, "toxic not found")
    refused(server.call("GET", "/proxies/nobody/toxics"), 404, "proxy not found")
    refused(server.call("POST", "/proxies/nobody/toxics", {}), 404, "proxy not found")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("", "EOF"),
        ("{", "unexpected EOF"),
        ('{"name":"a', "unexpected EOF"),
        ("x", "invalid character 'x' looking for beginning of value"),
        ("{name:1}", "invalid character 'n' looking for beginning of object key string"),
        ('{"name":"a" x}', "invalid character 'x' after object key:value pair"),
        ('{"name":tru}', "invalid character '}' in literal true (expecting 'e')"),
        ("[]", "json: cannot unmarshal array into Go value of type toxiproxy.Proxy"),
        (
            '{"name":1}',
            "json: cannot unmarshal number into Go struct field Proxy.name of type string",
        ),
        (
            '{"name":"a","enabled":"x"}',
            "json: cannot unmarshal string into Go struct field Proxy.enabled of type bool",
        ),
    ],
)
def test_a_proxy_body_that_cannot_be_read_is_400_with_gos_words(
    server: Server, body: str, detail: str
) -> None:
    refused(server.call("POST", "/proxies", body), 400, f"bad request body: {detail}")


def test_a_proxy_needs_a_name_and_an_upstream(server: Server) -> None:
    refused(server.call("POST", "/proxies", "null"), 400, "missing required field: name")
    refused(server.call("POST", "/proxies", {"upstream": "x"}), 400, "missing required field: name")
    refused(server.call("POST", "/proxies", {"name": "x"}), 400, "missing required field: upstream")


def test_a_name_is_taken_once(name: str, server: Server) -> None:
    again = {"name": name, "upstream": DEAD, "listen": "127.0.0.1:0"}
    refused(server.call("POST", "/proxies", again), 409, "proxy already exists")


def test_an_address_that_cannot_be_had_is_500_with_the_systems_text(
    world: World, taken_port: int
) -> None:
    def create(listen: str) -> Reply:
        wanted = {"name": world.name(), "upstream": DEAD, "listen": listen}
        return world.server.call("POST", "/proxies", wanted)

    in_use = f"listen tcp 127.0.0.1:{taken_port}: bind: address already in use"
    refused(create(f"127.0.0.1:{taken_port}"), 500, in_use)
    refused(create("nohost"), 500, "listen tcp: address nohost: missing port in address")
    refused(create("127.0.0.1:99999"), 500, "listen tcp: address 99999: invalid port")
    refused(create("127.0.0.1:abc"), 500, "listen tcp: lookup tcp/abc: unknown port")
    elsewhere = "listen tcp 192.0.2.1:0: bind: cannot assign requested address"
    refused(create("192.0.2.1:0"), 500, elsewhere)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "bad request body: EOF"),
        ({}, "invalid toxic type"),
        ({"type": "nope"}, "invalid toxic type"),
        (
            {"type": "nope", "stream": "sideways"},
            "stream was invalid, can be either upstream or downstream",
        ),
        (
            {"type": 1, "stream": "sideways"},
            (
                "bad request body: json: cannot unmarshal number into Go struct field "
                "ToxicWrapper.type of type string"
            ),
        ),
        (
            '{"type":"latency","attributes":{"latency":1.5}}',
            (
                "bad request body: json: cannot unmarshal number 1.5 into Go struct field "
                "LatencyToxic.attributes.latency of type int64"
            ),
        ),
        (
            {"type": "latency", "attributes": "x"},
            (
                "bad request body: json: cannot unmarshal string into Go struct field "
                "ToxicWrapper.attributes of type toxics.NoopToxic"
            ),
        ),
        (
            {"type": "latency", "toxicity": "x"},
            (
                "bad request body: json: cannot unmarshal string into Go struct field "
                "ToxicWrapper.toxicity of type float32"
            ),
        ),
    ],
)
def test_a_toxic_body_is_checked_json_first_then_stream_then_type_then_attributes(
    name: str, server: Server, body: object, message: str
) -> None:
    refused(server.call("POST", f"/proxies/{name}/toxics", body), 400, message)


def test_toxic_names_are_unique_over_both_streams_and_checked_before_attributes(
    name: str, server: Server
) -> None:
    place = f"/proxies/{name}/toxics"
    up = {"name": "a", "type": "latency", "stream": "upstream"}
    down = {"name": "a", "type": "timeout", "stream": "downstream", "attributes": {"timeout": "x"}}
    assert server.call("POST", place, up).status == 200
    refused(server.call("POST", place, down), 409, "toxic already exists")


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("latency", {"latency": 0, "jitter": 0}),
        ("bandwidth", {"rate": 0}),
        ("slow_close", {"delay": 0}),
        ("timeout", {"timeout": 0}),
        ("reset_peer", {"timeout": 0}),
        ("limit_data", {"bytes": 0}),
        ("noop", {}),
    ],
)
def test_attributes_default_to_zero(
    name: str, server: Server, kind: str, attributes: dict[str, int]
) -> None:
    reply = server.call("POST", f"/proxies/{name}/toxics", {"type": kind, "stream": "upstream"})
    assert reply.json() == {
        "attributes": attributes,
        "name": f"{kind}_upstream",
        "type": kind,
        "stream": "upstream",
        "toxicity": 1,
    }


def test_toxics_are_listed_upstream_first_and_streams_keep_their_case(
    name: str, server: Server
) -> None:
    place = f"/proxies/{name}/toxics"
    for stream in ("downstream", "UpStream"):
        server.call("POST", place, {"type": "noop", "stream": stream, "toxicity": 0.1})
    shown = [(each["name"], each["toxicity"]) for each in server.call("GET", place).json()]
    assert shown == [("noop_UpStream", 0.1), ("noop_downstream", 0.1)]


@pytest.mark.parametrize("verb", ["PATCH", "POST"])
def test_a_toxics_patch_merges_attributes_and_ignores_the_rest(
    name: str, server: Server, verb: str
) -> None:
    place = f"/proxies/{name}/toxics"
    given = {"name": "a", "type": "latency", "attributes": {"latency": 7, "nonsense": 1}}
    server.call("POST", place, given)
    change = {"name": "b", "type": "x", "stream": "upstream", "ATTRIBUTES": {"Jitter": 3}}
    changed = server.call(verb, f"{place}/a", change)
    assert (changed.status, changed.json()) == (
        200,
        {
            "attributes": {"latency": 7, "jitter": 3},
            "name": "a",
            "type": "latency",
            "stream": "downstream",
            "toxicity": 1,
        },
    )
    assert server.call(verb, f"{place}/a", {"toxicity": 0.5}).json()["toxicity"] == 0.5
    refused(server.call(verb, f"{place}/a", ""), 400, "bad request body: EOF")


def test_bodies_keys_match_in_any_case_and_what_follows_is_ignored(world: World) -> None:
    name = world.name()
    body = f'{{"NAME":"{name}","Upstream":"{DEAD}","listen":"127.0.0.1:0","more":[]}} and more'
    reply = world.server.call("POST", "/proxies", body)
    assert (reply.status, reply.json()["name"]) == (201, name)


def test_unknown_paths_and_trailing_slashes_are_not_found(server: Server) -> None:
    for path in ("/", "/nope", "/proxies/", "/version/", "/metrics", "/proxies/a/b"):
        reply = server.call("GET", path)
        assert (reply.status, reply.text, reply.content_type) == (404, "404 page not found\n", TEXT)
        assert "x-toxiproxy-request-id" not in reply.headers


def test_the_wrong_verb_is_405_and_empty(server: Server) -> None:
    for verb, path in (
        ("HEAD", "/version"),
        ("PUT", "/proxies"),
        ("GET", "/reset"),
        ("GET", "/populate"),
        ("OPTIONS", "/version"),
        ("PUT", "/proxies/a"),
        ("DELETE", "/proxies/a/toxics"),
    ):
        reply = server.call(verb, path)
        assert (verb, path, reply.status, reply.text) == (verb, path, 405, "")


def test_browsers_are_sent_away(server: Server) -> None:
    reply = server.call("GET", "/version", headers={"User-Agent": "Mozilla/5.0"})
    assert (reply.status, reply.text) == (403, "User agent not allowed\n")


def test_routed_answers_carry_a_request_id(server: Server) -> None:
    ids = {
        server.call(verb, path).headers["x-toxiproxy-request-id"]
        for verb, path in (("GET", "/version"), ("GET", "/proxies/x"), ("POST", "/proxies"))
    }
    assert len(ids) == 3


def test_chunked_bodies_and_kept_connections_are_understood(world: World) -> None:
    name = world.name()
    body = json.dumps({"name": name, "listen": "127.0.0.1:0", "upstream": DEAD}).encode()
    request = (
        b"POST /proxies HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:9], body[9:]))
        + b"0\r\n\r\n"
        + b"GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    got = b""
    with socket.create_connection(("127.0.0.1", world.server.port), timeout=5) as raw:
        raw.sendall(request)
        while data := raw.recv(65536):
            got += data
    assert [got.count(b"HTTP/1.1 201 Created"), got.count(b"HTTP/1.1 200 OK")] == [1, 1]


@pytest.mark.parametrize("engine", ["embedded"], indirect=True, scope="session")
def test_the_embedded_server_refuses_what_crashes_the_real_one(name: str, server: Server) -> None:
    place = f"/proxies/{name}/toxics"
    for body in (
        {"type": "bandwidth", "attributes": {"rate": -1}},
        {"type": "slicer"},
        {"type": "slicer", "attributes": {"average_size": 5, "size_variation": 5}},
        {"type": "slicer", "attributes": {"average_size": 5, "size_variation": -1}},
        {"type": "noop", "name": "a/b"},
    ):
        reply = server.call("POST", place, body)
        assert (reply.status, reply.text.startswith('{"error":"bad request body: ')) == (400, True)
    assert server.call("GET", place).json() == []


@pytest.mark.parametrize("engine", ["embedded"], indirect=True, scope="session")
def test_the_embedded_servers_patch_of_a_toxic_is_all_or_nothing(name: str, server: Server) -> None:
    place = f"/proxies/{name}/toxics"
    server.call("POST", place, {"type": "latency", "name": "a", "attributes": {"latency": 5}})
    half = '{"attributes":{"latency":7,"jitter":1.5}}'
    assert server.call("PATCH", f"{place}/a", half).status == 400
    assert server.call("GET", f"{place}/a").json()["attributes"] == {"latency": 5, "jitter": 0}
