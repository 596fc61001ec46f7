"""The broker's names as the tool knows them (services/README.md, "Messages"), without prefix."""

BROKER_EXCHANGE = "checkout.events"
CONSUMED_QUEUES: tuple[str, ...] = ("payment.events", "order.events")
RETRY_QUEUES: tuple[str, ...] = tuple(f"{queue}.retry" for queue in CONSUMED_QUEUES)
DEAD_QUEUES: tuple[str, ...] = tuple(f"{queue}.dead" for queue in CONSUMED_QUEUES)
BROKER_QUEUES: tuple[str, ...] = CONSUMED_QUEUES + RETRY_QUEUES + DEAD_QUEUES
