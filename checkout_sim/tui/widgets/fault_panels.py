"""What stands below the links: the presets as they stand on one, and the fault last touched there.

Takes the board as shown and what is marked; gives titles and lines. Wide terminals frame both, side
by side, so that the title is the frame's; on narrow ones a rule with the title stands above each.
"""

from checkout_sim.board.board import Board
from checkout_sim.board.fault_lines import preset_columns, preset_list, rule, told_lines
from checkout_sim.board.fault_rows import preset_rows, state_lines
from checkout_sim.board.faults import FaultSeen
from checkout_sim.board.places import PROCESS_OF_NAME, Link
from checkout_sim.board.presets import WAY_SIGN, preset_of
from checkout_sim.board.processes import ProcessSeen
from checkout_sim.board.tokens import Line
from checkout_sim.tui.forms.fault_desk import FaultDesk
from checkout_sim.tui.forms.window import said_window
from checkout_sim.tui.widgets.faults_source import visible_faults


def presets_title(link: Link | None, process: ProcessSeen | None) -> str:
    """Return what the presets are about: the marked link, or the deeds that suit a process."""
    if link is None:
        return _about(process)
    return f"{link.label} {link.title}: letter adds or lifts, p + letter edits first"


def presets_panel(board: Board, link: Link | None, width: int, *, wide: bool) -> list[Line]:
    """Return the presets as they stand on the marked link; none where a process is marked."""
    if link is None:
        return []
    rows = preset_rows(link.name, visible_faults(board))
    return preset_list(rows, width) if wide else preset_columns(rows, width)


def state_title(board: Board, link: Link | None, desk: FaultDesk) -> str:
    """Return which fault the state is of."""
    fault = _touched(board, link, desk)
    return f"{fault.title or fault.name} on {fault.label}" if fault else "no fault on it"


def state_panel(board: Board, link: Link | None, desk: FaultDesk, width: int) -> list[Line]:
    """Return the fault last touched step by step, then window, undo and toxics not ours."""
    return told_lines(_parts(board, _touched(board, link, desk), desk), width)


def under_rule(width: int, title: str, lines: list[Line], *, ascii_only: bool) -> list[Line]:
    """Return lines below a rule that names them: a panel without a frame."""
    return [rule(width, title, ascii_only=ascii_only), *lines]


def _touched(board: Board, link: Link | None, desk: FaultDesk) -> FaultSeen | None:
    if link is None:
        return None
    return desk.touched(link, [one for one in visible_faults(board) if one.target == link.name])


def _about(process: ProcessSeen | None) -> str:
    if process is None:
        return "mark a link or a process"
    known = PROCESS_OF_NAME.get(process.name)
    if known is not None and not known.breakable:
        return (
            f"{known.label} {process.name}: never harmed, its journal is the evidence   a controls"
        )
    label = known.label if known else "?"
    return f"{label} {process.name}: K kill, again: start   P pause, again: resume   T restart"


def _parts(board: Board, fault: FaultSeen | None, desk: FaultDesk) -> list[tuple[str, str]]:
    parts: list[tuple[str, str]] = []
    if fault is not None:
        preset = preset_of(fault.type, fault.toxics)
        window = desk.windows.get(fault.name)
        parts += state_lines(
            fault,
            window=said_window(window) if window else "",
            on_lifting=preset.on_lifting if preset else "",
        )
    way = f", striking {WAY_SIGN[desk.way]} {desk.way}" if desk.way else ""
    parts.append(("WINDOW", f"w: the next fault {said_window(desk.window)}{way}"))
    state = board.session.state
    undo = [f"u {state.undo}"] if state.undo else []
    redo = [f"U {state.redo}"] if state.redo else []
    if undo or redo:
        parts.append(("UNDO", "   ".join([*undo, *redo])))
    if board.faults.foreign:
        names = ", ".join(f"{toxic} on {link}" for link, toxic in board.faults.foreign)
        parts.append(("FOREIGN", f"{names}: not ours; H, then H again, removes"))
    return parts
