"""The /v1 API as a plain ASGI app: authentication, limiter, one unit of work, Stripe's headers.

It is reached around Starlette's own stack, because a gateway request is on the path of every
checkout. A client's disconnect never cancels it: nothing here listens for one once
the body is read, and uvicorn lets a plain ASGI app run to its end (contract tests prove it). So a
request that a control holds goes on after its client has left; only the end of the process stops
it, and then its reservation is released at the next start.
"""

import asyncio
import base64
import binascii
import sqlite3
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from starlette.types import Receive, Scope, Send

from ..chassis.clock import Clock
from ..chassis.database import Database
from ..chassis.errors import BODY_LIMIT_BYTES, DatabaseUnavailable
from ..chassis.ids import Ids
from ..chassis.logs import EventLog
from . import endpoints, idempotency, journal, reading, searching, signing, store
from .commands import Command
from .controls import Target
from .errors import InvalidRequest, NotAuthenticated, Refused, ServerFailed, TooManyRequests
from .executing import Done, Executor, Held, Post
from .forms import parse
from .limiter import Limiter
from .metrics import Durations
from .outbox import Outbox
from .parameters import DEFAULT_API_VERSION
from .routes import Endpoint, route
from .settings import GatewaySettings
from .store import driver
from .work import Answer, Facts, Work

_TEST_KEYS = ("sk_test_", "rk_test_")

Headers = Mapping[bytes, bytes]


class ClientGone(Exception):
    """The client left before its request was whole: nothing began, nobody to answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the API and the workers beside it are built from."""

    settings: GatewaySettings
    clock: Clock
    ids: Ids
    events: EventLog
    database: Database
    outbox: Outbox
    settling: asyncio.Event
    sending: asyncio.Event

    def work(self, sql: sqlite3.Connection, facts: Facts) -> Work:
        """Begin a unit of work now."""
        now = self.clock.now_ms()
        return Work(
            sql=sql,
            ids=self.ids,
            facts=facts,
            now_ms=now,
            visible_ms=now,
            outbox=self.outbox,
        )

    def announce(self, work: Work) -> None:
        """Tell of a unit of work that is committed: its journal, and that webhooks are due."""
        journal.announce(self.events, work.rows)
        if work.queued:
            self.sending.set()


