"""The order service's side of the link `order_to_payment`.

Takes orders, gives outcomes of `answers.py`, never exceptions: by the time a call has failed, the
only question left is whether it may have been heard. Every try is limited as a whole, a try starts
only when a whole try still fits the total, and all tries carry the same key and body (R2).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import httpx
import stamina
from pydantic_core import from_json, to_json

from ..chassis.breaker import Breaker, BreakerOpen
from ..chassis.clock import Clock
from ..chassis.http_client import Link, error_of
from ..chassis.ids import Ids
from .answers import (
    ChargeOutcome,
    FenceOutcome,
    UndoOutcome,
    Unresolved,
    read_charge,
    read_fence,
    read_undo,
)
from .order import Order
from .schemas import amount_of

_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBudget:
    """How long and how often payment is asked, in milliseconds and tries."""

    try_ms: float
    tries: int
    total_ms: float
    backoff_low_ms: float
    backoff_high_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: a status and a JSON object."""

    status: int
    body: Mapping[str, object]


class NotNow(Exception):
    """Payment answered, but not to the question: 5xx or 429. What it did is unknown."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class Unreadable(ValueError):
    """An answer arrived whole and is no JSON object."""


FAILURES = (httpx.HTTPError, TimeoutError, OSError, BreakerOpen, NotNow, Unreadable)


def counts_against_callee(error: BaseException) -> bool:
    """Return whether the breaker holds `error` against payment."""
    if isinstance(error, NotNow):
        return error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return isinstance(error, httpx.HTTPError | TimeoutError | OSError)


class Payments:
    """Asks payment to charge, to forbid and to give back."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        link: Link,
        breaker: Breaker,
        budget: CallBudget,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._sender = Sender(http, try_ms=budget.try_ms)
        self._link = link
        self._breaker = breaker
        self._budget = budget
        self._clock = clock
        self._ids = ids

    async def charge(self, order: Order, *, tries: int | None = None) -> ChargeOutcome:
        """Charge `order` under its one key, within the total budget; repeat what may be repeated.

        `tries` overrides the budget's number. 202 is not repeated here: payment is at it, and
        the reconciler asks again.
        """
        began_ms = self._clock.monotonic_ms()

        def wait_or_stop(error: Exception) -> bool | float:
            if not isinstance(error, FAILURES):
                return False
            wait_ms = self._ids.uniform(self._budget.backoff_low_ms, self._budget.backoff_high_ms)
            spent_ms = self._clock.monotonic_ms() - began_ms
            fits = spent_ms + wait_ms + self._budget.try_ms <= self._budget.total_ms
            return wait_ms / 1000 if fits else False

        body = {
            "orderId": order.id,
            "userId": order.user_id,
            "amount": amount_of(order.total_minor),
            "amountMinor": order.total_minor,
            "currency": order.currency,
            "paymentMethod": order.card,
        }
        attempts = self._budget.tries if tries is None else tries
        first: Exception | None = None
        try:
            answer = await self._ask("process", body, order)
        except FAILURES as error:
            first = error
        if first is not None:  # the common case is spared what stamina costs: a fifth of a charge
            try:
                async for attempt in stamina.retry_context(
                    on=wait_or_stop, attempts=attempts, timeout=None, wait_jitter=0
                ):
                    with attempt:
                        if attempt.num == 1:
                            raise first
                        answer = await self._ask("process", body, order, attempt=attempt.num)
            except FAILURES as error:
                return Unresolved(reason=_name_of(error))
        return read_charge(answer.status, answer.body, order_id=order.id)

    async def cancel(self, order: Order) -> FenceOutcome:
        """Forbid the charge of `order`, seen by payment or not: the fence of R4. One try."""
        try:
            answer = await self._ask("cancel", {"orderId": order.id}, order)
        except FAILURES as error:
            return Unresolved(reason=_name_of(error))
        return read_fence(answer.status, answer.body)

    async def refund(self, order: Order) -> UndoOutcome:
        """Give back what `order` was charged. One try; the reconciler repeats it for ever (R5)."""
        try:
            answer = await self._ask("refund", {"orderId": order.id}, order)
        except FAILURES as error:
            return Unresolved(reason=_name_of(error))
        return read_undo(answer.status, answer.body)

    async def _ask(
        self, operation: str, body: Mapping[str, object], order: Order, *, attempt: int = 1
    ) -> Answer:
        key = order.charge_key if operation == "process" else None
        with self._link.call(operation, attempt=attempt, order=order.id, key=key) as call:
            try:
                async with self._breaker.attempt():
                    response = await self._sender.post(operation, body, key=key)
                    call.http_status = response.status_code
                    _raise_if_not_now(response.status_code)
            except NotNow as answered:  # an answer: `call.ended` reports its status, no error
                not_now: NotNow | None = answered
            else:
                not_now = None
                document = _object_of(response)
        if not_now is not None:
            raise not_now
        return Answer(status=response.status_code, body=document)


class Sender:
    """Sends single requests to payment: the whole of naive's side of the link."""

    def __init__(self, http: httpx.AsyncClient, *, try_ms: float) -> None:
        self._http = http
        self._try_s = try_ms / 1000
        self._extensions = {"timeout": http.timeout.as_dict()}
        # Requests are built here, on parsed URLs and without what aiohttp adds itself (Host,
        # Content-Length): the client's own merging is half as much work again as sending.
        self._urls = {
            operation: http.base_url.join(f"/payment/{operation}")
            for operation in ("process", "cancel", "refund")
        }

    async def post(
        self, operation: str, body: Mapping[str, object], *, key: str | None
    ) -> httpx.Response:
        """Send one request and read its whole answer within the limit of a try."""
        headers = _JSON if key is None else {**_JSON, "Idempotency-Key": key}
        request = httpx.Request(
            "POST",
            self._urls[operation],
            headers=headers,
            stream=httpx.ByteStream(to_json(body)),
            extensions=self._extensions,
        )
        async with asyncio.timeout(self._try_s):
            return await self._http.send(request)


def _raise_if_not_now(status: int) -> None:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        raise NotNow(status)


def _object_of(response: httpx.Response) -> Mapping[str, object]:
    try:
        document = from_json(response.content)
    except ValueError as error:
        raise Unreadable(f"payment's answer is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise Unreadable(f"payment's answer is a {type(document).__name__}, expected an object")
    return document


def _name_of(error: Exception) -> str:
    return str(error) if isinstance(error, NotNow) else error_of(error)
