"""The shop as one shopper reaches it. Anything that is not definite becomes unknown, here only.

The document goes before the status code: a 500 that says `failed` is a promise, a 200 without an
order is none (INVARIANTS, definite and indefinite replies; `definite` is Maelstrom's word).
"""

import asyncio
import json
from typing import Any

import httpx

from checkout_sim.clients.poster import Poster
from checkout_sim.clients.transport import error_of
from checkout_sim.model.errors import StackDidNotStart
from checkout_sim.model.plan import Shopper
from checkout_sim.model.seen import Answered, Claim, Document, Ended

_NOT_SENT = frozenset({"refused", "connect_timeout"})
_REQUEST_TIMEOUT = 408
_STATUS_OF = {"pending", "confirmed", "failed", "canceled"}


class ShopClient:
    """Shoppers' requests through their link; carts and final look-ups through `direct`.

    Every client tells a request that was never sent from one that may have been: see
    `transport.py`. Orders are posted by `posting`, the lean one, to whoever coordinates them:
    they are the load. Cancels and look-ups go to the order service.
    """

    def __init__(
        self,
        *,
        posting: Poster,
        linked: httpx.AsyncClient,
        direct: httpx.AsyncClient,
        place_path: str = "/order/place",
    ) -> None:
        self._posting = posting
        self._place_path = place_path
        self._linked = linked
        self._direct = direct

    async def fill_cart(self, shopper: Shopper) -> None:
        """Put every line in the shopper's cart. Raises StackDidNotStart if the shop refuses."""
        for line in shopper.cart:
            body = {
                "userId": shopper.user,
                "productId": line.product,
                "quantity": line.quantity,
                "price": f"{line.price_minor // 100}.{line.price_minor % 100:02d}",
            }
            try:
                answer = await self._direct.post("/cart/add", json=body)
            except httpx.HTTPError as failure:
                message = f"order service: /cart/add for {shopper.user} did not answer: {failure!r}"
                raise StackDidNotStart(message) from failure
            if answer.status_code != httpx.codes.OK:
                message = (
                    f"order service: /cart/add for {shopper.user} answered {answer.status_code}, "
                    f"expected 200: {answer.text[:200]}"
                )
                raise StackDidNotStart(message)

    async def place(self, shopper: Shopper, *, key: str, card: str) -> Ended:
        """Post the order within the shopper's patience; never raises for what the wire does."""
        try:
            # Patience bounds the whole attempt; httpx's own limit bounds each wait in it.
            async with asyncio.timeout(shopper.patience_ms / 1000):
                http_status, body = await self._posting.post(
                    self._place_path,
                    {"userId": shopper.user, "paymentMethod": card},
                    {"Idempotency-Key": key},
                )
        except (httpx.HTTPError, TimeoutError) as failure:
            error = error_of(failure)
            claim: Claim = "refused" if error in _NOT_SENT else "unknown"
            return Ended(claim=claim, http_status=None, error=error, document=None)
        return understand(http_status, body)

    async def cancel(self, order_id: str) -> Answered:
        """Ask for a cancellation through the shopper's link."""
        try:
            answer = await self._linked.post("/order/cancel", json={"orderId": order_id})
        except httpx.HTTPError as failure:
            return Answered(http_status=None, error=error_of(failure))
        return Answered(http_status=answer.status_code, status=_status_in(answer.content))

    async def find(self, order_id: str) -> Answered:
        """Look an order up around the proxy."""
        try:
            answer = await self._direct.get(f"/order/{order_id}")
        except httpx.HTTPError as failure:
            return Answered(http_status=None, error=error_of(failure))
        return Answered(http_status=answer.status_code, status=_status_in(answer.content))

    async def close(self) -> None:
        """Close every client."""
        await self._posting.close()
        await self._linked.aclose()
        await self._direct.aclose()


def understand(http_status: int, body: bytes) -> Ended:
    """Return what an answer to /order/place definitely says; pure.

    confirmed or failed needs a whole order document; refused is a 4xx but 408 without one: this
    attempt did nothing. All else is unknown.
    """
    answer = _parse(body)
    document = _document(answer)
    claim: Claim = "unknown"
    if document is not None:
        if document.status == "confirmed":
            claim = "confirmed"
        elif document.status in {"failed", "canceled"}:
            claim = "failed"
    elif 400 <= http_status < 500 and http_status != _REQUEST_TIMEOUT:  # noqa: PLR2004 - HTTP's own
        claim = "refused"
    error = None if answer is not None else "unreadable"
    return Ended(claim=claim, http_status=http_status, error=error, document=document)


def _parse(body: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _document(answer: dict[str, Any] | None) -> Document | None:
    order = answer.get("order") if answer else None
    if not isinstance(order, dict):
        return None
    match order:
        case {
            "orderId": str(order_id),
            "status": str(status),
            "totalMinor": int(total_minor),
            "currency": str(currency),
        } if status in _STATUS_OF:
            return Document(
                order_id=order_id, status=status, total_minor=total_minor, currency=currency
            )
        case _:
            return None


def _status_in(body: bytes) -> str | None:
    answer = _parse(body)
    status = answer.get("status") if answer else None
    return status if isinstance(status, str) else None
