"""The gateway's controls as rows of a menu: what each does, where it strikes, if it is armed."""

from collections.abc import Callable, Sequence

from checkout_sim.board.board import Board
from checkout_sim.board.faults import FaultSeen
from checkout_sim.board.tokens import Line, Token, fitted
from checkout_sim.tui.forms.control import CHOICES, ControlChoice
from checkout_sim.tui.forms.fault_draft import control_name

_NAME = 25
_DOES = 40


class ControlsSource:
    """A `Source` of the gateway's menu."""

    def __init__(self, board: Callable[[], Board]) -> None:
        self._board = board
        self._rows = {choice.name: choice for choice in CHOICES}

    def keys(self) -> Sequence[str]:
        """Return the names of the controls."""
        return list(self._rows)

    def identity(self, key: str) -> object:
        """Return what the line depends on."""
        return self._state(key)

    def line(self, key: str, width: int) -> Line:
        """Return a control's row."""
        choice, state = self._rows[key], self._state(key)
        return (
            Token("   "),
            Token(fitted(choice.name, _NAME), "struck" if state else "plain"),
            Token(fitted(state, 10), "struck"),
            Token(fitted(choice.does, _DOES), "quiet"),
            Token(_operations(choice) if width > _NAME + _DOES + 20 else "", "quiet"),
        )

    def heading(self, _width: int) -> Line:
        """Return the heading."""
        return (Token("   GATEWAY CONTROL: enter arms or lifts, a or esc closes", "title"),)

    def _state(self, key: str) -> str:
        fault = self._board().faults.by_name.get(control_name(key))
        return "" if fault is None else _said(fault)


def _said(fault: FaultSeen) -> str:
    match fault.stage:
        case "wanted":
            return ".."
        case "armed":
            return f"ON hit {fault.hits}" if fault.hits else "ON"
        case "stuck":
            return "STUCK"
        case _:
            return ""


def _operations(choice: ControlChoice) -> str:
    return " ".join(choice.operations)
