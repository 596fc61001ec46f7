"""A real headless Chromium, driven over its DevTools protocol; nothing of the network is needed.

Takes a page's file; answers what scripts see in it, and takes pictures. The browser is found on
PATH; a test that needs it is skipped, by name, only where none is installed.
"""

import asyncio
import base64
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LIMIT_S = 60


def found() -> str | None:
    """Return the browser's path, or None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """One open page."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._calls = 0
        self._loaded = False
        self.requested: list[str] = []
        self.complaints: list[str] = []

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send one command and return its result; what the page does meanwhile is noted."""
        self._calls += 1
        wanted = self._calls
        await self._socket.send_json({"id": wanted, "method": method, "params": params})
        async with asyncio.timeout(LIMIT_S):
            while True:
                told = await self._socket.receive_json()
                self._note(told)
                if told.get("id") == wanted:
                    assert "error" not in told, told
                    result: dict[str, Any] = told["result"]
                    return result

    async def show(self, address: str) -> None:
        """Open an address and wait until it is loaded."""
        for domain in ("Page", "Network", "Log", "Runtime"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=address)
        async with asyncio.timeout(LIMIT_S):
            while not self._loaded:
                self._note(await self._socket.receive_json())

    async def evaluate(self, script: str) -> Any:
        """Return what an expression is worth in the page."""
        told = await self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    async def resize(self, width: int, height: int = 900) -> None:
        """Give the page another size."""
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    async def prefer(self, scheme: str, *, media: str = "") -> None:
        """Let the reader prefer `light` or `dark`, on the screen or on `print`."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await self.call("Emulation.setEmulatedMedia", media=media, features=features)

    async def press(self, key: str) -> None:
        """Press and release one key."""
        codes = {"Tab": 9, "Enter": 13}
        about: dict[str, Any] = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
        if key == "Enter":
            about["text"] = "\r"
        await self.call("Input.dispatchKeyEvent", type="keyDown", **about)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    async def picture(self, *, whole: bool = True) -> bytes:
        """Return a screenshot as PNG, of the whole page or of what the window shows."""
        told = await self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        return base64.b64decode(told["data"])

    async def paper(self) -> bytes:
        """Return the page as it prints, as PDF."""
        told = await self.call("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)
        return base64.b64decode(told["data"])

    def _note(self, told: dict[str, Any]) -> None:
        if told.get("method") == "Network.requestWillBeSent":
            self.requested.append(told["params"]["request"]["url"])
        elif told.get("method") == "Page.loadEventFired":
            self._loaded = True
        elif told.get("method") == "Log.entryAdded":
            self.complaints.append(told["params"]["entry"]["text"])


@asynccontextmanager
async def browsing(profile: Path) -> AsyncIterator[Page]:
    """Start a browser with a profile of its own, and stop it afterwards."""
    program = found()
    assert program is not None
    log = profile.with_suffix(".log")
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            program,
            *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *("--disable-background-networking", "--no-first-run", "--remote-debugging-port=0"),
            f"--user-data-dir={profile}",
            "about:blank",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,  # a file: the browser's children would keep a pipe open after it
            stderr=output,
            start_new_session=True,
        )
    try:
        async with aiohttp.ClientSession() as session:
            address = await _address(session, process, profile, log)
            async with session.ws_connect(address, max_msg_size=64 * 1024 * 1024) as socket:
                yield Page(socket)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _address(
    session: aiohttp.ClientSession,
    process: asyncio.subprocess.Process,
    profile: Path,
    log: Path,
) -> str:
    """Return where the first page is driven; the browser writes its port into its profile."""
    chosen, pause = profile / "DevToolsActivePort", asyncio.Event()
    with suppress(TimeoutError):
        async with asyncio.timeout(LIMIT_S):
            while process.returncode is None:
                if port := _first_line(chosen):
                    async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                        for target in json.loads(await answer.text()):
                            if target["type"] == "page":
                                return str(target["webSocketDebuggerUrl"])
                with suppress(TimeoutError):
                    await asyncio.wait_for(pause.wait(), timeout=0.02)
    raise AssertionError(f"the browser showed no page; it said {_text(log)}")


def _first_line(path: Path) -> str:
    """Return a whole first line, or nothing while there is none."""
    line, ended, _ = _text(path).partition("\n")
    return line if ended else ""


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
