"""What a saga's steps did here, kept under their keys so that each takes effect once.

The answer is written in the transaction of the effect: who asks again under the same key gets it
word for word, whether or not the first answer arrived. An undo of an order that was never created
leaves a tombstone, an order born canceled, and answers the create that may still come (R5).

Transaction functions: they take a Core connection, never await and never commit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, bindparam, select

from ..chassis.database import Prepared
from ..chassis.errors import ServiceError
from . import commits
from .answers import Charged
from .commits import Fresh, Intent
from .order import Lease, Order, Status
from .replies import key_reused, order_not_found
from .schemas import order_doc
from .store import add_order, order_by_id
from .tables import APPLIED, insert_into

_BY_KEY = Prepared(
    select(APPLIED.c.request_hash, APPLIED.c.http_status, APPLIED.c.response).where(
        APPLIED.c.key == bindparam("the_key")
    )
)
_KEEP = insert_into(APPLIED, "key", "request_hash", "http_status", "response")

_SAGA_FENCE = 1  # an order of a saga has one owner, the saga, which holds a fence of its own
_FROM_ANY_BODY = ""  # the hash under which a tombstone answers a step that never came


@dataclass(frozen=True, slots=True, kw_only=True)
class StepKey:
    """Which step of which saga asks, and the digest of what it asks."""

    key: str
    request_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The answer to a step: status and JSON text, and the order if this call has changed it."""

    http_status: int
    response: str
    changed: Order | None = None
    is_repeated: bool = False


def create(conn: Connection, step: StepKey, intent: Intent) -> Applied:
    """Take the cart's lines and write the order; a refusal is kept like an answer."""
    known = _known(conn, step)
    if known is not None:
        return known
    try:
        admitted = commits.admit(conn, intent)
    except ServiceError as refused:  # raised before anything was written
        return _kept(conn, step, refused.status, refused.body())
    if isinstance(admitted, Fresh):
        order = admitted.order
        return _kept(conn, step, HTTPStatus.OK, {"order": order_doc(order)}, changed=order)
    return _kept(conn, step, HTTPStatus.CONFLICT, _claimed(admitted.order))


def confirm(conn: Connection, step: StepKey, order_id: str, paid: Charged) -> Applied:
    """Commit R8, or refuse for good; 404 for an order that was never created."""
    known = _known(conn, step)
    if known is not None:
        return known
    order = order_by_id(conn, order_id)
    if order is None:
        raise order_not_found(order_id)
    if commits.confirm(conn, order, _lease(order), paid):
        order = replace(order, status=Status.CONFIRMED)
        return _kept(conn, step, HTTPStatus.OK, {"order": order_doc(order)}, changed=order)
    return _kept(conn, step, HTTPStatus.CONFLICT, _unconfirmed(order))


def cancel(conn: Connection, step: StepKey, undo: Order, create_key: str) -> Applied:
    """Undo the creation of an order: roll it back, or leave `undo`, which is rolled back, instead.

    `undo` holds the id, the shopper, the status and the reason. 409 if the order is confirmed.
    """
    known = _known(conn, step)
    if known is not None:
        return known
    order = order_by_id(conn, undo.id)
    if order is None:
        add_order(conn, undo, fence=_SAGA_FENCE)
        if _BY_KEY(conn, the_key=create_key).fetchone() is None:
            late = StepKey(key=create_key, request_hash=_FROM_ANY_BODY)
            _kept(conn, late, HTTPStatus.CONFLICT, _gone(undo))
        return _kept(conn, step, HTTPStatus.OK, {"order": order_doc(undo)}, changed=undo)
    reason = undo.reason or undo.status.value
    if commits.roll_back(conn, order, _lease(order), undo.status, reason):
        order = replace(order, status=undo.status, reason=reason)
        return _kept(conn, step, HTTPStatus.OK, {"order": order_doc(order)}, changed=order)
    if order.status is Status.CONFIRMED:
        return _kept(conn, step, HTTPStatus.CONFLICT, _confirmed(order))
    return _kept(conn, step, HTTPStatus.OK, {"order": order_doc(order)})


def _known(conn: Connection, step: StepKey) -> Applied | None:
    row = _BY_KEY(conn, the_key=step.key).fetchone()
    if row is None:
        return None
    request_hash, http_status, response = row
    if request_hash not in {step.request_hash, _FROM_ANY_BODY}:
        raise key_reused()
    return Applied(http_status=http_status, response=response, is_repeated=True)


def _kept(
    conn: Connection,
    step: StepKey,
    http_status: int,
    body: Mapping[str, Any],
    *,
    changed: Order | None = None,
) -> Applied:
    response = to_json(body).decode()
    _KEEP(
        conn,
        key=step.key,
        request_hash=step.request_hash,
        http_status=int(http_status),
        response=response,
    )
    return Applied(http_status=int(http_status), response=response, changed=changed)


def _lease(order: Order) -> Lease:
    return Lease(order_id=order.id, fence=_SAGA_FENCE)


def _claimed(live: Order) -> dict[str, Any]:
    sentence = f"The cart is held by order {live.id}, which is not decided yet."
    return _refusal("cart_claimed", sentence, live)


def _gone(order: Order) -> dict[str, Any]:
    return _refusal(
        "order_canceled", f"Order {order.id} was canceled before it was created.", order
    )


def _confirmed(order: Order) -> dict[str, Any]:
    sentence = f"Order {order.id} is confirmed and can no longer be canceled."
    return _refusal("order_confirmed", sentence, order)


def _unconfirmed(order: Order) -> dict[str, Any]:
    if order.is_decided:
        sentence = f"Order {order.id} is {order.status.value}."
        return _refusal("order_canceled", sentence, order)
    if order.cancel_wanted:
        sentence = f"The shopper wants order {order.id} back."
        return _refusal("cancel_wanted", sentence, order) | {"reason": order.reason}
    sentence = f"Order {order.id} costs something else than was paid."
    return _refusal("amount_mismatch", sentence, order)


def _refusal(code: str, sentence: str, order: Order) -> dict[str, Any]:
    return {"error": sentence, "code": code, "definite": True, "order": order_doc(order)}
