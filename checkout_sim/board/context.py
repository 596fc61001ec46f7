"""The context row: where one is, what is live, what is broken. Pinned on top at every size.

Takes a board and what the app knows of its own display; gives tokens for a width. What leaves first
when it gets narrow is what can be looked up elsewhere; LIVE, FAULTS, suspects and REC never leave.
"""

from typing import NamedTuple

from checkout_sim.board.board import Board
from checkout_sim.board.tokens import Line, Token, clipped, width_of

_WIDE = 110


class Display(NamedTuple):
    """What the display itself is doing: which view, frozen by how much, behind, read-only."""

    number: str = ""  # of the view, "1"
    heading: str = ""  # "Dash"
    tabs: tuple[tuple[str, str], ...] = ()  # (number, heading) of every view
    frozen: int | None = None  # events seen since the display was frozen
    playback: str = ""  # "x4" while a run is played back
    read_only: bool = False
    recorded_s: float | None = None  # how long the stretch that is being recorded is by now
    ended: bool = False  # the engine is gone


def context_line(board: Board, display: Display, width: int) -> Line:
    """Return row 1, at most so wide."""
    where = _tabs(display) if width >= _WIDE and display.tabs else _where(display)
    optional = [
        (Token(f"  {board.session.strategy}"), 3),
        (Token(f"  {board.session.proxy_server}"), 1),
    ]
    optional = [(token, rank) for token, rank in optional if token.text.strip()]
    state = _state(board, display)
    counts = _counts(board, display)
    whole = _joined(where, state, optional, counts)
    for rank in (1, 2, 3):
        if width_of(whole) <= width:
            break
        if rank == 2:  # noqa: PLR2004 - the second thing to leave
            where = (Token(f" {display.heading}  "),) if display.heading else ()
        optional = [(token, its) for token, its in optional if its != rank]
        whole = _joined(where, state, optional, counts)
    if width_of(whole) > width:
        whole = (Token(" "), *state, *counts)
    gap = width - width_of(whole)
    if gap > 0 and width >= _WIDE:  # wide: counts stand at the right edge
        head = (*where, *state, *(token for token, _ in optional))
        return clipped((*head, Token(" " * gap), *counts), width)
    return clipped(whole, width)


def _joined(where: Line, state: Line, optional: list[tuple[Token, int]], counts: Line) -> Line:
    return (*where, *state, *(token for token, _ in optional), *counts)


def _where(display: Display) -> Line:
    number = f"{display.number} " if display.number else ""
    return (Token(f" {number}{display.heading}  ", "title"),)


def _tabs(display: Display) -> Line:
    words = [
        Token(f"[{number} {heading}] ", "title")
        if number == display.number
        else Token(f"{number} {heading} ", "quiet")
        for number, heading in display.tabs
    ]
    if not any(number == display.number for number, _ in display.tabs):
        words.append(Token(f"[{display.heading}] ", "title"))
    return (Token(" "), *words)


def _state(board: Board, display: Display) -> Line:
    session = board.session
    phase = session.state.phase if session.state.phase != "storm" else session.phase
    judged = session.verdict.status if session.verdict is not None else None
    said = f" judged {judged}" if judged else f" {phase}"
    if display.ended:
        return (Token("ENDED", "wrong"), Token(said))
    if display.frozen is not None:
        return (Token(f"FROZEN +{display.frozen}", "frozen"), Token(said))
    if display.playback or (session.stretch is not None and not session.stretch.live):
        return (Token(f"PLAYBACK {display.playback}".strip(), "playback"), Token(said))
    behind = (Token(" behind", "suspect"),) if session.behind or board.missing_from else ()
    watching = (Token(" read-only", "quiet"),) if display.read_only else ()
    return (Token("LIVE", "live"), Token(said), *behind, *watching)


def _counts(board: Board, display: Display) -> Line:
    faults = len(board.faults.in_force)
    suspects = board.checkouts.counts["suspect"]
    stand = board.session.open_violations
    ever = max(board.session.ever_violated, stand or 0)
    violated = "-" if stand is None else (f"{stand}" if ever == stand else f"{stand}/{ever}")
    recorded = display.recorded_s
    rec = "-" if recorded is None else f"{int(recorded // 60):02d}:{int(recorded % 60):02d}"
    return (
        Token("  "),
        Token(f"FAULTS {faults}", "struck" if faults else "plain"),
        Token("  "),
        Token(f"? {suspects}", "suspect" if suspects else "plain"),
        Token("  "),
        Token(f"! {violated}", "wrong" if stand else "plain"),
        Token("  "),
        Token(f"REC {rec}", "recording" if recorded is not None else "plain"),
    )
