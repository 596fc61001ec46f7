"""The chapters, by name: the orchestrator has a part in one only."""

from collections.abc import Callable, Mapping

from ..saga import Command, Event, Saga
from .orchestrated import next_command

STRATEGIES: Mapping[str, Callable[[Saga, Event], Command]] = {"orchestrated": next_command}
