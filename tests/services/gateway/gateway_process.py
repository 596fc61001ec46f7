"""A real gateway in a process of its own: started, watched by its events, killed, started again."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, Self

import httpx

WITHIN_S = 20.0
KEY = "sk_test_gateway"
Event = Mapping[str, Any]


class GatewayProcess:
    """`python -m services.gateway` on a free port; its events are read as they are written."""

    def __init__(self, database: Path, **settings: str) -> None:
        self.database = database
        self._settings = settings
        self._process: subprocess.Popen[str] | None = None
        self._events: list[Event] = []
        self._seen = threading.Condition()
        self._reader: threading.Thread | None = None
        self.url = ""
        self.http = httpx.Client(timeout=WITHIN_S)

    def start(self) -> Self:
        environ = {
            **os.environ,
            "GATEWAY_DATABASE": str(self.database),
            "GATEWAY_SEARCH_LAG_MS": "0",
            **{f"GATEWAY_{name.upper()}": value for name, value in self._settings.items()},
        }
        self._events.clear()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "services.gateway"],
            env=environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,))
        self._reader.start()
        port = self.event("process.listening")["data"]["port"]
        self.url = f"http://127.0.0.1:{port}"
        return self

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        code = self._end(signal.SIGTERM)
        self.http.close()
        return code

    def event(self, kind: str, **expected: object) -> Event:
        """Wait for an event of that kind whose order, key or data say what is expected."""

        def fits(event: Event) -> bool:
            fields = {**event["data"], "order": event["order"], "key": event["key"]}
            return event["kind"] == kind and expected.items() <= fields.items()

        return self.until(
            lambda: next(filter(fits, list(self._events)), None), f"{kind} {expected}"
        )

    def until(self, look: Callable[[], Event | None], what: str) -> Event:
        with self._seen:
            found: Event | None = None

            def seen() -> bool:
                nonlocal found
                found = look()
                return found is not None

            assert self._seen.wait_for(seen, WITHIN_S), f"never saw {what} in {self._events[-20:]}"
            assert found is not None
            return found

    # -- what a client says ------------------------------------------------------------------

    def post(
        self, path: str, form: Mapping[str, str] | None = None, *, key: str | None = None
    ) -> httpx.Response:
        return self.http.post(
            f"{self.url}/v1/{path}", data=dict(form or {}), headers=self.headers(key)
        )

    def get(self, path: str, **query: str) -> httpx.Response:
        return self.http.get(f"{self.url}/v1/{path}", params=query, headers=self.headers())

    def headers(self, key: str | None = None) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {KEY}"}
        return headers if key is None else {**headers, "Idempotency-Key": key}

    def create(
        self, order: str, *, amount: int | str = 4200, key: str | None = None, **form: str
    ) -> dict[str, Any]:
        """Create an intent of that order and return it."""
        answer = self.post("payment_intents", intent(order, amount=amount, **form), key=key)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def paid(self, order: str, *, card: str = "pm_card_visa", **form: str) -> dict[str, Any]:
        """Create and confirm an intent of that order."""
        return self.create(order, confirm="true", payment_method=card, **form)

    # -- what the tool says ------------------------------------------------------------------

    def arm(self, name: str, label: str, **fields: Any) -> httpx.Response:
        body = {"name": name, "label": label, **fields}
        answer = self.http.post(f"{self.url}/_control/faults", json=body)
        assert answer.status_code == 201, answer.text
        return answer

    def used(self, label: str) -> int:
        """Return how often a control has struck."""
        faults = self.http.get(f"{self.url}/_control/faults").json()["faults"]
        return int(next(fault["used"] for fault in faults if fault["label"] == label))

    def lift(self) -> None:
        self.http.delete(f"{self.url}/_control/faults").raise_for_status()

    def journal(self, order: str | None = None) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        after: str | None = "0"
        while after is not None:
            page = self.http.get(f"{self.url}/ledger/journal", params={"after": after}).json()
            rows += page["rows"]
            after = page["next"]
        return [row for row in rows if order is None or row["order_id"] == order]

    def kinds(self, order: str) -> list[str]:
        return [row["kind"] for row in self.journal(order)]

    def net(self, order: str) -> int:
        signs = {"captured": 1, "refunded": -1, "refund_failed": 1}
        return sum(signs.get(row["kind"], 0) * row["amount_minor"] for row in self.journal(order))

    def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        assert self._reader is not None
        self._process.send_signal(number)
        code = self._process.wait(WITHIN_S)
        self._reader.join(WITHIN_S)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            if line.endswith("\n"):
                with self._seen:
                    self._events.append(json.loads(line))
                    self._seen.notify_all()


def intent(order: str, *, amount: int | str = 4200, **form: str) -> dict[str, str]:
    """Return the form of an intent that belongs to an order."""
    return {"amount": str(amount), "currency": "usd", "metadata[order_id]": order, **form}
