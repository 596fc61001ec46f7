"""What the parts of the orchestrator are given: its collaborators."""

from collections.abc import Callable
from dataclasses import dataclass

from ..chassis.clock import Clock
from ..chassis.database import Database
from ..chassis.ids import Ids
from ..chassis.logs import EventLog
from .participants import Participant
from .saga import Command, Event, Saga
from .settings import OrchestratorSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Everything with an effect, and the strategy, which has none."""

    settings: OrchestratorSettings
    clock: Clock
    ids: Ids
    events: EventLog
    db: Database
    order: Participant
    payment: Participant
    next_command: Callable[[Saga, Event], Command]

    def lease_until_ms(self) -> int:
        """Return when a lease taken or renewed now ends."""
        return self.clock.now_ms() + round(self.settings.scaled(self.settings.lease_ms))
