"""The orchestrator's side of its links: asks a participant, gives an answer or why there is none.

Never raises for what the wire does: by the time a call has failed, the only question left is
whether it may have been heard, and that is always yes here. Every try is limited as a whole, a try
starts only when a whole try still fits the total, and all tries carry the same key and body (R2).
"""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from http import HTTPStatus

import httpx
import stamina
from pydantic_core import from_json, to_json

from ..chassis.breaker import Breaker, BreakerOpen
from ..chassis.clock import Clock
from ..chassis.http_client import Link, error_of
from ..chassis.ids import Ids
from .answers import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBudget:
    """How long and how often a participant is asked, in milliseconds and tries."""

    try_ms: float
    tries: int
    total_ms: float
    backoff_low_ms: float
    backoff_high_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request, the same at every try; `order` and `key` go with it into the event log."""

    path: str
    operation: str
    body: Mapping[str, object]
    order: str
    key: str


class NotNow(Exception):
    """The participant answered, but not to the question: 5xx or 429. What it did is unknown."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class Unreadable(ValueError):
    """An answer arrived whole and is no JSON object."""


FAILURES = (httpx.HTTPError, TimeoutError, OSError, BreakerOpen, NotNow, Unreadable)


def counts_against_callee(error: BaseException) -> bool:
    """Return whether the breaker holds `error` against the participant."""
    if isinstance(error, NotNow):
        return error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return isinstance(error, httpx.HTTPError | TimeoutError | OSError)


class Participant:
    """One service that takes steps for a saga."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        link: Link,
        budget: CallBudget,
        clock: Clock,
        ids: Ids,
        breaker: Breaker | None = None,
    ) -> None:
        self._http = http
        self._link = link
        self._budget = budget
        self._clock = clock
        self._ids = ids
        self._breaker = breaker
        self._extensions = {"timeout": http.timeout.as_dict()}
        self._urls: dict[str, httpx.URL] = {}

    async def ask(self, ask: Ask, *, tries: int | None = None) -> Answer | str:
        """Return the answer, or the name of what went wrong at the last try.

        `tries` overrides the budget's number. 202 is an answer: the participant is at it.
        """
        began_ms = self._clock.monotonic_ms()
        budget = self._budget

        def wait_or_stop(error: Exception) -> bool | float:
            if not isinstance(error, FAILURES):
                return False
            wait_ms = self._ids.uniform(budget.backoff_low_ms, budget.backoff_high_ms)
            spent_ms = self._clock.monotonic_ms() - began_ms
            fits = spent_ms + wait_ms + budget.try_ms <= budget.total_ms
            return wait_ms / 1000 if fits else False

        first: Exception | None = None
        try:
            return await self._try(ask, 1)
        except FAILURES as error:
            first = error
        # The common case is spared what stamina costs: a fifth of a call.
        try:
            async for attempt in stamina.retry_context(
                on=wait_or_stop,
                attempts=budget.tries if tries is None else tries,
                timeout=None,
                wait_jitter=0,
            ):
                with attempt:
                    if attempt.num == 1:
                        raise first
                    return await self._try(ask, attempt.num)
        except FAILURES as error:
            return str(error) if isinstance(error, NotNow) else error_of(error)
        raise AssertionError("stamina ended without an answer or an error")

    async def close(self) -> None:
        """Close the client."""
        await self._http.aclose()

    async def _try(self, ask: Ask, attempt: int) -> Answer:
        call = self._link.call(ask.operation, attempt=attempt, order=ask.order, key=ask.key)
        not_now: NotNow | None = None
        with call:
            try:
                async with self._guard():
                    response = await self._post(ask)
                    call.http_status = response.status_code
                    _raise_if_not_now(response.status_code)
            except NotNow as answered:  # an answer: `call.ended` reports its status, no error
                not_now = answered
            else:
                answer = _answer(response)
        if not_now is not None:
            raise not_now
        return answer

    def _guard(self) -> AbstractAsyncContextManager[None]:
        return nullcontext() if self._breaker is None else self._breaker.attempt()

    async def _post(self, ask: Ask) -> httpx.Response:
        # Built here, on parsed URLs and without what aiohttp adds itself (Host, Content-Length):
        # the client's own merging is half as much work again as sending.
        url = self._urls.get(ask.path)
        if url is None:
            url = self._urls[ask.path] = self._http.base_url.join(ask.path)
        request = httpx.Request(
            "POST",
            url,
            headers={"Content-Type": "application/json", "Idempotency-Key": ask.key},
            stream=httpx.ByteStream(to_json(ask.body)),
            extensions=self._extensions,
        )
        async with asyncio.timeout(self._budget.try_ms / 1000):
            return await self._http.send(request)


def _raise_if_not_now(status: int) -> None:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        raise NotNow(status)


def _answer(response: httpx.Response) -> Answer:
    try:
        body = from_json(response.content)
    except ValueError as error:
        raise Unreadable(f"the answer is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise Unreadable(f"the answer is a {type(body).__name__}, expected an object")
    return Answer(http_status=response.status_code, body=body, response=response.content.decode())
