"""Chooses the proxy server, starts it or attaches to it, and creates the links on it.

Takes an engine's name and links; gives a running server and where each link listens. A server
started here is proved to be ours, logs to a file, and dies with this process even by SIGKILL.
Real toxiproxy-server and `python -m checkout_sim.proxy` are started and spoken to alike.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from checkout_sim.model.errors import FaultNotApplied, StackDidNotStart
from checkout_sim.stack.ports import holder
from checkout_sim.stack.proxy_api import ProxyApi, ProxyApiError
from checkout_sim.stack.proxy_install import NEXT_ACTION, PINNED_VERSION, PROGRAM, find_toxiproxy
from checkout_sim.stack.proxy_launch import Program, launch

Engine = Literal["auto", "toxiproxy", "embedded"]

STOP_LIMIT_S = 2.0
ATTACHED_POLL_S = 1.0
CONFLICT = 409
_LAST_LINES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyServer:
    """Which proxy server is in use: the run header and the report name it."""

    kind: Literal["toxiproxy", "embedded"]
    version: str
    url: str
    attached: bool
    note: str  # why this one


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxiedLink:
    """A link to create: `upstream` is where the callee listens, port 0 in `listen` a free one."""

    name: str
    upstream: str
    listen: str = "127.0.0.1:0"


@dataclass(slots=True, kw_only=True)
class RunningProxyServer:
    """A proxy server in use, with the links that were created on it."""

    server: ProxyServer
    pid: int | None  # None: attached
    listening: dict[str, tuple[str, int]] = field(default_factory=dict)
    _api: ProxyApi
    _process: asyncio.subprocess.Process | None = None
    _log: Path | None = None
    _made: list[str] = field(default_factory=list)

    async def add_links(self, links: Sequence[ProxiedLink]) -> None:
        """Create links; raises StackDidNotStart naming the one that cannot be had."""
        for link in links:
            shown = await self._existing(link) if self.server.attached else None
            if shown is None:
                try:
                    shown = await self._api.create(link.name, link.listen, link.upstream)
                except ProxyApiError as error:
                    raise self._refused(link, error) from error
                self._made.append(link.name)
            host, _, port = str(shown["listen"]).rpartition(":")
            self.listening[link.name] = (host.strip("[]"), int(port))

    def _refused(self, link: ProxiedLink, error: ProxyApiError) -> StackDidNotStart:
        at = f"link {link.name}: proxy server at {self.server.url}"
        if error.status == CONFLICT:
            return StackDidNotStart(
                f"{at} has one of that name already: somebody else is using it. Wait until they "
                "have ended, delete it there, or use another server"
            )
        port = link.listen.rpartition(":")[2]
        held = holder(int(port)) if port.isdigit() and port != "0" else ""
        held = f", which is held{held}" if held else ""
        return StackDidNotStart(
            f"{at} cannot listen on {link.listen}{held}: {error}. Free that address"
        )

    async def _existing(self, link: ProxiedLink) -> dict[str, object] | None:
        """Give a link that is on the attached server already, if it can be used as it is."""
        shown = await self._api.find(link.name)
        if shown is None:
            return None
        wrong = [
            *([f"leads to {shown['upstream']}"] if shown["upstream"] != link.upstream else []),
            *(["is disabled"] if not shown["enabled"] else []),
            *(["carries toxics"] if shown["toxics"] else []),
        ]
        if wrong:
            raise StackDidNotStart(
                f"link {link.name}: proxy server at {self.server.url} has one of that name that "
                f"{' and '.join(wrong)}; expected upstream {link.upstream}, enabled, no toxics. "
                "Someone else may be using it: delete it there, or use another server"
            )
        return shown

    async def stop(self) -> None:
        """End a server started here; on an attached one delete only what was made here.

        Raises FaultNotApplied naming the links that an attached one does not let go of.
        """
        process = self._process
        if process is None:
            await self._delete_made()
            return
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(STOP_LIMIT_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
        await process.wait()

    async def _delete_made(self) -> None:
        left: list[str] = []
        why: ProxyApiError | None = None
        while self._made:
            name = self._made.pop()
            try:
                await self._api.delete(name)
            except ProxyApiError as error:
                left.append(name)
                why = error
        if left:
            raise FaultNotApplied(
                f"proxy server at {self.server.url}: {', '.join(left)} could not be deleted: "
                f"{why}. Delete them there, or restart it"
            ) from why

    async def wait_died(self) -> int | None:
        """Return the exit status when the server is gone; None of an attached one.

        An attached one is asked once a second.
        """
        if self._process is not None:
            return await self._process.wait()
        gone = asyncio.Event()
        while not gone.is_set():
            await asyncio.sleep(ATTACHED_POLL_S)
            if not await self._api.answers():
                gone.set()
        return None

    def last_lines(self) -> tuple[str, ...]:
        """Return the end of what a server started here has said."""
        if self._log is None:
            return ()
        with suppress(OSError):
            said = self._log.read_text(encoding="utf-8", errors="replace")
            return tuple(said.splitlines()[-_LAST_LINES:])
        return ()


async def start_proxy_server(
    *,
    engine: Engine,
    folder: Path,
    api_port: int | None = None,
    links: Sequence[ProxiedLink] = (),
    toxiproxy_url: str | None = None,
) -> RunningProxyServer:
    """Start or attach to a proxy server and create the links on it.

    auto: `toxiproxy_url` or TOXIPROXY_URL, else PATH, else the verified cache, else embedded;
    toxiproxy: the same without embedded. Call it on the main thread: a child asked to die with
    its parent dies with the thread that started it. Raises StackDidNotStart.
    """
    url = toxiproxy_url or os.environ.get("TOXIPROXY_URL")
    if url and engine != "embedded":
        running = await _attach(url)
    else:
        program = _choose(engine)
        launched = await launch(program, folder=folder, api_port=api_port)
        running = RunningProxyServer(
            server=ProxyServer(
                kind=program.kind,
                version=launched.version,
                url=launched.api.url,
                attached=False,
                note=program.note,
            ),
            pid=launched.process.pid,
            _api=launched.api,
            _process=launched.process,
            _log=launched.log,
        )
    try:
        await running.add_links(links)
    except BaseException:
        await running.stop()
        raise
    return running


def _choose(engine: Engine) -> Program:
    if engine == "embedded":
        return _embedded(f"proxy server: embedded (Toxiproxy API {PINNED_VERSION}), as asked for")
    found = find_toxiproxy()
    if found.program is not None:
        where = "on PATH" if found.on_path else "cached"
        note = f"proxy server: real {PROGRAM}, {where}: {found.program}"
        return Program(kind="toxiproxy", command=(str(found.program),), note=note)
    if engine == "toxiproxy":
        raise StackDidNotStart(
            f"no real {PROGRAM}: {found.explained()}. To go on: {NEXT_ACTION}, "
            "or use --engine embedded"
        )
    return _embedded(
        f"proxy server: embedded (Toxiproxy API {PINNED_VERSION})\n"
        f"  real {PROGRAM}: {found.explained()}\n"
        f"  to use it: {NEXT_ACTION}"
    )


def _embedded(note: str) -> Program:
    command = (sys.executable, "-m", "checkout_sim.proxy")
    return Program(kind="embedded", command=command, note=note)


async def _attach(url: str) -> RunningProxyServer:
    try:
        api = ProxyApi(url)
        version, embedded = await api.version()
    except ProxyApiError as error:
        raise StackDidNotStart(
            f"no Toxiproxy answers at {url}: {error}. Start it there, or go without "
            "--toxiproxy-url and TOXIPROXY_URL"
        ) from error
    server = ProxyServer(
        kind="embedded" if embedded else "toxiproxy",
        version=version,
        url=api.url,
        attached=True,
        note=f"attached to {api.url}",
    )
    return RunningProxyServer(server=server, pid=None, _api=api)
