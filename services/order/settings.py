"""What the order service is told by its environment, prefix `ORDER_` (services/README.md).

Budgets are milliseconds before `time_scale`; the strategies get them scaled, as `Budgets`.
"""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from ..chassis.settings import ServiceSettings, known_strategy

Budget = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class OrderSettings(ServiceSettings):
    """The order service's own settings and budgets."""

    model_config = SettingsConfigDict(env_prefix="ORDER_")
    service: ClassVar[str] = "order"

    strategy: Annotated[str, AfterValidator(known_strategy)] = "naive"
    payment_url: str = "http://127.0.0.1:3001"
    broker_url: str = "amqp://guest:guest@127.0.0.1:3004/"
    broker_prefix: str = ""

    payment_try_ms: Budget = 3000
    payment_connect_ms: Budget = 300
    payment_tries: Count = 2
    payment_total_ms: Budget = 3500
    backoff_low_ms: Budget = 50
    backoff_high_ms: Budget = 100
    lease_ms: Budget = 4000
    tick_ms: Budget = 250
    retry_low_ms: Budget = 200
    retry_high_ms: Budget = 2000
    cancel_after_ms: Budget = 4000
    breaker_failures: Count = 5
    breaker_open_ms: Budget = 2000
    # choreographed
    answer_ms: Budget = 3000  # how long a placing request waits for the news
    broker_connect_ms: Budget = 1000
    broker_confirm_ms: Budget = 1000
    broker_reconnect_ms: Budget = 100
    broker_watch_ms: Budget = 1000
    message_tries: Count = 5
    message_retry_ms: Budget = 300
