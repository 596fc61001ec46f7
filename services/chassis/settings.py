"""A service's settings, taken from the environment by its prefix (services/README.md).

`from_environ` reads a mapping, not the process, so that a fork server can start a service with
an environment of its own. Budgets end in `_ms` and are used through `scaled`.
"""

import os
import sys
from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from .clock import Clock
from .ids import Ids
from .logs import EventLog

EXIT_USAGE = 2
STRATEGIES = ("naive", "hardened", "orchestrated", "choreographed")


class ServiceSettings(BaseSettings):
    """What every service is told; each adds its own fields and sets `env_prefix` and `service`."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid")
    service: ClassVar[str]

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)  # 0: any free one, told by process.listening
    database: str = ":memory:"
    database_url: str = Field(default="", pattern="^(postgresql://.+)?$")  # wins over database
    instance: str = ""
    replica: int = Field(default=1, ge=1)
    time_scale: float = Field(default=1.0, gt=0)
    seed: int | None = None
    parent_pid: int | None = None
    events: str = Field(default="stdout", pattern="^(stdout|off)$")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings names the arguments
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read nothing but what is passed: the environment comes through `from_environ`."""
        return (init_settings,)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Return the settings in `environ` (default: the process's own); empty means unset.

        On a value that is wrong, writes one line per fault to stderr, without the value (it may
        be a key), and raises SystemExit(2).
        """
        found = os.environ if environ is None else environ
        prefix = str(cls.model_config.get("env_prefix", ""))
        names = {field: f"{prefix}{field.upper()}" for field in cls.model_fields}
        values = {field: found[name] for field, name in names.items() if found.get(name)}
        try:
            return cls(**values)  # type: ignore[arg-type] # pydantic reads the strings
        except ValidationError as wrong:
            for error in wrong.errors(include_url=False, include_input=False):
                field = str(error["loc"][0]) if error["loc"] else cls.__name__
                sys.stderr.write(f"{names.get(field, field)}: {error['msg']}\n")
            raise SystemExit(EXIT_USAGE) from None

    def scaled(self, ms: float) -> float:
        """Return a budget of `ms` milliseconds as this run counts them."""
        return ms * self.time_scale

    def ids(self) -> Ids:
        """Return the source of identifiers; seeded, it repeats for the same instance token."""
        return Ids(self.seed, salt=f"{self.instance}/{self.replica}")

    def event_log(self, clock: Clock) -> EventLog:
        """Return the event log the settings ask for: standard output, or none."""
        return EventLog(clock, fd=1 if self.events == "stdout" else None)


def known_strategy(name: str) -> str:
    """Return `name` if it is a built strategy; raise ValueError naming those that are."""
    if name not in STRATEGIES:
        raise ValueError(f'found "{name}", expected one of: {", ".join(STRATEGIES)}')
    return name
