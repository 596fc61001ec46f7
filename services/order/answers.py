"""What payment's answers mean, read without doing anything.

Takes a status code and a parsed body, gives one of a closed set of outcomes. Whatever is not
certainly a success or certainly a failure is unresolved: a timeout, a 5xx, a body that cannot be
read, a 409 in flight (docs/rules.md R3; Maelstrom's definite and indefinite errors).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

_TRY_AGAIN_LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """The order is paid: so much, in that currency."""

    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """The order was not charged under its key and never will be."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """This request did nothing, which says nothing about earlier ones: only a fence rolls back."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolved:
    """Nobody knows yet."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fenced:
    """The order is not charged, and payment will refuse any charge of it from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadyCharged:
    """The fence came too late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """The order has net zero and will keep it."""


ChargeOutcome = Charged | Declined | Refused | Unresolved
FenceOutcome = Fenced | AlreadyCharged | Unresolved
UndoOutcome = Undone | Unresolved


def read_charge(status: int, body: Mapping[str, object], *, order_id: str) -> ChargeOutcome:
    """Return what an answer to `/payment/process` says about the charge of `order_id`."""
    if status == HTTPStatus.OK and body.get("status") == "completed":
        return _charged(body.get("payment"), order_id)
    if not _is_client_error(status) or body.get("definite") is not True:
        return Unresolved(reason=_unresolved(status, body))
    reason = _reason(body)
    # 402 is final for the order; naive's 400 says the same through its status.
    if body.get("status") == "failed":
        return Declined(reason=reason)
    return Refused(reason=reason)


def read_fence(status: int, body: Mapping[str, object]) -> FenceOutcome:
    """Return what an answer to `/payment/cancel` says."""
    if status == HTTPStatus.OK:
        return Fenced()
    if status == HTTPStatus.CONFLICT and body.get("code") == "already_completed":
        return AlreadyCharged()
    return Unresolved(reason=_unresolved(status, body))


def read_undo(status: int, body: Mapping[str, object]) -> UndoOutcome:
    """Return what an answer to `/payment/refund` says."""
    if status == HTTPStatus.OK:
        return Undone()
    return Unresolved(reason=_unresolved(status, body))


def _charged(payment: object, order_id: str) -> ChargeOutcome:
    if not isinstance(payment, Mapping):
        return Unresolved(reason="the answer holds no payment")
    amount_minor, currency = payment.get("amountMinor"), payment.get("currency")
    if payment.get("orderId") != order_id:
        return Unresolved(reason="the answer is about another order")
    if not isinstance(amount_minor, int) or not isinstance(currency, str):
        return Unresolved(reason="the answer names no amount")
    return Charged(amount_minor=amount_minor, currency=currency)


def _is_client_error(status: int) -> bool:
    bad_request, server_error = HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR
    return bad_request <= status < server_error and status not in _TRY_AGAIN_LATER


def _reason(body: Mapping[str, object]) -> str:
    reason = body.get("code") or body.get("error")
    return reason if isinstance(reason, str) else "payment_failed"


def _unresolved(status: int, body: Mapping[str, object]) -> str:
    reason = body.get("code") or body.get("status")
    return f"{status} {reason}" if isinstance(reason, str) else str(status)
