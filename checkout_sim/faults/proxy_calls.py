"""One kept HTTP connection to a proxy server's API, with a limit on every call.

Plain http.client: a call costs 0.2 ms, and a fault struck at an event has only a few. Takes a
method, a path and a JSON body; gives the answer or raises ToxiproxyError, whatever went wrong.
"""

import http.client
import json
import select
from dataclasses import dataclass
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

CONNECT_LIMIT_S = 1.0
CALL_LIMIT_S = 2.0
IDLE_LIMIT_S = 30.0  # Go's server closes a connection idle for 60 s
CALL_FAILED = 400
DEFAULT_PORT = 8474


class ToxiproxyError(Exception):
    """The server refused a call, or did not answer it in time; `status` 0 means no answer."""

    def __init__(self, status: int, message: str, call: str) -> None:
        super().__init__(f"{call}: {f'{status} ' if status else ''}{message}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    """What toxiproxy-python expects of a response."""

    status_code: int
    content: bytes

    def json(self) -> Any:
        """Give the body, parsed."""
        return json.loads(self.content)


class Speaker:
    """One kept connection to one server; used by one thread."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        self._address = (parts.hostname or "127.0.0.1", parts.port or DEFAULT_PORT)
        self._connection: http.client.HTTPConnection | None = None
        self._last_used = 0.0

    def call(self, method: str, path: str, body: object = None) -> Answer:
        """Make one call within its limit; raises ToxiproxyError for everything but success."""
        call = f"{method} {path}"
        try:
            connection = self._connected()
            connection.request(
                method,
                path,
                body=None if body is None else json.dumps(body),
                headers={"User-Agent": "checkout-sim"},
            )
            response = connection.getresponse()
            answer = Answer(response.status, response.read())
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise ToxiproxyError(0, f"no answer ({error!r})", call) from error
        self._last_used = monotonic()
        if answer.status_code >= CALL_FAILED:
            raise ToxiproxyError(answer.status_code, _message(answer.content), call)
        return answer

    def _connected(self) -> http.client.HTTPConnection:
        kept = self._connection
        if kept is not None and kept.sock is not None:
            # Readable while nothing is asked means that the server closed it.
            closed = bool(select.select([kept.sock], [], [], 0)[0])
            if not closed and monotonic() - self._last_used < IDLE_LIMIT_S:
                return kept
        self.close()
        fresh = http.client.HTTPConnection(*self._address, timeout=CONNECT_LIMIT_S)
        fresh.connect()
        fresh.sock.settimeout(CALL_LIMIT_S)
        self._connection = fresh
        return fresh

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _message(content: bytes) -> str:
    """Give an error's text; errors are JSON sent as text, a 503 is HTML."""
    try:
        return str(json.loads(content)["error"])
    except (ValueError, KeyError, TypeError):
        return content.decode("utf-8", errors="replace").strip()[:200]
