"""The dashboard's side panels: what is being done to the world now, and which orders look wrong.

Takes a board and its clock; gives lines for a panel's width and height, the newest first. What does
not fit is counted on the last line, so that nothing is left out in silence.
"""

from collections.abc import Sequence
from itertools import islice
from textwrap import wrap
from typing import NamedTuple

from checkout_sim.board.board import Board
from checkout_sim.board.fault_rows import said_fault
from checkout_sim.board.faults import FaultSeen
from checkout_sim.board.places import label_of
from checkout_sim.board.processes import ProcessSeen
from checkout_sim.board.rows import MARKS, Row
from checkout_sim.board.tokens import Line, Token, age, fitted, width_of

_MOST_SUSPECTS = 40
_STAGES = {"wanted": "asked", "armed": "armed", "stuck": "STUCK"}


class Entry(NamedTuple):
    """One thing in a panel: at length, and in one line."""

    whole: tuple[Line, ...]
    short: Line


def fault_lines(board: Board, now_ms: float, width: int, height: int) -> Sequence[Line]:
    """Return each fault with its way, hits and age, what befell processes, and how it is healed."""
    faults = [one for one in board.faults.by_name.values() if one.stage != "lifted"]
    struck = [one for one in board.processes.by_name.values() if one.state in ("killed", "paused")]
    entries = [_fault(one, now_ms, width) for one in reversed(faults)]
    entries += [_struck(one, now_ms, width) for one in struck]
    if not entries:
        return [(Token(" none", "quiet"),)]
    if len(entries) >= height:
        return _filled(entries, height, total=len(entries))
    undo = "u undo     " if board.session.state.undo else ""
    healing = (Token(f" {undo}H heal all", "key"),)
    return [*_filled(entries, height - 1, total=len(entries)), healing]


def suspect_lines(board: Board, width: int, height: int) -> Sequence[Line]:
    """Return the newest orders that are suspect or violated, and why."""
    newest = islice(reversed(board.checkouts.findings), _MOST_SUSPECTS)
    entries = [_suspect(board.checkouts.rows[key], width) for key in newest]
    if not entries:
        return [
            (Token(" none", "quiet"),),
            (Token(" (a verdict needs calm,", "quiet"),),
            (Token("  settle, read: 6 then v)", "quiet"),),
        ]
    return _filled(entries, height, total=len(board.checkouts.findings))


def _filled(entries: Sequence[Entry], rows: int, *, total: int) -> list[Line]:
    """Return a line of each, the first at length while there is room; what is left is counted."""
    shown = entries[: rows if total <= rows else max(0, rows - 1)]
    spare = rows - len(shown) - (1 if total > len(shown) else 0)
    lines: list[Line] = []
    for entry in shown:
        more = len(entry.whole) - 1
        lines += entry.whole if more <= spare else [entry.short]
        spare -= more if more <= spare else 0
    rest = total - len(shown)
    return [*lines, (Token(f"   and {rest} more", "quiet"),)] if rest else lines


def _fault(fault: FaultSeen, now_ms: float, width: int) -> Entry:
    since_ms = fault.asked_ms if fault.armed_ms is None else fault.armed_ms
    since = age(max(0.0, now_ms - since_ms))
    look = "stuck" if fault.stage == "stuck" else "struck"
    said = f" {fault.label} {said_fault(fault)}"
    return Entry(
        whole=(
            (Token(fitted(said, width), look),),
            (Token(f"   {_STAGES[fault.stage]} {since} ago", "quiet"),),
        ),
        short=_beside(said, since, width, look),
    )


def _struck(process: ProcessSeen, now_ms: float, width: int) -> Entry:
    since = age(max(0.0, now_ms - process.since_ms))
    which = f" {process.instance}" if process.instance > 1 else ""
    line = _beside(
        f" {label_of(process.name)} {process.name}{which} {process.state}", since, width, "down"
    )
    return Entry(whole=(line,), short=line)


def _beside(said: str, since: str, width: int, look: str) -> Line:
    """Return what it is, and at the right edge for how long."""
    room = width - len(since) - 2
    return (Token(fitted(said, room), look), Token(f" {since} ", "quiet"))


def _suspect(row: Row, width: int) -> Entry:
    about = f"{MARKS[row.standing]} #{row.key}"
    head = (Token(" "), Token(about, row.standing), Token(" "))
    indent = " " * width_of(head)
    words = row.suspicion or ", ".join(row.claims)
    room = max(8, width - len(indent))
    first, *more = wrap(words, room) or [""]
    return Entry(
        whole=((*head, Token(first)), *((Token(f"{indent}{words}"),) for words in more)),
        short=(*head, Token(fitted(words, room))),
    )
