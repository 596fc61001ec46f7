"""naive: the reference design, faithfully wrong.

1. shopper → order `POST /order/place`
2. order commits `pending`
3. order → payment `POST /payment/process`: one try, no key
4. order commits `confirmed` and, in a second commit, clears the cart; or commits `failed` on any
   error or timeout, and says so

Not survived: a lost or late answer (charged, told failed), a resend (a second order, charged
again), a crash (stuck for ever), a cancel during the charge (the late answer overwrites it).
Wrong on purpose: mend it elsewhere. Its scenarios must catch it, or the suite is blind.
"""

import json
from collections.abc import Coroutine, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from sqlalchemy import Connection

from ...chassis.errors import ServiceError
from ...chassis.http_client import Link
from .. import replies, store
from ..cart import MAX_TOTAL_MINOR, total_minor
from ..context import Context
from ..order import Order, Status
from ..payments import FAILURES, Sender
from ..replies import Reply
from ..schemas import DEFAULT_CARD, Place, amount_of, order_doc


class PaymentServiceError(Exception):
    """What axios would have thrown: a transport error, a timeout, or any status but 2xx."""


class Naive:
    """The reference design's order service."""

    reads_client_keys = False

    def __init__(self, context: Context) -> None:
        self._context = context
        settings = context.settings
        try_ms = settings.scaled(settings.payment_try_ms)
        self._sender = Sender(context.http, try_ms=try_ms)
        self._link = Link(
            "order_to_payment", events=context.events, clock=context.clock, ids=context.ids
        )

    async def place(self, wish: Place, client_key: str | None) -> Reply:  # noqa: ARG002 - ignored
        """Record the order, ask payment once, believe what is heard."""
        db = self._context.db
        order = await db.run(self._record, wish)
        self._context.events.emit(
            "order.created",
            order=order.id,
            user_id=order.user_id,
            total_minor=order.total_minor,
            currency=order.currency,
            card=order.card,
        )
        try:
            answer = await self._charge(order)
        except PaymentServiceError as error:
            raise await self._failed(
                order, HTTPStatus.INTERNAL_SERVER_ERROR, "Payment service error", str(error)
            ) from None
        if answer.get("status") != "completed":
            raise await self._failed(order, HTTPStatus.BAD_REQUEST, "Payment failed", None)
        order = await self._overwrite(order.id, Status.CONFIRMED, None)
        await db.run(store.clear_cart, order.user_id)
        return replies.placed(order)

    async def cancel(self, order_id: str) -> Reply:
        """Cancel whatever the order is by now, and tell payment nothing."""
        order = await self._overwrite(order_id, Status.CANCELED, "shopper_canceled")
        return Reply(status=HTTPStatus.OK, body=order_doc(order))

    def workers(self) -> Sequence[Coroutine[Any, Any, None]]:
        """Nobody recovers anything."""
        return ()

    def _record(self, conn: Connection, wish: Place) -> Order:
        lines = store.lines_of(conn, wish.user_id)
        total = total_minor(lines)
        if not lines:
            raise replies.cart_empty()
        if not 1 <= total <= MAX_TOTAL_MINOR:
            raise replies.unpayable(total, MAX_TOTAL_MINOR)
        order = Order(
            id=self._context.ids.new("ord"),
            user_id=wish.user_id,
            lines=lines,
            total_minor=total,
            currency="usd",
            card=wish.payment_method,
            status=Status.PENDING,
            created_at_ms=self._context.clock.now_ms(),
        )
        store.add_order(conn, order)
        return order

    async def _charge(self, order: Order) -> Mapping[str, Any]:
        body: dict[str, object] = {
            "orderId": order.id,
            "userId": order.user_id,
            "amount": amount_of(order.total_minor),
        }
        if order.card != DEFAULT_CARD:
            body["paymentMethod"] = order.card
        try:
            with self._link.call("process", order=order.id) as call:
                response = await self._sender.post("process", body, key=None)
                call.http_status = response.status_code
                answer = json.loads(response.content)
        except (*FAILURES, ValueError) as error:
            raise PaymentServiceError(str(error) or type(error).__name__) from None
        if not response.is_success:
            raise PaymentServiceError(f"Request failed with status code {response.status_code}")
        return answer if isinstance(answer, dict) else {}

    async def _failed(
        self, order: Order, status: HTTPStatus, sentence: str, message: str | None
    ) -> ServiceError:
        order = await self._overwrite(order.id, Status.FAILED, message)
        return ServiceError(
            status,
            sentence.lower().replace(" ", "_"),
            sentence,
            details=[{"field": "payment", "message": message}] if message else None,
            extra={"order": order_doc(order)},
        )

    async def _overwrite(self, order_id: str, status: Status, reason: str | None) -> Order:
        """Write `status` blindly: the last writer wins, whoever was right."""
        order = await self._context.db.run(store.overwrite_status, order_id, status, reason)
        if order is None:
            raise replies.order_not_found(order_id)
        self._context.events.emit(f"order.{status.value}", order=order.id, reason=reason)
        return order
