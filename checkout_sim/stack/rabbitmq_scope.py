"""What one run leaves on a shared broker, and how it is removed again.

The names are those both services declare (services/README.md, "Messages"), with the run's prefix.
"""

import contextlib

from checkout_sim.amqp import within
from checkout_sim.model.broker import BROKER_EXCHANGE, BROKER_QUEUES

_LIMIT_S = 5.0


async def delete_scope(url: str, scope: str) -> None:
    """Delete the exchange and queues whose names begin with `scope`.

    A broker that does not answer keeps them until it is stopped, and that is soon.
    """
    import aio_pika  # noqa: PLC0415 - 60 ms that no other strategy needs to pay

    with contextlib.suppress(OSError, aio_pika.exceptions.AMQPError):
        await within(_LIMIT_S, _delete(url, scope))


async def _delete(url: str, scope: str) -> None:
    import aio_pika  # noqa: PLC0415 - as above

    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        for queue in BROKER_QUEUES:
            await channel.queue_delete(f"{scope}.{queue}")
        await channel.exchange_delete(f"{scope}.{BROKER_EXCHANGE}")
