"""The payment service's settings: `PAYMENT_…` (services/README.md); budgets in ms, unscaled."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from ..chassis.settings import ServiceSettings, known_strategy


class PaymentSettings(ServiceSettings):
    """Everything payment is told at start."""

    model_config = SettingsConfigDict(env_prefix="PAYMENT_", frozen=True, extra="forbid")
    service: ClassVar[str] = "payment"

    strategy: Annotated[str, AfterValidator(known_strategy)] = "naive"
    gateway_url: str = Field(default="http://127.0.0.1:3003", pattern=r"^https?://")
    broker_url: str = "amqp://guest:guest@127.0.0.1:3004/"
    broker_prefix: str = ""
    stripe_key: SecretStr = SecretStr("sk_test_simulator")
    webhook_secret: SecretStr = Field(default=SecretStr("whsec_simulator"), min_length=1)

    gateway_try_ms: float = Field(default=800, gt=0)
    gateway_connect_ms: float = Field(default=300, gt=0)
    gateway_tries: int = Field(default=3, ge=1)
    gateway_total_ms: float = Field(default=2600, gt=0)
    backoff_low_ms: float = Field(default=50, ge=0)
    backoff_high_ms: float = Field(default=100, ge=0)
    lease_ms: float = Field(default=2000, gt=0)
    tick_ms: float = Field(default=250, gt=0)
    retry_low_ms: float = Field(default=200, gt=0)
    retry_high_ms: float = Field(default=2000, gt=0)
    fence_after_ms: float = Field(default=4000, gt=0)
    breaker_failures: int = Field(default=5, ge=1)
    breaker_open_ms: float = Field(default=2000, gt=0)
    # choreographed
    broker_connect_ms: float = Field(default=1000, gt=0)
    broker_confirm_ms: float = Field(default=1000, gt=0)
    broker_reconnect_ms: float = Field(default=100, gt=0)
    broker_watch_ms: float = Field(default=1000, gt=0)
    message_tries: int = Field(default=5, ge=1)
    message_retry_ms: float = Field(default=300, gt=0)

    @field_validator("stripe_key")
    @classmethod
    def _only_test_keys(cls, key: SecretStr) -> SecretStr:
        """Refuse a live key, unprinted: this simulator charges for sport."""
        if not key.get_secret_value().startswith(("sk_test_", "rk_test_")):
            raise ValueError("only Stripe test keys are accepted: sk_test_… or rk_test_…")
        return key