class StripeApi:
    """Answers /v1; one instance per process."""

    def __init__(self, parts: Parts, durations: Durations) -> None:
        self._parts = parts
        self._durations = durations
        self._limiter = Limiter(parts.settings.rate_limit)
        self._executor = Executor(
            boot=parts.ids.new("boot"), controls=parts.outbox.controls, settings=parts.settings
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        headers = dict(scope["headers"])
        facts = Facts(
            request_id=self._parts.ids.new("req"),
            key=_text(headers, b"idempotency-key") if scope["method"] == "POST" else None,
            api_version=_text(headers, b"stripe-version") or DEFAULT_API_VERSION,
        )
        clock = self._parts.clock
        began_ms = clock.monotonic_ms()
        try:
            done = await self._answer(scope, receive, headers, facts)
            if done.delay_ms:
                await clock.sleep_ms(done.delay_ms)
            self._durations.observe(done.answer.status, clock.monotonic_ms() - began_ms)
        except ClientGone:
            return
        except asyncio.CancelledError:  # the process ends while a control holds: as a crash would
            _hang_up(send)
            return
        if done.drop:
            _hang_up(send)
            return
        await _send(send, done, facts)

    async def _answer(self, scope: Scope, receive: Receive, headers: Headers, facts: Facts) -> Done:
        """Answer with a value whatever happens: the outermost boundary of /v1."""
        try:
            _authenticate(headers)
            self._limit()
            endpoint, object_id = route(scope["method"], scope["path"])
            if endpoint.read is None:
                return await self._get(endpoint, object_id, scope["query_string"], facts)
            idempotency.check(facts.key)
            form = parse(await _body(receive))
            path = scope["path"]
            return await self._post(
                Post(endpoint=endpoint, path=path, object_id=object_id, form=form, facts=facts)
            )
        except Refused as problem:
            return _refused(problem, facts)
        except DatabaseUnavailable as problem:
            status = 503 if problem.definite else 500
            return _refused(ServerFailed(str(problem), status=status), facts)
        except ClientGone:
            raise
        except Exception:  # noqa: BLE001 - the outermost boundary records what it caught
            sys.stderr.write(f"{scope['method']} {scope['path']} failed\n{traceback.format_exc()}")
            return _refused(ServerFailed("An unknown error occurred", status=500), facts)

    def _limit(self) -> None:
        if not self._limiter.admits(self._parts.clock.monotonic_ms()):
            raise TooManyRequests(
                "Request rate limit exceeded.", code="rate_limit", reason="global-rate"
            )

    async def _post(self, post: Post) -> Done:
        """Run a POST; the only wait between its two units of work is a control's."""
        if post.endpoint.registers:
            signing.prepare()
        outcome, work = await self._parts.database.run(self._begin, post)
        self._parts.announce(work)
        if isinstance(outcome, Held):
            await self._parts.clock.sleep_ms(outcome.ms)
            done, work = await self._parts.database.run(self._finish, post, outcome.command)
            self._parts.announce(work)
        else:
            done = outcome
        if post.endpoint.settles:
            self._parts.settling.set()
        return done

    def _begin(self, connection: Connection, post: Post) -> tuple[Done | Held, Work]:
        work = self._parts.work(driver(connection), post.facts)
        outcome = self._executor.begin(work, post)
        if post.endpoint.registers:
            self._parts.outbox.endpoints = endpoints.load(work.sql)
        return outcome, work

    def _finish(self, connection: Connection, post: Post, command: Command) -> tuple[Done, Work]:
        work = self._parts.work(driver(connection), post.facts)
        return self._executor.finish(work, post, command), work

    async def _get(self, endpoint: Endpoint, object_id: str, query: bytes, facts: Facts) -> Done:
        if self._parts.outbox.controls and endpoint.operations:
            refused, work = await self._parts.database.run(
                self._refuse_get, endpoint, object_id, facts
            )
            self._parts.announce(work)
            if refused is not None:
                return refused
        body = await self._parts.database.read(self._read, endpoint, object_id, query)
        return Done(answer=Answer(status=200, body=body))

    def _refuse_get(
        self, connection: Connection, endpoint: Endpoint, object_id: str, facts: Facts
    ) -> tuple[Done | None, Work]:
        work = self._parts.work(driver(connection), facts)
        about = reading.subject(work.sql, object_id, None, None)
        target = Target(
            operations=frozenset(endpoint.operations),
            order_id=about.order_id if about else None,
            user=about.metadata.get("user_id") if about else None,
        )
        return self._executor.refuse(work, target), work

    def _read(
        self, connection: Connection, endpoint: Endpoint, object_id: str, query: bytes
    ) -> str:
        form = parse(query)
        form.allow(endpoint.accepts)
        sql, now = driver(connection), self._parts.clock.now_ms()
        if endpoint.search:
            settings = self._parts.settings
            lag = int(settings.scaled(settings.search_lag_ms))
            return searching.search(sql, form, now_ms=now, lag_ms=lag)
        if endpoint.many:
            return reading.page(sql, endpoint.shows, form, now_ms=now)
        return reading.retrieve(sql, endpoint.shows, object_id, form, now_ms=now)


def _authenticate(headers: Headers) -> None:
    """Accept a test key as Bearer or as Basic user name; live keys are refused, unrepeated."""
    scheme, _, credentials = _text(headers, b"authorization", "").partition(" ")
    key = credentials.strip()
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(key, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            key = ""
    elif scheme.lower() != "bearer":
        key = ""
    if not key:
        raise NotAuthenticated(
            "You did not provide an API key. You need to provide your API key in the "
            "Authorization header, using Bearer auth (e.g. 'Authorization: Bearer sk_test_…')."
        )
    if not key.startswith(_TEST_KEYS):
        raise NotAuthenticated("Invalid API Key provided: this gateway takes sk_test_ keys only.")


async def _body(receive: Receive) -> bytes:
    """Read the whole body before anything begins; raises ClientGone when it never comes."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > BODY_LIMIT_BYTES:
            raise InvalidRequest(
                f"The request body is larger than {BODY_LIMIT_BYTES} bytes.", status=413
            )
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _text(headers: Headers, name: bytes, default: str | None = None) -> Any:
    value = headers.get(name)
    return default if value is None else value.decode("latin-1")


def _refused(problem: Refused, facts: Facts) -> Done:
    body = store.encode(problem.envelope(facts.request_id or ""))
    reason = problem.reason if isinstance(problem, TooManyRequests) else None
    return Done(answer=Answer(status=problem.status, body=body), rate_limit_reason=reason)


async def _send(send: Send, done: Done, facts: Facts) -> None:
    body = done.answer.body.encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"request-id", (facts.request_id or "").encode()),
        (b"stripe-version", facts.api_version.encode("latin-1")),
    ]
    if facts.key is not None:
        headers.append((b"idempotency-key", facts.key.encode("latin-1")))
    if done.replay_of is not None:
        headers.append((b"idempotent-replayed", b"true"))
        headers.append((b"original-request", done.replay_of.encode()))
    if done.saved and done.answer.status == 500:  # noqa: PLR2004 - HTTP's own number
        headers.append((b"stripe-should-retry", b"false"))
    if done.rate_limit_reason is not None:
        headers.append((b"stripe-rate-limited-reason", done.rate_limit_reason.encode()))
    await send({"type": "http.response.start", "status": done.answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _hang_up(send: Send) -> None:
    """Close the connection without a byte of answer.

    ASGI has no word for that and uvicorn answers 500 for an app that says nothing, so the
    transport is taken from the object behind its `send` (uvicorn's RequestResponseCycle; a
    contract test holds it). Without one, as under another server, the exception must do.
    """
    cycle = getattr(send, "__self__", None)
    transport = getattr(cycle, "transport", None)
    if cycle is None or transport is None:
        raise ConnectionAbortedError("the control drop_after_commit closed this connection")
    cycle.disconnected = True
    transport.close()
