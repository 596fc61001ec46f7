"""Stripe through its SDK, one try at a time, answered in our own outcome classes.

The only file that imports stripe. What it must know about the SDK (16.1) is listed in the
gateway's design, "What payment must know about the SDK": its retries are off (backoff never under
500 ms, attempts missing from our log), its telemetry is off (writes in the user's home), its
aiohttp client leaks raw errors on truncated and stalled bodies (`_ExactHttp` hands them to the
SDK), and the client is built once (43 ms).
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

import aiohttp
import stripe

from ..chassis.breaker import Breaker, BreakerOpen
from ..chassis.clock import Clock
from ..chassis.http_client import NOT_SENT, Link, error_of, new_session
from ..chassis.ids import Ids
from ..chassis.logs import EventLog
from .payment import (
    NO_REFUND,
    Charge,
    Declined,
    NotDone,
    Outcome,
    Payment,
    ServerError,
    Told,
    Unknown,
    WrongState,
)
from .settings import PaymentSettings

LINK = "payment_to_gateway"

_SERVER_ERROR = 500
_CONFLICT = 409


class _ExactHttp(stripe.AIOHTTPClient):
    """The SDK's aiohttp client, with every wire error in the SDK's own form.

    The stock one lets `aiohttp.ClientPayloadError` (truncated body) and `TimeoutError` (stalled
    body) escape. `_handle_request_error` is private: the SDK is pinned to a minor and
    tests/contract/test_payment_http_errors.py watches it.
    """

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Send once and read the whole answer."""
        try:
            return await super().request_async(method, url, headers, post_data)
        except (aiohttp.ClientError, TimeoutError) as error:
            self._handle_request_error(error)


