"""What one run leaves on a shared broker, and how it is removed again.

The names are those both services declare (services/README.md, "Messages"), with the run's prefix.
"""

import asyncio
import contextlib

from checkout_sim.model.broker import BROKER_EXCHANGE, BROKER_QUEUES, naming_loss

_LIMIT_S = 5.0


async def delete_scope(url: str, scope: str) -> None:
    """Delete the exchange and queues whose names begin with `scope`.

    A broker that does not answer keeps them until it is stopped, and that is soon.
    """
    import aio_pika  # noqa: PLC0415 - 60 ms that no other strategy needs to pay

    with contextlib.suppress(OSError, aio_pika.exceptions.AMQPError), naming_loss():
        async with asyncio.timeout(_LIMIT_S):
            connection = await aio_pika.connect(url)
            async with connection:
                channel = await connection.channel()
                for queue in BROKER_QUEUES:
                    await channel.queue_delete(f"{scope}.{queue}")
                await channel.exchange_delete(f"{scope}.{BROKER_EXCHANGE}")
