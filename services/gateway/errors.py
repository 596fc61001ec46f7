"""Stripe's error envelope: what a refused or failed request is told.

The tree, after Stripe's docs (docs.stripe.com/api/errors, /error-codes)::

    Refused                  anything answered with the envelope
    ├── InvalidRequest       400 or 404, `invalid_request_error`
    ├── CardDeclined         402, `card_error`
    ├── KeyReused            400, `idempotency_error`
    ├── KeyInUse             409, `idempotency_key_in_use`
    ├── NotAuthenticated     401
    ├── TooManyRequests      429
    └── ServerFailed         500 or 503, `api_error`

All are raised by pure code and turned into bytes in one place, `api.py`.
"""

from collections.abc import Mapping
from typing import Any

JsonObject = dict[str, Any]

_DOCS = "https://stripe.com/docs/error-codes/"
_LOGS = "https://dashboard.stripe.com/test/logs/"


class Refused(Exception):
    """A request that gets Stripe's error envelope; `status` is the HTTP status, `type` Stripe's."""

    type = "invalid_request_error"

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        code: str | None = None,
        param: str | None = None,
        decline_code: str | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.param = param
        self.decline_code = decline_code
        self.about = dict(about or {})

    def envelope(self, request_id: str) -> JsonObject:
        """Return the body Stripe would send, naming the request that was refused."""
        error: JsonObject = {"type": self.type, "message": self.message}
        if self.code is not None:
            error |= {"code": self.code, "doc_url": _DOCS + self.code.replace("_", "-")}
        if self.decline_code is not None:
            error["decline_code"] = self.decline_code
        if self.param is not None:
            error["param"] = self.param
        return {"error": error | self.about | {"request_log_url": _LOGS + request_id}}


class InvalidRequest(Refused):
    """400: the request makes no sense, or not in this state."""


class CardDeclined(Refused):
    """402: the issuer said no; a definite failure."""

    type = "card_error"


class KeyReused(Refused):
    """400: an idempotency key came back with other parameters or at another endpoint."""

    type = "idempotency_error"


class KeyInUse(Refused):
    """409: the first request under this key is still executing (its `type` is unverified)."""

    def __init__(self, key: str) -> None:
        super().__init__(
            "There is currently another in-progress request using this Idempotency-Key "
            "(that probably means you submitted twice, and the other request is still going "
            f"through): {key}. Please try again later.",
            status=409,
            code="idempotency_key_in_use",
        )


class NotAuthenticated(Refused):
    """401: no key, or one that is not a test key. The key itself is never repeated."""

    def __init__(self, message: str) -> None:
        super().__init__(message, status=401)


class TooManyRequests(Refused):
    """429: nothing was saved or done. `reason` is null for a lock timeout.

    Source: docs.stripe.com/rate-limits.
    """

    def __init__(self, message: str, *, code: str, reason: str | None) -> None:
        super().__init__(message, status=429, code=code)
        self.reason = reason


class ServerFailed(Refused):
    """500 or 503: on a 500 the effect is unknown to the caller, and the answer is saved."""

    type = "api_error"


def missing_parameter(name: str) -> InvalidRequest:
    """Say which required parameter is absent."""
    return InvalidRequest(f"Missing required param: {name}.", code="parameter_missing", param=name)


def unknown_parameter(name: str) -> InvalidRequest:
    """Say which parameter Stripe does not know at this endpoint."""
    return InvalidRequest(
        f"Received unknown parameter: {name}", code="parameter_unknown", param=name
    )


def no_such(kind: str, object_id: str, *, param: str | None = None) -> InvalidRequest:
    """Say that an id names nothing here; 404 `resource_missing`."""
    return InvalidRequest(
        f"No such {kind}: '{object_id}'",
        status=404,
        code="resource_missing",
        param=param or ("intent" if kind == "payment_intent" else "id"),
    )
