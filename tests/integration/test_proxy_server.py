"""Choosing, starting, proving, attaching to and ending a proxy server; installing the real one."""

import asyncio
import hashlib
import json
import os
import shutil
import socket
import stat
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic

import psutil
import pytest

from checkout_sim.model.errors import StackDidNotStart
from checkout_sim.stack import proxy_install
from checkout_sim.stack.proxy_install import (
    cache_folder,
    find_toxiproxy,
    install_toxiproxy,
    sha256_of,
)
from checkout_sim.stack.proxy_launch import Program, free_port, launch
from checkout_sim.stack.proxy_server import ProxiedLink, RunningProxyServer, start_proxy_server

ROOT = Path(__file__).parents[2]
UPSTREAM = "127.0.0.1:1"
REAL = os.environ.get("TOXIPROXY_SERVER") or find_toxiproxy().program


@pytest.fixture(autouse=True)
def no_real_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing on PATH, an empty cache, nothing to attach to: the stories bring what they need."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("CHECKOUT_SIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TOXIPROXY_URL", raising=False)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[RunningProxyServer]:
    """An embedded server with one link."""
    links = [ProxiedLink(name="a", upstream=UPSTREAM)]
    made = await start_proxy_server(engine="embedded", folder=tmp_path / "run", links=links)
    yield made
    await made.stop()


def put_real(folder: Path) -> Path:
    """Put the real program into a folder, by link."""
    if not REAL:
        pytest.skip("no real toxiproxy-server by TOXIPROXY_SERVER, PATH or cache")
    folder.mkdir(parents=True)
    path = folder / "toxiproxy-server"
    path.symlink_to(REAL)
    return path


def program(folder: Path, text: str) -> Path:
    """Write a program."""
    path = folder / "program"
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


async def eventually(check: Callable[[], bool]) -> None:
    until = monotonic() + 10
    while not check():
        assert monotonic() < until
        await asyncio.sleep(0.01)


async def test_without_a_real_server_auto_takes_the_embedded_one_and_says_why(
    tmp_path: Path,
) -> None:
    running = await start_proxy_server(engine="auto", folder=tmp_path / "run")
    try:
        assert (running.server.kind, running.server.version) == ("embedded", "2.12.0")
        first, second, third = running.server.note.splitlines()
        assert first == "proxy server: embedded (Toxiproxy API 2.12.0)"
        assert second.startswith("  real toxiproxy-server: not on PATH; no cached copy; go: ")
        assert third.endswith("or run: checkout-sim toxiproxy install")
    finally:
        await running.stop()


async def test_the_real_server_on_path_is_preferred(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put_real(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(path.parent))
    links = [ProxiedLink(name="a", upstream=UPSTREAM)]
    running = await start_proxy_server(engine="auto", folder=tmp_path / "run", links=links)
    try:
        assert running.server.kind == "toxiproxy"
        assert f"on PATH: {path}" in running.server.note
        assert running.listening["a"][1] > 0
    finally:
        await running.stop()


async def test_asking_for_the_real_server_in_vain_is_an_error_that_says_what_to_do(
    tmp_path: Path,
) -> None:
    with pytest.raises(StackDidNotStart, match=r"not on PATH; no cached copy.*toxiproxy install"):
        await start_proxy_server(engine="toxiproxy", folder=tmp_path)


async def test_links_listen_where_they_say_and_the_probe_is_gone(
    running: RunningProxyServer,
) -> None:
    host, port = running.listening["a"]
    socket.create_connection((host, port)).close()
    other = await start_proxy_server(
        engine="auto", folder=Path(os.devnull).parent, toxiproxy_url=running.server.url
    )
    assert other.server.attached
    assert [name for name in await listed(running) if name.startswith("probe-")] == []


async def listed(running: RunningProxyServer) -> list[str]:
    """Give the names of all proxies on a server."""

    def get() -> list[str]:
        host, _, port = running.server.url.removeprefix("http://").rpartition(":")
        with socket.create_connection((host, int(port)), timeout=5) as raw:
            raw.sendall(b"GET /proxies HTTP/1.0\r\nHost: x\r\n\r\n")
            got = b"".join(iter(lambda: raw.recv(65536), b""))
        return list(json.loads(got.partition(b"\r\n\r\n")[2]))

    return await asyncio.to_thread(get)


async def test_a_link_whose_port_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        links = [ProxiedLink(name="a", upstream=UPSTREAM, listen=listen)]
        with pytest.raises(StackDidNotStart, match=f"link a: .*{listen}: .*already in use"):
            await start_proxy_server(engine="embedded", folder=tmp_path, links=links)


async def test_a_taken_api_port_that_was_asked_for_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            StackDidNotStart, match=f"127.0.0.1:{port}: .* is taken by pid {os.getpid()}"
        ):
            await start_proxy_server(engine="embedded", folder=tmp_path, api_port=port)