class StripeGateway:
    """One try of each operation; never raises for what a gateway or a wire can do.

    `breaker=None` leaves it out (naive). Needs a running loop; `aclose` at the end.
    """

    def __init__(
        self,
        settings: PaymentSettings,
        *,
        clock: Clock,
        ids: Ids,
        events: EventLog,
        breaker: Breaker | None,
    ) -> None:
        stripe.enable_telemetry = False
        self._session = new_session()
        timeout = aiohttp.ClientTimeout(
            total=settings.scaled(settings.gateway_try_ms) / 1000,
            connect=settings.scaled(settings.gateway_connect_ms) / 1000,
        )
        self._client = stripe.StripeClient(
            settings.stripe_key.get_secret_value(),
            base_addresses={"api": settings.gateway_url.rstrip("/")},
            max_network_retries=0,
            http_client=_ExactHttp(timeout=timeout, session=self._session),
        )
        self._link = Link(LINK, events=events, clock=clock, ids=ids)
        self._events = events
        self._breaker = breaker

    async def aclose(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def charge(self, charge: Charge) -> Outcome:
        """Create and confirm in one request, under whatever random key the SDK makes (naive)."""
        params = {**_create_params(charge), "confirm": True}
        return await self._money(
            "charge",
            lambda: self._client.v1.payment_intents.create_async(params),  # type: ignore[arg-type]
            order=charge.order_id,
        )

    async def create(self, payment: Payment, *, key: str, attempt: int) -> Outcome:
        """Create the PaymentIntent, unconfirmed: holds no money."""
        params = _create_params(payment.charge)
        return await self._try(
            "create",
            lambda: self._client.v1.payment_intents.create_async(
                params,  # type: ignore[arg-type] # TypedDict of a hundred keys
                {"idempotency_key": key},
            ),
            order=payment.order_id,
            key=key,
            attempt=attempt,
        )

    async def confirm(self, payment: Payment, *, key: str, attempt: int) -> Outcome:
        """Confirm the PaymentIntent: the request that moves money."""
        intent = _intent_of(payment)
        return await self._money(
            "confirm",
            lambda: self._client.v1.payment_intents.confirm_async(
                intent, None, {"idempotency_key": key}
            ),
            order=payment.order_id,
            key=key,
            attempt=attempt,
        )

    async def read(self, payment: Payment, *, attempt: int) -> Outcome:
        """Read the PaymentIntent by its id."""
        intent = _intent_of(payment)
        return await self._try(
            "retrieve",
            lambda: self._client.v1.payment_intents.retrieve_async(intent),
            order=payment.order_id,
            attempt=attempt,
        )

    async def cancel(self, payment: Payment, *, key: str, attempt: int) -> Outcome:
        """Cancel the PaymentIntent: accepted, no charge can follow."""
        intent = _intent_of(payment)
        return await self._try(
            "cancel",
            lambda: self._client.v1.payment_intents.cancel_async(
                intent, None, {"idempotency_key": key}
            ),
            order=payment.order_id,
            key=key,
            attempt=attempt,
        )

    async def refund(self, payment: Payment, *, key: str, attempt: int) -> Outcome:
        """Refund the whole charge; Told describes the refund."""
        intent = _intent_of(payment)
        return await self._try(
            "refund",
            lambda: self._client.v1.refunds.create_async(
                {"payment_intent": intent}, {"idempotency_key": key}
            ),
            order=payment.order_id,
            key=key,
            attempt=attempt,
        )

    async def read_refund(self, payment: Payment, *, attempt: int) -> Outcome:
        """Read the refund by id, or the newest one of the intent; NO_REFUND if there is none."""
        intent, refund = _intent_of(payment), payment.refund

        async def ask() -> stripe.StripeObject:
            if refund is not None:
                return await self._client.v1.refunds.retrieve_async(refund)
            return await self._client.v1.refunds.list_async({"payment_intent": intent, "limit": 1})

        return await self._try("read_refund", ask, order=payment.order_id, attempt=attempt)

    async def _money(
        self,
        operation: str,
        send: Callable[[], Awaitable[stripe.StripeObject]],
        *,
        order: str,
        key: str | None = None,
        attempt: int = 1,
    ) -> Outcome:
        """Try a request that moves money, with `payment.charge_…` events around it."""

        def ask() -> Awaitable[stripe.StripeObject]:
            self._events.emit("payment.charge_requested", order=order, key=key)
            return send()

        outcome = await self._try(operation, ask, order=order, key=key, attempt=attempt)
        self._tell(outcome, order=order, key=key)
        return outcome

    def _tell(self, outcome: Outcome, *, order: str, key: str | None) -> None:
        intent = code = error = None
        match outcome:
            case Told(status="succeeded"):
                kind, intent = "payment.charge_succeeded", outcome.id
            case Told(status="requires_action"):  # no shopper is there to act
                kind, intent, code = "payment.charge_declined", outcome.id, "requires_action"
            case Declined():
                kind, code = "payment.charge_declined", outcome.code
            case Told() | WrongState():
                kind, error = "payment.charge_unknown", outcome.status
            case NotDone() | Unknown() | ServerError():
                kind, error = "payment.charge_unknown", outcome.error
        self._events.emit(kind, order=order, key=key, payment_intent=intent, code=code, error=error)

    async def _try(
        self,
        operation: str,
        send: Callable[[], Awaitable[stripe.StripeObject]],
        *,
        order: str,
        key: str | None = None,
        attempt: int = 1,
    ) -> Outcome:
        guard: AbstractAsyncContextManager[None]
        guard = nullcontext() if self._breaker is None else self._breaker.attempt()
        with self._link.call(operation, attempt=attempt, order=order, key=key) as call:
            try:
                async with guard:
                    answer = await send()
            except BreakerOpen:
                call.error = "breaker_open"
                return NotDone(error="breaker_open")
            except stripe.StripeError as error:
                call.http_status = error.http_status
                outcome, call.error = outcome_of(error)
                return outcome
            response = answer.last_response
            call.http_status = None if response is None else response.code
            outcome = _told(answer)
            if isinstance(outcome, Unknown):
                call.error = "unreadable"
            return outcome


def counts(error: BaseException) -> bool:
    """Return whether the breaker holds `error` against the gateway.

    Transport errors, timeouts, 5xx and unreadable answers count; declines, other 4xx, 409 and
    429 do not (STRATEGIES §2).
    """
    if not isinstance(error, stripe.StripeError):
        return True
    return isinstance(outcome_of(error)[0], ServerError) or error_name(error) is not None


def error_name(error: stripe.StripeError) -> str | None:
    """Return the `call.ended` error, or None when an HTTP answer was read and understood."""
    if isinstance(error, stripe.APIConnectionError):
        cause = error.__cause__
        return "unreadable" if cause is None else error_of(cause)
    # The SDK's word for a body that is no JSON, or JSON without `error`.
    return "unreadable" if error.error is None else None


def outcome_of(error: stripe.StripeError) -> tuple[Outcome, str | None]:
    """Return our class of what the SDK raised, and the name `call.ended` gives it (R3)."""
    name = error_name(error)
    status = error.http_status or 0
    code = error.code or getattr(error.error, "code", None) or type(error).__name__
    message = error.user_message or str(error)
    outcome: Outcome
    if status >= _SERVER_ERROR:
        outcome = ServerError(error=f"HTTP {status}")
    elif name in NOT_SENT:
        outcome = NotDone(error=name)
    elif name is not None:
        outcome = Unknown(error=name)
    elif isinstance(error, stripe.CardError):
        decline = getattr(error.error, "decline_code", None)
        outcome = Declined(code=decline or code, message=message)
    elif code == "payment_intent_unexpected_state":
        outcome = WrongState(status=_status_in(error))
    elif isinstance(error, stripe.InvalidRequestError):
        outcome = Declined(code=code, message=message)
    elif isinstance(
        error, stripe.RateLimitError | stripe.AuthenticationError | stripe.PermissionError
    ):
        outcome = NotDone(error=code)
    else:  # 409 in flight; an idempotency_error (a bug of ours); any 4xx we do not know
        outcome = Unknown(error="in_flight" if status == _CONFLICT else code)
    return outcome, name


def _told(answer: stripe.StripeObject) -> Outcome:
    """Return what a 2xx says; one that is not the object we asked for is unreadable."""
    if isinstance(answer, stripe.ListObject):
        newest = next(iter(answer.data), None)
        return NO_REFUND if newest is None else _told(newest)
    found, status = getattr(answer, "id", None), getattr(answer, "status", None)
    if not isinstance(found, str) or not isinstance(status, str):
        return Unknown(error="unreadable")
    fault = getattr(answer, "last_payment_error", None)
    if fault is None:
        return Told(id=found, status=status)
    code = getattr(fault, "decline_code", None) or getattr(fault, "code", None)
    return Told(id=found, status=status, code=code, message=getattr(fault, "message", None))


def _status_in(error: stripe.StripeError) -> str | None:
    intent = getattr(error.error, "payment_intent", None)
    status = getattr(intent, "status", None)
    return status if isinstance(status, str) else None


def _create_params(charge: Charge) -> dict[str, Any]:
    return {
        "amount": charge.amount_minor,
        "currency": charge.currency,
        "payment_method": charge.card,
        "payment_method_types": ["card"],
        "metadata": {"order_id": charge.order_id, "user_id": charge.user_id},
    }


def _intent_of(payment: Payment) -> str:
    assert payment.payment_intent is not None, f"{payment.id} has no PaymentIntent yet"
    return payment.payment_intent
