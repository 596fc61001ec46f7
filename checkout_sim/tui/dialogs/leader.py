"""The fault leader: `f`, a link or process, a letter; choices are shown at each step.

Takes a board's faults and processes; gives the command that two keys mean, or a sentence why they
mean none. The letter of a fault that is there lifts it.
"""

from collections.abc import Sequence
from typing import ClassVar

from checkout_sim.board.board import Board
from checkout_sim.board.places import (
    LINK_OF_LABEL,
    LINKS,
    PROCESS_OF_LABEL,
    PROCESSES,
    Link,
    Process,
)
from checkout_sim.board.presets import PRESET_OF_LETTER, PRESETS
from checkout_sim.board.tokens import Line, Token, width_of
from checkout_sim.model.command import Command, Kill, Pause, Restart, Resume, Start
from checkout_sim.tui.dialogs.strip import KeyStrip
from checkout_sim.tui.forms.fault_desk import FaultDesk

_PROCESS_KEYS = (("K", "kill or start"), ("P", "pause or resume"), ("T", "restart"))


def meant(board: Board, label: str, letter: str) -> Command | str:
    """Return the command that a label and a letter mean, or why they mean none."""
    link = LINK_OF_LABEL.get(label)
    if link is not None:
        preset = PRESET_OF_LETTER.get(letter)
        if preset is None:
            return f"{letter}: no preset; there are {' '.join(PRESET_OF_LETTER)}"
        if link.name not in board.session.links:
            return f"{link.title} carries nothing under {board.session.strategy or 'this strategy'}"
        return FaultDesk().toggle(preset, link, board.faults.on(link.name))
    process = PROCESS_OF_LABEL.get(label)
    if process is None:
        return f"{label}: no link or process; links are 1 to c, processes O P S B D"
    return _struck(board, process, letter)


def _struck(board: Board, process: Process, letter: str) -> Command | str:
    if not process.breakable:
        return f"the {process.name} is never struck: its journal is the evidence"
    seen = board.processes.of(process.name)
    if not seen:
        return f"no {process.name} process runs in this stack"
    state = seen[0].state
    match letter:
        case "K":
            down = state in {"killed", "exited"}
            return Start(process=process.name) if down else Kill(process=process.name)
        case "P":
            paused = state == "paused"
            return Resume(process=process.name) if paused else Pause(process=process.name)
        case "T":
            return Restart(process=process.name)
        case _:
            return f"{letter}: a process takes K, P or T"


class FaultLeader(KeyStrip[Command | str]):
    """Two keys; its result is what they mean."""

    SCOPED_CSS: ClassVar[bool] = True

    def __init__(self, board: Board) -> None:
        super().__init__()
        self._board = board
        self._target: Link | Process | None = None

    def lines(self, width: int) -> Sequence[Line]:
        """Return the places, or the letters once a place is chosen."""
        if self._target is None:
            return wrapped(Token(" f ", "key"), self._places(), width)
        head = Token(f" f {self._target.label} ", "key")
        return wrapped(head, self._letters(self._target), width)

    def chosen(self, key: str, character: str) -> None:
        """Take the place, then the letter."""
        if key == "backspace":
            self._target = None
            return
        if self._target is None:
            self._target = LINK_OF_LABEL.get(character) or PROCESS_OF_LABEL.get(character)
            if self._target is None:
                self.dismiss(meant(self._board, character, ""))
            return
        self.dismiss(meant(self._board, self._target.label, character))

    def _places(self) -> list[tuple[str, str]]:
        used = self._board.session.links
        links = [(link.label, link.title) for link in LINKS if link.name in used]
        running = [one for one in PROCESSES if one.breakable and self._board.processes.of(one.name)]
        return [*links, *((one.label, one.name) for one in running), ("esc", "not now")]

    def _letters(self, target: Link | Process) -> list[tuple[str, str]]:
        if isinstance(target, Process):
            return [*_PROCESS_KEYS, ("esc", "not now")]
        there = {fault.letter for fault in self._board.faults.on(target.name)}
        return [
            *((one.letter, one.title + (" ON" if one.letter in there else "")) for one in PRESETS),
            ("esc", "not now"),
        ]


def wrapped(head: Token, choices: Sequence[tuple[str, str]], width: int) -> list[Line]:
    """Return keys and words on as many lines as they take."""
    lines: list[Line] = [(head,)]
    for key, words in choices:
        pair = (Token(key, "key"), Token(f" {words}   "))
        if width_of((*lines[-1], *pair)) - 3 > width and len(lines[-1]) > 1:
            lines.append((Token(" " * len(head.text)),))
        lines[-1] = (*lines[-1], *pair)
    return lines
