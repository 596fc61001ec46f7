"""The gateway's settings, from the environment with the prefix `GATEWAY_`."""

from typing import ClassVar

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from ..chassis.settings import ServiceSettings


class GatewaySettings(ServiceSettings):
    """What every service is told, and how this one paces itself; `_ms` before scaling."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", frozen=True, extra="forbid")
    service: ClassVar[str] = "gateway"

    search_lag_ms: int = Field(default=1000, ge=0)  # Stripe: "typically under a minute"
    rate_limit: int = Field(default=0, ge=0)  # requests per second; 0: off
    refund_settles_ms: int = Field(default=1000, ge=0)  # pm_card_pendingRefund, pm_card_refundFail
    webhook_url: str = Field(default="", pattern="^(https?://.+)?$")  # base URL; empty: none
    webhook_secret: SecretStr = Field(default=SecretStr("whsec_simulator"), min_length=1)
    webhook_silence_ms: int = Field(default=1000, gt=0)  # an endpoint this long silent has failed

    @field_validator("database_url")
    @classmethod
    def _journal_in_sqlite(cls, url: str) -> str:
        """Refuse a database that faults may strike: the journal is the evidence."""
        if url:
            raise ValueError("the gateway keeps its journal in SQLite; leave the URL out")
        return url
