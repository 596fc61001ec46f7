"""What can go wrong in the tool itself, as one small tree.

    CheckoutSimError
    ├── ScenarioInvalid       a scenario file cannot be used; carries every Problem found
    ├── ScenarioNotFound      no scenario goes by the name given, or there is nothing to run
    ├── StrategyUnknown       a strategy that does not exist
    ├── StackDidNotStart      a service, a port or the proxy server could not be had
    ├── FaultNotApplied       a fault was asked for and the read-back says otherwise
    ├── LedgerUnreadable      a service did not say what it finally believes
    ├── RunNotKept            the disk or the folder refuses what a run must leave behind
    ├── RunNotFound           no archived run goes by the name given
    ├── NotReplayable         an archived run had no plan that could be carried out again
    ├── HistoryUnreadable     an archived run cannot be read or is too old
    └── EngineGone            no engine listens, or it ended while it was being asked

Every message says where, what was found, what was expected, and the next step when there is one.
Front ends map these classes to exit codes (`cli/exits.py`); nothing else does.
"""

from dataclasses import dataclass


class CheckoutSimError(Exception):
    """Anything the tool tells a person instead of showing a traceback."""


class ScenarioNotFound(CheckoutSimError):
    """No file, folder or shipped scenario goes by that name, or none is left to run."""


class StrategyUnknown(CheckoutSimError):
    """The strategy named does not exist."""


class StackDidNotStart(CheckoutSimError):
    """The world could not be brought up: a port taken, a binary missing, a child dead."""


class FaultNotApplied(CheckoutSimError):
    """A fault could not be injected or lifted, or was not found on reading back."""


class LedgerUnreadable(CheckoutSimError):
    """A service did not answer what it finally believes, so absence proves nothing."""


class RunNotKept(CheckoutSimError):
    """What a run must leave behind cannot be written, so it has no evidence to be judged by."""


class RunNotFound(CheckoutSimError):
    """No archived run goes by that name, or more than one does."""


class NotReplayable(CheckoutSimError):
    """An archived run was somebody's live session: no plan drew it, so none can be run again."""


class HistoryUnreadable(CheckoutSimError):
    """An archived run is missing, damaged beyond its last line, or of another version."""


class EngineGone(CheckoutSimError):
    """The engine behind a dashboard is not there, or not any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong in a scenario file; `line` and `column` count from 1."""

    path: str
    line: int
    column: int
    message: str
    severity: str = "error"  # or "warning", which stops nothing

    def __str__(self) -> str:
        """Return the line an editor can jump to."""
        mark = "warning: " if self.severity == "warning" else ""
        return f"{self.path}:{self.line}:{self.column}: {mark}{self.message}"


class ScenarioInvalid(CheckoutSimError):
    """One or more scenario files cannot be used; `problems` holds all that was found."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))
