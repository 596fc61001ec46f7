"""When the proxy server goes wrong: silent, gone or shared, the run says so and leaves nothing."""

import asyncio
import http.client
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import httpx
import pytest

from checkout_sim.stack.ports import LOOPBACK
from checkout_sim.stack.proxy_server import start_proxy_server
from tests.e2e.command import (
    checkout_sim,
    ended,
    family,
    histories,
    report_in,
    start,
    wait_for_history,
)


@contextmanager
def silent() -> Iterator[str]:
    """Yield the address of a server that accepts and never answers."""
    with socket.create_server((LOOPBACK, 0)) as listening:
        kept: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    taken, _ = listening.accept()
                except OSError:
                    return
                kept.append(taken)

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        yield f"http://{LOOPBACK}:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        serving.join(timeout=5)
        for one in kept:
            one.close()


def test_a_toxiproxy_that_never_answers_is_told_by_its_address(here: Path) -> None:
    with silent() as url:
        refused = checkout_sim("run", "story.yaml", cwd=here, env={"TOXIPROXY_URL": url})

    assert refused.code == 4
    assert f"no Toxiproxy answers at {url}" in refused.err


class Forwarding(BaseHTTPRequestHandler):
    """Hands every call on to a proxy server; with `mute`, new toxics are never heard of again."""

    upstream = ""
    mute: ClassVar[threading.Event | None] = None

    def forward(self) -> None:
        if self.mute is not None and self.command == "POST" and self.path.endswith("/toxics"):
            self.mute.wait(60)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))) or None
        connection = http.client.HTTPConnection(self.upstream, timeout=10)
        with closing(connection):
            connection.request(self.command, self.path, body=body)
            answer = connection.getresponse()
            content = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_DELETE = forward  # noqa: N815 - the names http.server calls

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its signature
        """Say nothing."""


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[str]:
    """The address of a proxy server that somebody else has started."""
    running = await start_proxy_server(engine="embedded", folder=tmp_path / "shared")
    yield running.server.url
    await running.stop()


async def test_a_toxiproxy_silent_about_toxics_makes_the_run_unknown_and_is_left_clean(
    here: Path, shared: str
) -> None:
    released = threading.Event()
    behind = {"upstream": shared.removeprefix("http://"), "mute": released}
    handler = type("Muted", (Forwarding,), behind)
    with ThreadingHTTPServer((LOOPBACK, 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        env = {"TOXIPROXY_URL": f"http://{LOOPBACK}:{server.server_port}"}
        try:
            cut = await asyncio.to_thread(checkout_sim, "run", "story.yaml", cwd=here, env=env)
        finally:
            released.set()
            server.shutdown()

    told = " ".join(cut.out.split())
    assert cut.code == 3, cut.err
    assert "slow: could not be injected" in told
    assert "POST /proxies/payment_to_gateway/toxics: no answer" in told
    assert await proxies_on(shared) == {}


async def test_runs_on_a_shared_toxiproxy_go_one_after_another(here: Path, shared: str) -> None:
    both = ("--strategy", "naive", "--strategy", "hardened")
    arguments = ("run", "quick.yaml", *both, "--toxiproxy-url", shared)
    held = await asyncio.to_thread(checkout_sim, *arguments, cwd=here)

    assert held.code == 0, held.err
    assert await proxies_on(shared) == {}


async def proxies_on(url: str) -> object:
    async with httpx.AsyncClient(timeout=10) as client:
        return (await client.get(f"{url}/proxies")).json()


def test_a_proxy_server_that_dies_makes_its_run_unknown_and_says_so(here: Path) -> None:
    process = start("run", "story.yaml", "--engine", "embedded", "--json", "r.json", cwd=here)
    wait_for_history(here, "fault.injected", process)
    children = family(process)
    (server,) = [one for one in children if "checkout_sim.proxy" in one.cmdline()]
    server.kill()
    cut = ended(process, children)

    assert cut.code == 3
    assert "the proxy server ended by itself with status -9" in " ".join(cut.out.split())
    assert report_in(here / "r.json")["runs"][0]["verdict"] == "unknown"
    assert histories(here)
