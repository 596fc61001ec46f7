"""The dashboard in a browser: pages of ours may ask, every other page gets 403."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from checkout_sim.cli.tui_serve import GuardedServer, listening, page_command
from checkout_sim.model.errors import StackDidNotStart

FORBIDDEN = 403


@asynccontextmanager
async def a_page() -> AsyncIterator[GuardedServer]:
    """A guarded server whose pages run a harmless command."""
    with listening(0) as listener:
        server = GuardedServer("true", port=listener.getsockname()[1], token="secret")
        runner = web.AppRunner(await server.make_app())
        await runner.setup()
        await web.SockSite(runner, listener).start()
        try:
            yield server
        finally:
            await runner.cleanup()


async def status_of(url: str, **headers: str) -> int:
    async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as answer:
        return answer.status


async def test_the_page_is_served_to_who_knows_its_address_and_loads_nothing_from_elsewhere() -> (
    None
):
    async with (
        a_page() as server,
        aiohttp.ClientSession() as http,
        http.get(server.address) as answer,
    ):
        text = await answer.text()
        policy = answer.headers["Content-Security-Policy"]

    assert answer.status == 200
    assert "https://" not in text
    assert text.count("http://") == text.count(server.public_url), "nothing but our own"
    assert policy.startswith("default-src 'none'")


async def test_what_the_page_needs_is_there() -> None:
    async with a_page() as server:
        assert await status_of(f"{server.address}static/js/textual.js") == 200
        assert await status_of(f"{server.address}static/css/xterm.css") == 200


async def test_without_the_token_there_is_nothing() -> None:
    async with a_page() as server:
        assert await status_of(f"{server.public_url}/") == 404
        assert await status_of(f"{server.public_url}/guess/") == 404
        assert await status_of(f"{server.public_url}/guess/ws") == 404


@pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1", "127.0.0.1:1"])
async def test_a_host_that_is_not_ours_is_forbidden(host: str) -> None:
    async with a_page() as server:
        assert await status_of(server.address, Host=host) == FORBIDDEN


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost"])
async def test_a_page_from_elsewhere_is_forbidden(origin: str) -> None:
    async with a_page() as server:
        assert await status_of(server.address, Origin=origin) == FORBIDDEN


@pytest.mark.parametrize("origin", [None, "http://evil.example"])
async def test_a_websocket_from_elsewhere_is_refused_before_it_is_one(origin: str | None) -> None:
    async with a_page() as server, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"{server.address}ws", origin=origin)

    assert refused.value.status == FORBIDDEN


async def test_a_websocket_of_our_page_is_answered() -> None:
    async with a_page() as server, aiohttp.ClientSession() as http, asyncio.timeout(60):
        socket = await http.ws_connect(f"{server.address}ws", origin=server.public_url)
        await socket.close()


def test_pages_may_look_only_unless_control_was_asked_for() -> None:
    engine = Path("/tmp/a folder/engine.sock")

    looking = page_command(engine, [], control=False)
    assert looking.endswith("--read-only")
    assert "'/tmp/a folder/engine.sock'" in looking, "it goes to a shell"
    assert "--read-only" not in page_command(engine, [], control=True)


def test_the_guard_is_written_for_this_version() -> None:
    # `_make_app` is private: another version may route around the guard.
    assert version("textual-serve") == "1.1.3"


def test_a_port_that_is_taken_is_told_before_anything_is_started() -> None:
    with listening(0) as first:
        port = first.getsockname()[1]

        with pytest.raises(StackDidNotStart, match=rf"port {port} .* choose another with --port"):
            listening(port)
