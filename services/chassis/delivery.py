"""A message as a consumer meets it: read once, counted honestly, and what may be wrong with it.

Takes what the broker delivered; gives a `Delivery`. `deliveries` counts from 1 and only what was
rejected before (`x-death`, RabbitMQ "Dead Letter Exchanges"), not what a broken connection brought
back: a consumer that dies with a message is no fault of the message.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

ORDER_HEADER = "order-id"
TOPIC_HEADER = "topic"  # a routing key is lost on the way through a retry queue


class Unhandled(Exception):
    """The message cannot be handled now: unreadable, contradicting, or of an unknown order.

    Raised by a handler before it has changed anything. The message is tried again later, and set
    aside in the dead queue after so many deliveries.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One delivery of one message; `message_id` is None where a message carries none."""

    consumer: str
    message_id: str | None
    topic: str
    order: str | None
    body: bytes
    deliveries: int

    def document(self) -> Mapping[str, Any]:
        """Return the body as a JSON object; Unhandled when it is none."""
        try:
            document = json.loads(self.body)
        except ValueError as error:
            raise Unhandled(f"the body is not JSON: {error}") from None
        if not isinstance(document, dict):
            raise Unhandled("the body is not a JSON object")
        return document


class Handler(Protocol):
    """What a service does about a message."""

    async def __call__(self, delivery: Delivery) -> None:
        """Commit the effect of a message, with its inbox row, once; Unhandled leaves it for later.

        DatabaseUnavailable means that nobody knows: it is called again with the same message.
        """
        ...


def text_of(document: Mapping[str, Any], name: str) -> str:
    """Return a field that must be a text; Unhandled names it otherwise."""
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise Unhandled(f"{name} is {value!r:.40}, expected a text")
    return value


def amount_of(document: Mapping[str, Any], name: str) -> int:
    """Return a field that must be a whole number above nought; Unhandled names it otherwise."""
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise Unhandled(f"{name} is {value!r:.40}, expected minor units above 0")
    return value


def rejections_of(headers: Mapping[str, Any], queue: str) -> int:
    """Return how often this message was rejected from `queue` before."""
    deaths = headers.get("x-death")
    if not isinstance(deaths, list):
        return 0
    return sum(
        int(death.get("count", 0))
        for death in deaths
        if isinstance(death, dict)
        and death.get("queue") == queue
        and death.get("reason") == "rejected"
    )
