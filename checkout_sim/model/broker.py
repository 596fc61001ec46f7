"""The broker as the tool knows it: its names (services/README.md, "Messages"), and its loss.

Names are without a run's prefix.
"""

from collections.abc import Iterator
from contextlib import contextmanager

BROKER_EXCHANGE = "checkout.events"
CONSUMED_QUEUES: tuple[str, ...] = ("payment.events", "order.events")
RETRY_QUEUES: tuple[str, ...] = tuple(f"{queue}.retry" for queue in CONSUMED_QUEUES)
DEAD_QUEUES: tuple[str, ...] = tuple(f"{queue}.dead" for queue in CONSUMED_QUEUES)
BROKER_QUEUES: tuple[str, ...] = CONSUMED_QUEUES + RETRY_QUEUES + DEAD_QUEUES


@contextmanager
def naming_loss() -> Iterator[None]:
    """Raise ConnectionError where aiormq raises a bare `Exception`.

    It does so of what is asked of a connection that has just broken (aiormq/base.py, FutureStore).
    """
    try:
        yield
    except Exception as error:
        if type(error) is Exception:
            raise ConnectionError("the connection has just broken") from error
        raise