async def test_a_stranger_on_the_port_is_not_taken_for_our_child(
    tmp_path: Path, running: RunningProxyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child lives without an API, as Go's does on a taken port; a Toxiproxy answers there."""
    stranger = int(running.server.url.rpartition(":")[2])
    ports = iter([stranger, free_port()])
    monkeypatch.setattr("checkout_sim.stack.proxy_launch.free_port", lambda: next(ports))
    monkeypatch.setattr("checkout_sim.stack.proxy_launch.READY_LIMIT_S", 1.0)
    start = f'exec {sys.executable} -m checkout_sim.proxy "$@"'
    fake = program(
        tmp_path,
        f'#!/bin/sh\ncd {ROOT}\nif [ "$4" = {stranger} ]; then exec sleep 60; fi\n{start}\n',
    )
    chosen = Program(kind="toxiproxy", command=(str(fake),), note="")
    launched = await launch(chosen, folder=tmp_path / "run", api_port=None)
    try:
        assert launched.api.url != running.server.url
    finally:
        launched.process.kill()
        await launched.process.wait()


async def test_a_child_that_dies_is_reported_with_what_it_said(tmp_path: Path) -> None:
    fake = program(tmp_path, "#!/bin/sh\necho out of order\nexit 3\n")
    chosen = Program(kind="toxiproxy", command=(str(fake),), note="")
    with pytest.raises(StackDidNotStart, match="it said: out of order"):
        await launch(chosen, folder=tmp_path / "run", api_port=None)


async def test_death_is_noticed(running: RunningProxyServer) -> None:
    dying = asyncio.create_task(running.wait_died())
    assert running.pid is not None
    psutil.Process(running.pid).kill()
    async with asyncio.timeout(5):
        await dying


@pytest.mark.parametrize("engine", ["embedded", "toxiproxy"])
async def test_the_server_dies_with_the_tool_even_when_that_is_killed(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine == "toxiproxy":
        monkeypatch.setenv("PATH", str(put_real(tmp_path / "bin").parent))
    code = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from checkout_sim.stack.proxy_server import start_proxy_server\n"
        "async def main():\n"
        f"    r = await start_proxy_server(engine={engine!r}, folder=Path({str(tmp_path)!r}))\n"
        "    print(r.pid, flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    tool = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert tool.stdout is not None
    async with asyncio.timeout(10):
        child = psutil.Process(int(await tool.stdout.readline()))
    assert child.is_running()
    tool.kill()
    await tool.wait()
    await eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


async def test_an_attached_server_keeps_what_was_not_made_here(
    tmp_path: Path, running: RunningProxyServer
) -> None:
    links = [ProxiedLink(name=name, upstream=UPSTREAM) for name in ("a", "b")]
    attached = await start_proxy_server(
        engine="auto", folder=tmp_path, toxiproxy_url=running.server.url, links=links
    )
    assert (attached.pid, attached.server.attached) == (None, True)
    assert attached.listening["a"] == running.listening["a"]
    assert sorted(await listed(running)) == ["a", "b"]
    await attached.stop()
    assert await listed(running) == ["a"]


async def test_attaching_refuses_a_link_of_our_name_that_leads_elsewhere(
    tmp_path: Path, running: RunningProxyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOXIPROXY_URL", running.server.url)
    links = [ProxiedLink(name=name, upstream="127.0.0.1:2") for name in ("b", "a")]
    with pytest.raises(StackDidNotStart, match=r"link a: .*leads to 127.0.0.1:1; expected"):
        await start_proxy_server(engine="auto", folder=tmp_path, links=links)
    assert await listed(running) == ["a"]


async def test_attaching_to_nothing_is_an_error(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(StackDidNotStart, match=f"no Toxiproxy answers at {url}"):
        await start_proxy_server(engine="auto", folder=tmp_path, toxiproxy_url=url)


class Release(BaseHTTPRequestHandler):
    """A release page: a program and its list of sums, from the class's `files`."""

    files: dict[str, bytes]

    def do_GET(self) -> None:
        content = self.files.get(self.path.strip("/"))
        self.send_response(200 if content is not None else 404)
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Release]]:
    """A release on loopback instead of the public one, and no Go."""
    page = type("Page", (Release,), {"files": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), page)  # one mute caller may not hold it up
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    monkeypatch.setattr(proxy_install, "RELEASE", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(proxy_install, "GO_HOME", Path("/nonexistent/go"))
    yield page
    server.shutdown()
    serving.join()
    server.server_close()


def publish(release: type[Release], content: bytes, *, listed_as: bytes | None = None) -> None:
    asset = proxy_install.asset_name()
    checksum = hashlib.sha256(content if listed_as is None else listed_as).hexdigest()
    release.files = {asset: content, "checksums.txt": f"{checksum}  {asset}\n".encode()}


async def test_a_release_is_downloaded_checked_kept_and_found_again(
    release: type[Release],
) -> None:
    publish(release, b"#!/bin/sh\n")
    said: list[str] = []
    installed = await install_toxiproxy(progress=said.append)
    assert (installed.how, installed.path.read_bytes()) == ("downloaded", b"#!/bin/sh\n")
    assert installed.sha256 == sha256_of(installed.path)
    assert os.access(installed.path, os.X_OK)
    assert find_toxiproxy().program == installed.path
    release.files = {}
    again = await install_toxiproxy(progress=said.append)
    assert (again.how, again.path) == ("cached", installed.path)
    assert "nothing to do" in said[-1]


async def test_two_installs_at_once_leave_one_good_copy(release: type[Release]) -> None:
    publish(release, b"#!/bin/sh\n")
    both = await asyncio.gather(*(install_toxiproxy(progress=lambda _: None) for _ in range(2)))
    assert {each.path for each in both} == {find_toxiproxy().program}
    kept = sorted(path.name for path in (cache_folder() / "toxiproxy").iterdir())
    assert kept == sorted([both[0].sha256, "2.12.0.json"])


async def test_a_download_with_another_sum_is_refused(release: type[Release]) -> None:
    publish(release, b"tampered", listed_as=b"genuine")
    with pytest.raises(StackDidNotStart, match=r"has sha256 .*the release lists .*go: not found"):
        await install_toxiproxy(progress=lambda _: None)
    assert find_toxiproxy().program is None


async def test_a_cached_copy_that_changed_is_not_started(release: type[Release]) -> None:
    publish(release, b"#!/bin/sh\n")
    installed = await install_toxiproxy(progress=lambda _: None)
    installed.path.write_bytes(b"#!/bin/sh\nexit 1\n")
    found = find_toxiproxy()
    assert found.program is None
    assert "recorded was" in found.cache_problem
    assert (await install_toxiproxy(progress=lambda _: None)).how == "downloaded"


async def test_without_a_release_go_builds_it(
    release: type[Release], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A stand-in for go, that shows what it was asked for."""
    release.files = {}
    go = program(tmp_path, '#!/bin/sh\necho "$@" > "$GOBIN/server"\n').rename(tmp_path / "go")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert shutil.which("go") == str(go)
    installed = await install_toxiproxy(progress=lambda _: None)
    assert installed.how == "built"
    asked = installed.path.read_text()
    assert asked.startswith("install ")
    assert asked.strip().endswith(" github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0")


async def test_a_build_that_fails_says_so(
    release: type[Release], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    release.files = {}
    program(tmp_path, "#!/bin/sh\necho no network >&2\nexit 1\n").rename(tmp_path / "go")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(StackDidNotStart, match=r"404.*go install failed: no network"):
        await install_toxiproxy(progress=lambda _: None)
