"""Stripe through its SDK, one try at a time, answered in our own outcome classes.

The only file that calls Stripe (`signing.py` checks its webhooks). What it must know about the
SDK (16.1) is listed in the gateway's design, "What payment must know about the SDK": its retries
are off (backoff never under 500 ms, attempts missing from our log), its telemetry is off (writes
in the user's home), its aiohttp client leaks raw errors on truncated and stalled bodies
(`_ExactHttp` hands them to the SDK), and the client is built once (43 ms).
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any
from urllib.parse import quote_plus

import aiohttp
import stripe
from stripe import _api_requestor, _util

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

_INTENTS = "/v1/payment_intents"
_REFUNDS = "/v1/refunds"
_Params = dict[str, Any]

_SERVER_ERROR = 500
_CONFLICT = 409


class _ExactHttp(stripe.AIOHTTPClient):
    """The SDK's aiohttp client, with every wire error in the SDK's own form.

    The stock one lets `aiohttp.ClientPayloadError` (truncated body) and `TimeoutError` (stalled
    body) escape, and drops the answer it was reading without closing its connection.
    `_handle_request_error` is private: the SDK is pinned to a minor and
    tests/contract/test_payment_http_errors.py watches it.
    """

    def __init__(self, session: aiohttp.ClientSession, timeout: aiohttp.ClientTimeout) -> None:
        super().__init__(session=session, timeout=timeout)
        self._exact_session = session
        self._exact_timeout = timeout

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Send once and read the whole answer within the timeout."""
        try:
            async with self._exact_session.request(
                method, url, headers=headers, data=post_data, timeout=self._exact_timeout
            ) as response:
                return await response.read(), response.status, response.headers
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            self._handle_request_error(error)


def _leave_unsaid() -> None:
    """Stop what the SDK does beside a request, two thirds of its CPU (480 µs, now 160).

    It formats five log lines, whole answers included, before it asks whether anybody wants them,
    and looks through the environment for the name of a coding agent to tell Stripe. The names are
    private: tests/contract/test_payment_http_errors.py watches them.
    """
    if stripe.log is None and _util.STRIPE_LOG is None:
        for name in ("log_info", "log_debug"):
            setattr(_api_requestor, name, _say_nothing)
    _api_requestor._APIRequestor.AI_AGENTS = []  # noqa: SLF001 - there is no switch for it


