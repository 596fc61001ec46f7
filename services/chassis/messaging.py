"""The topology of the broker, which every service declares whole before it publishes.

A mandatory publication to a queue that its reader has not declared yet would be returned, so
nobody relies on the other's start. Classic durable queues: quorum queues killed half a second
after their declaration stayed without a leader (measured on RabbitMQ 3.10).

    checkout.events ──order.*────▶ payment.events ──rejected──▶ payment.events.retry ──TTL──┐
    (topic)                            ▲     │                                              │
                                       │     └─ after `message_tries` ─▶ payment.events.dead│
                                       └────────────────────────────────────────────────────┘
    and likewise payment.* ─▶ order.events
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aio_pika.exceptions import AMQPError
from faststream.rabbit import ExchangeType, RabbitExchange, RabbitQueue

# How a connection's end shows. RuntimeError is aio-pika's "connection closed"; StopAsyncIteration
# what aiormq lets escape when a connection ends during its handshake.
LOST = (OSError, AMQPError, RuntimeError, StopAsyncIteration)


@contextmanager
def naming_loss() -> Iterator[None]:
    """Raise ConnectionError, one of LOST, where aiormq raises a bare `Exception`.

    It does so of what is asked of a connection that has just broken (aiormq/base.py, FutureStore).
    """
    try:
        yield
    except Exception as error:
        if type(error) is Exception:
            raise ConnectionError("the connection has just broken") from error
        raise


_EXCHANGE = "checkout.events"
BINDINGS = {"payment.events": "order.*", "order.events": "payment.*"}


class NotPublished(Exception):
    """Nobody confirmed this publication: it may have arrived, or arrive yet. Send it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The names of one run: several share a broker, told apart by `prefix`."""

    prefix: str
    retry_ms: int

    def name(self, queue: str) -> str:
        """Return what a queue or exchange is called on the broker."""
        return f"{self.prefix}.{queue}" if self.prefix else queue

    def retry(self, queue: str) -> str:
        """Return the queue where a rejected message waits for its next delivery."""
        return f"{self.name(queue)}.retry"

    def dead(self, queue: str) -> str:
        """Return the queue of those that are not tried again."""
        return f"{self.name(queue)}.dead"

    @property
    def events(self) -> RabbitExchange:
        """Return the exchange that everything is published to."""
        return RabbitExchange(self.name(_EXCHANGE), type=ExchangeType.TOPIC, durable=True)

    def queue(self, queue: str) -> RabbitQueue:
        """Return a queue to subscribe to, declared and bound already."""
        return RabbitQueue(self.name(queue), durable=True, declare=False, robust=False)


async def declare(topology: Topology, channel: Any) -> None:
    """Declare everything both services use; what stands already is left as it is.

    `channel` is aio_pika's. Raises its AMQPError when something stands with other properties.
    """
    exchange = await channel.declare_exchange(
        topology.events.name, ExchangeType.TOPIC.value, durable=True, robust=False
    )
    for queue, topic in BINDINGS.items():
        name = topology.name(queue)
        back: dict[str, Any] = _dead_lettering_to(name)
        await channel.declare_queue(
            topology.retry(queue),
            durable=True,
            arguments=back | {"x-message-ttl": topology.retry_ms},
            robust=False,
        )
        await channel.declare_queue(topology.dead(queue), durable=True, robust=False)
        declared = await channel.declare_queue(
            name, durable=True, arguments=_dead_lettering_to(topology.retry(queue)), robust=False
        )
        await declared.bind(exchange, topic, robust=False)


def _dead_lettering_to(queue: str) -> Any:
    """Return the arguments that send what is rejected or expires to another queue."""
    return {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": queue}
