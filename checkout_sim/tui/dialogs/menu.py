"""A menu: some choices, each with its key; one key decides."""

from collections.abc import Sequence
from typing import NamedTuple

from checkout_sim.board.tokens import Line, Token
from checkout_sim.tui.dialogs.leader import wrapped
from checkout_sim.tui.dialogs.strip import KeyStrip


class Choice(NamedTuple):
    """One line of a menu: its key, its words, and what choosing it stands for."""

    key: str
    title: str
    value: str = ""


class Menu(KeyStrip[Choice]):
    """Choices on a strip; the result is the one whose key was pressed."""

    def __init__(self, title: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._heading = title
        self._choices = choices

    def lines(self, width: int) -> Sequence[Line]:
        """Return heading and choices."""
        pairs = [(one.key, one.title) for one in self._choices]
        return wrapped(Token(f" {self._heading}: ", "title"), [*pairs, ("esc", "not now")], width)

    def chosen(self, key: str, character: str) -> None:
        """Take a choice; other keys are not answered."""
        for one in self._choices:
            if one.key in {key, character}:
                self.dismiss(one)
                return
