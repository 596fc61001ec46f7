"""What the participants' answers mean, read without doing anything.

Takes a status code and a body, gives an event of `saga.py`. Whatever is not certainly a success or
certainly a failure is in doubt: a timeout, a 5xx, a body that cannot be read, a 409 in flight
(docs/rules.md R3; Maelstrom's definite and indefinite errors). The wire: services/README.md;
order reads payment's answers by a copy of its own, for services are deployed apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from pydantic_core import from_json

from .saga import (
    AlreadyCharged,
    Claimed,
    Event,
    InDoubt,
    Mismatched,
    Ordered,
    Paid,
    Refused,
    Saga,
    Step,
    Succeeded,
)

_SAYS_NOTHING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, 425, 429})
_ROLLED_BACK = frozenset({"failed", "canceled"})
# The refusals of a confirmation that no repetition will change.
_CONFIRM_REFUSALS = frozenset({"cancel_wanted", "amount_mismatch", "order_canceled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: a status, a JSON object, and the text it was read from."""

    http_status: int
    body: Mapping[str, object]
    response: str


def body_of(text: str | None) -> Mapping[str, object] | None:
    """Return the JSON object in `text`, or None."""
    if text is None:
        return None
    try:
        found = from_json(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def read(saga: Saga, step: Step, answer: Answer, *, overdue: bool) -> Event:
    """Return what an answer to `step` says happened."""
    match step:
        case Step.CREATE:
            event = _create(saga, answer)
        case Step.CHARGE:
            event = _charge(saga, answer)
        case Step.FENCE:
            event = _fence(saga, answer)
        case Step.CONFIRM:
            event = _confirm(saga, answer)
        case Step.REFUND:
            event = _done(Step.REFUND) if answer.http_status == HTTPStatus.OK else None
        case Step.CANCEL:
            event = _cancel(saga, answer)
    return event or InDoubt(step=step, reason=_doubt(answer), overdue=overdue)


def order_in(body: Mapping[str, object], order_id: str) -> Ordered | None:
    """Return what `body` says of the order, if it is whole and about this order."""
    match body.get("order"):
        case {
            "orderId": found,
            "totalMinor": int(total_minor),
            "currency": str(currency),
            "status": str(status),
            **_rest,
        } if found == order_id:
            document = body["order"]
            assert isinstance(document, Mapping)
            return Ordered(
                total_minor=total_minor, currency=currency, status=status, document=document
            )
        case _:
            return None


def paid_in(body: Mapping[str, object], order_id: str) -> Paid | None:
    """Return what `body` says was charged for this order, if it says so whole."""
    match body.get("payment"):
        case {"orderId": found, "amountMinor": int(amount_minor), "currency": str(currency)} if (
            found == order_id
        ):
            return Paid(amount_minor=amount_minor, currency=currency)
        case _:
            return None


def _create(saga: Saga, answer: Answer) -> Event | None:
    if answer.http_status == HTTPStatus.OK:
        order = order_in(answer.body, saga.order_id)
        return None if order is None else Succeeded(step=Step.CREATE, order=order)
    code = answer.body.get("code")
    if answer.http_status == HTTPStatus.CONFLICT:
        if code == "cart_claimed" and (live := _order_id_in(answer.body)) is not None:
            return Claimed(order_id=live)
        if code == "order_canceled":
            return Refused(step=Step.CREATE, reason="order_canceled")
        return None
    return Refused(step=Step.CREATE, reason=_reason(answer)) if _is_definite(answer) else None


def _charge(saga: Saga, answer: Answer) -> Event | None:
    if answer.http_status == HTTPStatus.OK and answer.body.get("status") == "completed":
        paid = paid_in(answer.body, saga.order_id)
        return None if paid is None else Succeeded(step=Step.CHARGE, paid=paid)
    if not _is_definite(answer):
        return None
    if answer.body.get("status") == "failed":  # final for the order, whatever tries came before
        return Refused(step=Step.CHARGE, reason=_reason(answer))
    return Mismatched(reason=_reason(answer))


def _fence(saga: Saga, answer: Answer) -> Event | None:
    if answer.http_status == HTTPStatus.OK:
        return Succeeded(step=Step.FENCE)
    if answer.http_status == HTTPStatus.CONFLICT and answer.body.get("code") == "already_completed":
        paid = paid_in(answer.body, saga.order_id)
        return None if paid is None else AlreadyCharged(paid=paid)
    return None


def _confirm(saga: Saga, answer: Answer) -> Event | None:
    order = order_in(answer.body, saga.order_id)
    if answer.http_status == HTTPStatus.OK and order is not None and order.status == "confirmed":
        return Succeeded(step=Step.CONFIRM, order=order)
    code = answer.body.get("code")
    if answer.http_status == HTTPStatus.CONFLICT and code in _CONFIRM_REFUSALS:
        return Refused(step=Step.CONFIRM, reason=_reason(answer))
    return None


def _cancel(saga: Saga, answer: Answer) -> Event | None:
    order = order_in(answer.body, saga.order_id)
    if answer.http_status == HTTPStatus.OK and order is not None and order.status in _ROLLED_BACK:
        return Succeeded(step=Step.CANCEL, order=order)
    return None


def _done(step: Step) -> Event:
    return Succeeded(step=step)


def _order_id_in(body: Mapping[str, object]) -> str | None:
    match body.get("order"):
        case {"orderId": str(order_id)}:
            return order_id
        case _:
            return None


def _is_definite(answer: Answer) -> bool:
    client_error = (
        HTTPStatus.BAD_REQUEST <= answer.http_status < HTTPStatus.INTERNAL_SERVER_ERROR
        and answer.http_status not in _SAYS_NOTHING
    )
    return client_error and answer.body.get("definite") is True


def _reason(answer: Answer) -> str:
    reason = answer.body.get("reason") or answer.body.get("code") or answer.body.get("error")
    return reason if isinstance(reason, str) else "refused"


def _doubt(answer: Answer) -> str:
    reason = answer.body.get("code") or answer.body.get("status")
    return f"{answer.http_status} {reason}" if isinstance(reason, str) else str(answer.http_status)
