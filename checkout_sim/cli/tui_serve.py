"""`checkout-sim tui --serve`: the dashboard in browsers on this machine, behind a guard.

Takes what the engine is to run; serves one page, which starts a `tui` of its own on that engine for
everybody who opens it. textual-serve 1.1.3 accepts any Host and any Origin, so any page in the
operator's browser could press keys here (DNS rebinding, cross-site websockets: OWASP, "Cross-Site
WebSocket Hijacking"). Hence its private `_make_app` is overridden: our Host and Origin or 403, and
a random token in the path. The page is ours, too: the stock one loads a third party's font.
"""

import asyncio
import os
import secrets
import shlex
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from aiohttp import web
from textual_serve.server import Server

from checkout_sim.cli.engine_process import started_engine
from checkout_sim.cli.exits import Exit
from checkout_sim.cli.streams import complain, tell
from checkout_sim.model.errors import StackDidNotStart
from checkout_sim.stack.launch import search_path

_HOST = "127.0.0.1"
_PAGE = Path(__file__).with_name("tui_page")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class GuardedServer(Server):
    """textual-serve for one host, one origin and whoever knows the token."""

    def __init__(self, command: str, *, port: int, token: str) -> None:
        super().__init__(
            command,
            host=_HOST,
            port=port,
            title="checkout-sim",
            public_url=f"http://{_HOST}:{port}",
            templates_path=_PAGE,
        )
        self._token = token

    @property
    def address(self) -> str:
        """Return where the page is."""
        return f"{self.public_url}/{self._token}/"

    async def make_app(self) -> web.Application:
        """Return what answers requests, guard and token included."""
        return await self._make_app()

    async def _make_app(self) -> web.Application:
        inner = await super()._make_app()
        outer = web.Application(middlewares=[self._guard])
        outer.add_subapp(f"/{self._token}", inner)
        return outer

    async def on_startup(self, app: web.Application) -> None:
        """Say nothing: the stock server draws its logo on the terminal."""

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let through what was asked for here, by a page from here."""
        own_host = f"{_HOST}:{self.port}"
        origin = request.headers.get("Origin")
        is_websocket = request.headers.get("Upgrade", "").lower() == "websocket"
        if request.headers.get("Host") != own_host:
            raise web.HTTPForbidden(text=f"this page is at http://{own_host} and nowhere else")
        if origin != self.public_url and (is_websocket or origin is not None):
            raise web.HTTPForbidden(text=f"only pages of {self.public_url} may ask here")
        answer = await handler(request)
        if not answer.prepared:
            answer.headers["Content-Security-Policy"] = (
                "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
                f"font-src 'self'; img-src 'self' data:; connect-src ws://{own_host}"
            )
            answer.headers["X-Content-Type-Options"] = "nosniff"
            answer.headers["Referrer-Policy"] = "no-referrer"
        return answer


def serve_pages(
    engine_arguments: Sequence[str], looks: Sequence[str], *, port: int, control: bool
) -> int:
    """Serve until SIGINT, SIGTERM or SIGHUP; then engine and pages are gone. Return the status."""
    os.environ["PYTHONPATH"] = search_path()  # the pages' own processes import what we import
    with listening(port) as listener, started_engine(engine_arguments) as started:
        command = page_command(started.socket(), looks, control=control)
        server = GuardedServer(
            command, port=listener.getsockname()[1], token=secrets.token_urlsafe(16)
        )
        asyncio.run(_serve(server, listener, control=control))
    return Exit.AS_EXPECTED


def page_command(engine: Path, looks: Sequence[str], *, control: bool) -> str:
    """Return the shell's command for one page: textual-serve hands it to a shell."""
    words = [sys.executable, "-P", "-m", "checkout_sim", "tui", "--socket", str(engine), *looks]
    return shlex.join(words if control else [*words, "--read-only"])


def listening(port: int) -> socket.socket:
    """Return a socket that listens on this machine alone; port 0 takes a free one.

    Raises StackDidNotStart where the port cannot be had.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, port))
        listener.listen()  # of two that may share the address, the second is told here
    except OSError as error:
        listener.close()
        raise StackDidNotStart(
            f"port {port} of {_HOST} cannot be had: {error.strerror}; choose another with --port, "
            "or leave it out for a free one"
        ) from error
    return listener


async def _serve(server: GuardedServer, listener: socket.socket, *, control: bool) -> None:
    asked_to_end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, asked_to_end.set)
    runner = web.AppRunner(await server.make_app(), access_log=None)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        tell(server.address)
        may = "look and press keys, once they have clicked into the page" if control else "look"
        complain(f"anybody who knows this address and can reach this machine's loopback may {may};")
        complain("Ctrl-C stops it")
        await asked_to_end.wait()
    finally:
        await runner.cleanup()
