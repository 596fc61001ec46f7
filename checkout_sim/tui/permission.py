"""Whether a command may leave now: read-only, wrong phase, or a terminal too small to see harm.

Takes a command and where things stand; gives a sentence that refuses it, or nothing. The engine
refuses for itself as well; this is said sooner and dims keys before they are pressed.
"""

from dataclasses import dataclass

from checkout_sim.model.command import (
    Adjust,
    Buy,
    Close,
    Command,
    DraftScenario,
    Inject,
    Kill,
    LiftAll,
    Pause,
    Redo,
    Restart,
    SaveScenario,
    Subscribe,
)

LEAST_COLUMNS, LEAST_ROWS = 60, 18

# What leaves the world as it is.
_HARMLESS = (Subscribe, DraftScenario)
_IN_STORM_ONLY = (Buy, Inject, Adjust, Kill, Pause, Redo, Restart)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standpoint:
    """Where things stand: the run's phase and the terminal's size in cells."""

    phase: str
    columns: int
    rows: int
    read_only: bool = False
    cuttable: bool = False  # a recorded run of our own: unchangeable, but scenarios are cut from it
    alive: bool = True  # whether an engine listens

    @property
    def too_small(self) -> bool:
        """Return whether a person could not see what a key would do."""
        return self.columns < LEAST_COLUMNS or self.rows < LEAST_ROWS


def refusal(command: Command, at: Standpoint) -> str:  # noqa: PLR0911 - one for each reason
    """Return why a command must not leave now; empty where it may.

    Healing and quitting are never refused for size or phase: harm is undoable at every moment.
    """
    if isinstance(command, _HARMLESS):
        return ""
    if not at.alive:
        return "the engine has ended: nothing is running that could be changed; ctrl+q leaves"
    allowed = isinstance(command, Close) or (at.cuttable and isinstance(command, SaveScenario))
    if at.read_only and not allowed:
        return "this is read-only: watching changes nothing"
    if isinstance(command, LiftAll | Close):
        return ""
    if at.too_small:
        return f"too small to act: H heals; resize to {LEAST_COLUMNS}x{LEAST_ROWS} or more"
    if isinstance(command, _IN_STORM_ONLY) and at.phase != "storm":
        return f"not in phase {at.phase}: shoppers and faults belong to the storm"
    return ""
