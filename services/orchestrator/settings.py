"""What the orchestrator is told by its environment, prefix `ORCHESTRATOR_` (services/README.md).

Budgets are milliseconds before `time_scale`.
"""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from ..chassis.settings import ServiceSettings
from .strategies import STRATEGIES

Budget = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


def _offered(name: str) -> str:
    if name not in STRATEGIES:
        raise ValueError(f'found "{name}", expected one of: {", ".join(STRATEGIES)}')
    return name


class OrchestratorSettings(ServiceSettings):
    """The orchestrator's own settings and budgets."""

    model_config = SettingsConfigDict(env_prefix="ORCHESTRATOR_")
    service: ClassVar[str] = "orchestrator"

    strategy: Annotated[str, AfterValidator(_offered)] = "orchestrated"
    order_url: str = "http://127.0.0.1:3000"
    payment_url: str = "http://127.0.0.1:3001"

    order_try_ms: Budget = 500
    order_connect_ms: Budget = 300
    order_tries: Count = 3
    order_total_ms: Budget = 1800
    payment_try_ms: Budget = 3000
    payment_connect_ms: Budget = 300
    payment_tries: Count = 2
    payment_total_ms: Budget = 3500
    backoff_low_ms: Budget = 50
    backoff_high_ms: Budget = 100
    answer_ms: Budget = 4500
    lease_ms: Budget = 4000
    tick_ms: Budget = 250
    retry_low_ms: Budget = 200
    retry_high_ms: Budget = 2000
    cancel_after_ms: Budget = 4000
    breaker_failures: Count = 5
    breaker_open_ms: Budget = 2000
