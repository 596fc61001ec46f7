"""`POST /webhooks/stripe`: one more source of truth beside the answers and the reconciler's reads.

1. gateway → payment, over gateway_to_payment: an event, signed over its raw body
2. payment verifies it (400 else: nothing is read of a forgery), parses it
3. payment commits the inbox row ("stripe", event.id) and the change together; answers 200
   (on a database error 500: the gateway sends it again)

Nothing depends on it: what never comes, or comes late, twice or out of order, the reconciler finds
by reading.
"""

import json
from functools import partial

from sqlalchemy import Connection

from ..chassis import inbox
from ..chassis.errors import DatabaseUnavailable, ServiceError
from . import signing, store
from .context import Context, Reply, Strategy
from .hearing import StripeEvent, after_event, event_of
from .payment import UNDECIDED, Payment, Phase, wire_status

CONSUMER = "stripe"


class Webhooks:
    """Hears events; one object per process, no state of its own."""

    def __init__(self, context: Context, strategy: Strategy) -> None:
        self._context = context
        self._record = strategy.record
        self._secret = context.settings.webhook_secret.get_secret_value()

    async def hear(self, body: bytes, signature: str | None) -> Reply:
        """Take one delivery. ServiceError: 400 for what is not genuine, 500 for a database's."""
        event = self._genuine(body, signature)
        events = self._context.events
        events.emit(
            "payment.webhook_received", order=event.order_id, event_id=event.id, type=event.type
        )
        try:
            before, after, new = await self._context.db.run(
                self._apply, event, now_ms=self._context.clock.now_ms()
            )
        except DatabaseUnavailable as problem:
            raise ServiceError(500, "not_recorded", problem.error, definite=False) from problem
        order = event.order_id if after is None else after.order_id
        if after is not None and after.phase is Phase.CANCELED and after != before:
            events.emit("payment.canceled", order=order)
        kind = "message.handled" if new else "message.deduplicated"
        events.emit(kind, order=order, consumer=CONSUMER, message_id=event.id, topic=event.type)
        if after != before:
            self._context.wake.set()
        return Reply(status=200, body={"received": True})

    def _genuine(self, body: bytes, signature: str | None) -> StripeEvent:
        now_s = self._context.clock.now_ms() / 1000
        try:
            text = signing.verify(body, signature, self._secret, now_s=now_s)
        except signing.NotGenuine as problem:
            self._context.events.emit("payment.webhook_refused", reason=str(problem))
            sentence = f"The webhook is not genuine: {problem}."
            raise ServiceError(400, "signature_invalid", sentence) from None
        try:
            event = event_of(json.loads(text))
        except ValueError:
            event = None
        if event is None:
            raise ServiceError(400, "not_an_event", "The body is no event of Stripe's.")
        return event

    def _apply(
        self, connection: Connection, event: StripeEvent, *, now_ms: int
    ) -> tuple[Payment | None, Payment | None, bool]:
        """Write the inbox row and the change; return the row before and after, and if it is new."""
        before = _about(connection, event)
        order_id = event.order_id if before is None else before.order_id
        if not inbox.admit(connection, CONSUMER, event.id, order_id):
            return before, before, False
        if before is None:  # not of this service's making
            return None, None, True
        after = after_event(before, event, now_ms=now_ms)
        if after == before:
            return before, before, True
        decided = after.phase is not before.phase and after.phase not in UNDECIDED
        written = partial(self._tell_written, after) if decided else None
        return before, self._record(connection, before, after, written=written), True

    def _tell_written(self, after: Payment) -> None:
        self._context.events.emit(
            "payment.result_written", order=after.order_id, status=wire_status(after.phase)
        )


def _about(connection: Connection, event: StripeEvent) -> Payment | None:
    """Return the payment an event is about: by its PaymentIntent, else by the order it names."""
    found = None
    if event.payment_intent is not None:
        found = store.of_intent(connection, event.payment_intent)
    if found is None and event.order_id is not None:
        found = store.of_order(connection, event.order_id)
    return found
