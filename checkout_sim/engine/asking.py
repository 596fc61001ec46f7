"""Who asked for something, and how to answer: one command with its way back.

A command is acknowledged when it is taken; what turns out later not to be possible is told to the
same subscriber as a Nack of the same command.
"""

from collections.abc import Callable
from dataclasses import dataclass

from checkout_sim.engine.refusing import Refusal
from checkout_sim.model.answer import Ack, Answer, Nack, NackCode
from checkout_sim.model.command import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A command under way."""

    command_id: str
    by: str
    command: Command
    tell: Callable[[Answer], None]

    def taken(self, *, first_id: int = 0, message: str = "") -> None:
        """Acknowledge; `first_id` is the observation where an effect may first be seen."""
        self.tell(Ack(command_id=self.command_id, id=first_id, message=message))

    def refused(self, refusal: Refusal) -> None:
        """Say why it is not carried out."""
        self.failed(refusal.code, refusal.message, refusal.hint)

    def failed(self, code: NackCode, message: str, hint: str = "") -> None:
        """Say that it could not be carried out after all."""
        self.tell(Nack(command_id=self.command_id, code=code, message=message, hint=hint))
