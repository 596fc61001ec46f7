"""What starting a proxy server needs of Toxiproxy's HTTP API: version, create, find, delete.

Takes a URL; every call opens a connection of its own and has a limit of 2 s. Toxics are not
spoken of here: faults/toxics.py does that.
"""

import asyncio
import http.client
import json
from typing import Any
from urllib.parse import quote, urlsplit

CALL_LIMIT_S = 2.0
CALL_FAILED = 400
NOT_FOUND = 404
DEFAULT_PORT = 8474


class ProxyApiError(Exception):
    """No answer, or one that is no success; `status` 0 means none."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class ProxyApi:
    """One server's API. A URL whose port is none raises ProxyApiError."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        self._host = parts.hostname or "127.0.0.1"
        try:
            self._port = parts.port or DEFAULT_PORT
        except ValueError as error:
            raise ProxyApiError(f"{url} is no address ({error})") from error
        self.url = f"http://{self._host}:{self._port}"

    async def version(self) -> tuple[str, bool]:
        """Give the version reported, and whether this is the embedded server."""
        body, headers = await self._call("GET", "/version")
        try:
            return str(json.loads(body)["version"]), "X-Checkout-Sim-Proxy" in headers
        except (ValueError, KeyError, TypeError) as error:
            raise ProxyApiError(f"{body[:100]!r} is no version") from error

    async def answers(self) -> bool:
        """Whether anything answers."""
        try:
            await self.version()
        except ProxyApiError:
            return False
        return True

    async def find(self, name: str) -> dict[str, Any] | None:
        """Give a proxy as shown, None if there is none of that name."""
        try:
            body, _ = await self._call("GET", f"/proxies/{quote(name, safe='')}")
        except ProxyApiError as error:
            if error.status == NOT_FOUND:
                return None
            raise
        return _proxy(body)

    async def create(self, name: str, listen: str, upstream: str) -> dict[str, Any]:
        """Create a proxy and give it as shown."""
        wanted = {"name": name, "listen": listen, "upstream": upstream}
        body, _ = await self._call("POST", "/proxies", wanted)
        return _proxy(body)

    async def delete(self, name: str) -> None:
        """Delete a proxy; one that is gone, or a server that is, is what we want."""
        try:
            await self._call("DELETE", f"/proxies/{quote(name, safe='')}")
        except ProxyApiError as error:
            gone = isinstance(error.__cause__, ConnectionError)
            if not gone and error.status != NOT_FOUND:
                raise

    async def _call(
        self, method: str, path: str, body: object = None
    ) -> tuple[bytes, http.client.HTTPMessage]:
        return await asyncio.to_thread(self._call_now, method, path, body)

    def _call_now(
        self, method: str, path: str, body: object
    ) -> tuple[bytes, http.client.HTTPMessage]:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=CALL_LIMIT_S)
        try:
            connection.request(
                method,
                path,
                body=None if body is None else json.dumps(body),
                headers={"User-Agent": "checkout-sim"},
            )
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ProxyApiError(f"{method} {self.url}{path}: {error!r}") from error
        finally:
            connection.close()
        if response.status >= CALL_FAILED:
            said = content.decode("utf-8", errors="replace").strip()[:300]
            raise ProxyApiError(
                f"{method} {path}: {response.status} {said}", status=response.status
            )
        return content, response.headers


def _proxy(body: bytes) -> dict[str, Any]:
    try:
        shown: dict[str, Any] = json.loads(body)
        shown["listen"], shown["upstream"], shown["enabled"], shown["toxics"]
    except (ValueError, KeyError, TypeError) as error:
        raise ProxyApiError(f"{body[:100]!r} is no proxy") from error
    return shown