def _say_nothing(message: str, **params: object) -> None:
    """Stand in for the SDK's log functions."""


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
        _leave_unsaid()
        self._session = new_session()
        timeout = aiohttp.ClientTimeout(
            total=settings.scaled(settings.gateway_try_ms) / 1000,
            connect=settings.scaled(settings.gateway_connect_ms) / 1000,
        )
        self._client = stripe.StripeClient(
            settings.stripe_key.get_secret_value(),
            base_addresses={"api": settings.gateway_url.rstrip("/")},
            max_network_retries=0,
            http_client=_ExactHttp(self._session, timeout),
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
        return await self._money("charge", _INTENTS, params, order=charge.order_id)

    async def create(self, payment: Payment, *, key: str, attempt: int) -> Outcome:
        """Create the PaymentIntent, unconfirmed: holds no money."""
        params = {**_create_params(payment.charge), "idempotency_key": key}
        return await self._try("create", _INTENTS, params, order=payment.order_id, attempt=attempt)

    async def confirm(self, payment: Payment, *, key: str, attempt: int) -> Outcome:
        """Confirm the PaymentIntent: the request that moves money."""
        path, params = f"{_path_of(payment)}/confirm", {"idempotency_key": key}
        return await self._money("confirm", path, params, order=payment.order_id, attempt=attempt)

    async def read(self, payment: Payment, *, attempt: int) -> Outcome:
        """Read the PaymentIntent by its id."""
        path = _path_of(payment)
        return await self._try("retrieve", path, order=payment.order_id, attempt=attempt)

    async def cancel(self, payment: Payment, *, key: str, attempt: int) -> Outcome:
        """Cancel the PaymentIntent: accepted, no charge can follow."""
        path, params = f"{_path_of(payment)}/cancel", {"idempotency_key": key}
        return await self._try("cancel", path, params, order=payment.order_id, attempt=attempt)

    async def refund(self, payment: Payment, *, key: str, attempt: int) -> Outcome:
        """Refund the whole charge; Told describes the refund."""
        params = {"payment_intent": payment.payment_intent, "idempotency_key": key}
        return await self._try("refund", _REFUNDS, params, order=payment.order_id, attempt=attempt)

    async def read_refund(self, payment: Payment, *, attempt: int) -> Outcome:
        """Read the refund by id, or the newest one of the intent; NO_REFUND if there is none."""
        path = f"{_REFUNDS}?payment_intent={quote_plus(payment.payment_intent or '')}&limit=1"
        if payment.refund is not None:
            path = f"{_REFUNDS}/{quote_plus(payment.refund)}"
        return await self._try("read_refund", path, order=payment.order_id, attempt=attempt)

    async def _money(
        self, operation: str, path: str, params: _Params, *, order: str, attempt: int = 1
    ) -> Outcome:
        """Try a request that moves money, with `payment.charge_…` events around it."""
        key = params.get("idempotency_key")

        def leaving() -> None:
            self._events.emit("payment.charge_requested", order=order, key=key)

        outcome = await self._try(
            operation, path, params, order=order, attempt=attempt, leaving=leaving
        )
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
        path: str,
        params: _Params | None = None,
        *,
        order: str,
        attempt: int = 1,
        leaving: Callable[[], None] | None = None,
    ) -> Outcome:
        """Send one request, a POST when it has parameters; `leaving` is called just before it.

        `raw_request` is the SDK's own door without its objects: turning a PaymentIntent into
        them costs more than the request, and two fields are read.
        """
        key = None if params is None else params.get("idempotency_key")
        guard: AbstractAsyncContextManager[None]
        guard = nullcontext() if self._breaker is None else self._breaker.attempt()
        with self._link.call(operation, attempt=attempt, order=order, key=key) as call:
            try:
                async with guard:
                    if leaving is not None:
                        leaving()
                    method = "get" if params is None else "post"
                    answer = await self._client.raw_request_async(method, path, **(params or {}))
            except BreakerOpen:
                call.error = "breaker_open"
                return NotDone(error="breaker_open")
            except stripe.StripeError as error:
                call.http_status = error.http_status
                outcome, call.error = outcome_of(error)
                return outcome
            call.http_status = answer.code
            outcome = told(answer.data)
            if isinstance(outcome, Unknown):
                call.error = "unreadable"
            return outcome


def counts(error: BaseException) -> bool:
    """Return whether the breaker holds `error` against the gateway.

    Transport errors, timeouts, 5xx and unreadable answers count; declines, other 4xx, 409 and
    429 do not.
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
        outcome = ServerError(error=f"HTTP {status}", saved=_is_saved(error))
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


def told(answer: object) -> Outcome:
    """Return what the body of a 2xx says; one that is not the object we asked for is unreadable."""
    if not isinstance(answer, dict):
        return Unknown(error="unreadable")
    if answer.get("object") == "list" and isinstance(answer.get("data"), list):
        return told(answer["data"][0]) if answer["data"] else NO_REFUND
    found, status = answer.get("id"), answer.get("status")
    if not isinstance(found, str) or not isinstance(status, str):
        return Unknown(error="unreadable")
    fault = answer.get("last_payment_error") or {}
    code = fault.get("decline_code") or fault.get("code")
    return Told(id=found, status=status, code=code, message=fault.get("message"))


def _is_saved(error: stripe.StripeError) -> bool:
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    return headers.get("stripe-should-retry") == "false" or "idempotent-replayed" in headers


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


def _path_of(payment: Payment) -> str:
    assert payment.payment_intent is not None, f"{payment.id} has no PaymentIntent yet"
    return f"{_INTENTS}/{quote_plus(payment.payment_intent)}"
