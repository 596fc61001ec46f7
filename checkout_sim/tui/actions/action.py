"""An action: one thing an operator can do, with its keys, its words and what it needs.

Takes nothing; the tables beside this file are made of these values. Key bindings, palette, `:`
line, help, footer, `keys.toml` and docs/tui.md are all generated from them.
"""

from dataclasses import dataclass
from typing import Literal

from checkout_sim.model.command import Command

# Where an action's keys work: everywhere, in every list, or on one view (a View's `name_`).
Scope = str
EVERYWHERE: Scope = "everywhere"
LISTS: Scope = "lists"
OPEN = "row.open"  # what enter does with the marked row

Section = Literal["", "faults", "moving", "session"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One row of the table.

    `id` is a noun and a verb ("fault.heal_all"): the view, or else the app, answers it in a method
    `do_fault_heal_all(*arguments)`. Where `command` is given and no such method exists, exactly
    that command is sent. `keys` are Textual's ("H", "ctrl+p", "question_mark"; single characters
    are written as typed), the first of them is shown. `parameters` name what the `:` line may add.
    A `harmful` action changes the world: it is off when read-only, when the terminal is too small,
    and while the run is in none of `phases` (empty: any). `hint` orders the footer, 0 is absent.
    """

    id: str
    title: str
    keys: tuple[str, ...] = ()
    scope: Scope = EVERYWHERE
    help: str = ""
    parameters: str = ""
    command: Command | None = None
    harmful: bool = False
    phases: tuple[str, ...] = ()
    hint: int = 0
    section: Section = ""

    @property
    def method(self) -> str:
        """Return the name of the method that answers it."""
        return f"do_{self.id.replace('.', '_')}"
