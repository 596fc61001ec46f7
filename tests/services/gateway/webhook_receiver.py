"""Somebody who receives webhooks: a small HTTP server that keeps what it heard, and misbehaves.

`answers` are taken in turn, the last one for ever: a status, or None for silence, which ends when
the sender hangs up.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

WITHIN_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One delivery as it arrived."""

    path: str
    signature: str
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The event that was told."""
        event: dict[str, Any] = json.loads(self.body)
        return event


class WebhookReceiver:
    """Listens on a free port of this host until it is closed."""

    def __init__(self, *answers: int | None) -> None:
        self.heard: list[Heard] = []
        self._answers = list(answers) or [200]
        self._news = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                signature = self.headers.get("Stripe-Signature", "")
                status = receiver.hear(Heard(path=self.path, signature=signature, body=body))
                if status is None:
                    self.rfile.read(1)
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(WITHIN_S)
        self._server.server_close()

    def hear(self, heard: Heard) -> int | None:
        with self._news:
            self.heard.append(heard)
            self._news.notify_all()
            return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def until(self, enough: Callable[[list[Heard]], bool]) -> list[Heard]:
        """Wait until what was heard is enough, and return it."""
        with self._news:
            assert self._news.wait_for(lambda: enough(self.heard), WITHIN_S), self.types()
            return list(self.heard)

    def of(self, order: str, count: int) -> list[Heard]:
        """Wait for that many deliveries about an order and return them."""
        found: list[Heard] = []

        def enough(heard: list[Heard]) -> bool:
            found[:] = [one for one in heard if order.encode() in one.body]
            return len(found) >= count

        self.until(enough)
        return found

    def types(self) -> list[str]:
        """Return the types heard so far, in order of arrival."""
        return [one.event["type"] for one in self.heard]
