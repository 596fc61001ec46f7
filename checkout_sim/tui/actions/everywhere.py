"""What can be done from any screen."""

from checkout_sim.model.command import LiftAll, Redo, Undo
from checkout_sim.tui.actions.action import LISTS, Action

STORM = ("storm",)

ACTIONS: tuple[Action, ...] = (
    Action(
        id="fault.heal_all",
        title="heal all",
        keys=("H",),
        command=LiftAll(),
        harmful=True,
        hint=1,
        section="faults",
        help="lift every fault, resume and start every process, drop gateway controls; "
        "a second H also removes toxics that are not ours",
    ),
    Action(
        id="fault.leader",
        title="fault",
        keys=("f",),
        parameters="LINK PRESET",
        harmful=True,
        phases=STORM,
        hint=2,
        section="faults",
        help="then a link or process, then a letter: f 6 r loses the replies on link 6",
    ),
    Action(
        id="fault.undo",
        title="undo",
        keys=("u",),
        command=Undo(),
        harmful=True,
        hint=11,
        section="faults",
        help="revert the last fault command",
    ),
    Action(
        id="fault.redo",
        title="redo",
        keys=("U",),
        command=Redo(),
        harmful=True,
        section="faults",
        help="do again what was undone last",
    ),
    Action(
        id="checkout.repeat",
        title="checkout",
        keys=("c",),
        harmful=True,
        phases=STORM,
        hint=3,
        section="session",
        help="send the last checkout again",
    ),
    Action(
        id="recording.toggle",
        title="rec",
        keys=("R",),
        harmful=True,
        hint=7,
        section="session",
        help="begin or end a stretch that is to become a scenario",
    ),
    Action(
        id="note.add",
        title="note",
        keys=("m",),
        parameters="TEXT",
        harmful=True,
        section="session",
        help="put a sentence into the history",
    ),
    Action(id="screen.dashboard", title="Dashboard", keys=("1",), help="go to the dashboard"),
    Action(id="screen.faults", title="Faults", keys=("2",), help="go to the fault console"),
    Action(id="screen.checkout", title="Checkout", keys=("3",), help="go to the checkout form"),
    Action(id="screen.scenarios", title="Scenarios", keys=("4",), help="go to the scenarios"),
    Action(id="screen.orders", title="Orders", keys=("5",), help="go to the list of orders"),
    Action(id="screen.violations", title="Violations", keys=("6",), help="go to the violations"),
    Action(id="screen.log", title="Log", keys=("7",), help="go to the log"),
    Action(
        id="view.back",
        title="back",
        keys=("escape", "q"),
        help="clear the filter, or close what is on top; esc does both in fields too",
    ),
    Action(
        id="view.freeze",
        title="freeze",
        keys=("space",),
        hint=10,
        help="hold the display still; counting goes on",
    ),
    Action(id="panel.next", title="next panel", keys=("tab",), help="go to the next panel"),
    Action(id="panel.previous", title="panel before", keys=("shift+tab",), help="and back"),
    Action(id="panel.zoom", title="zoom", keys=("+",), hint=12, help="one panel, whole screen"),
    Action(id="panel.unzoom", title="unzoom", keys=("_",), help="all panels again"),
    Action(id="tab.previous", title="screen before", keys=("[",), help="the screen before"),
    Action(id="tab.next", title="next screen", keys=("]",), help="the screen after"),
    Action(
        id="finding.next",
        title="next finding",
        keys=("n",),
        help="go to the next suspect or violated order",
    ),
    Action(
        id="finding.previous", title="finding before", keys=("N",), help="and to the one before"
    ),
    Action(id="copy.menu", title="copy", keys=("y",), hint=13, help="copy what is marked"),
    Action(id="export.menu", title="export", keys=("e",), help="write a file of it"),
    Action(
        id="command.open", title="command", keys=(":",), help="type an action: `:fault.leader 6 r`"
    ),
    Action(id="help.show", title="help", keys=("?", "f1"), hint=8, help="every key, searched"),
    Action(
        id="palette.open", title="cmds", keys=("ctrl+p",), hint=9, help="every action, searched"
    ),
    Action(
        id="session.quit",
        title="quit",
        keys=("ctrl+q",),
        section="session",
        help="asks: judge and quit, or quit; both heal",
    ),
)

MOVES: tuple[Action, ...] = (
    Action(id="move.down", title="down", keys=("down", "j"), scope=LISTS, section="moving"),
    Action(id="move.up", title="up", keys=("up", "k"), scope=LISTS, section="moving"),
    Action(id="move.first", title="first", keys=("home", "g"), scope=LISTS, section="moving"),
    Action(id="move.last", title="last", keys=("end", "G"), scope=LISTS, section="moving"),
    Action(
        id="move.page_down",
        title="page down",
        keys=("pagedown", "ctrl+d"),
        scope=LISTS,
        section="moving",
    ),
    Action(
        id="move.page_up", title="page up", keys=("pageup", "ctrl+u"), scope=LISTS, section="moving"
    ),
    Action(id="row.open", title="open", keys=("enter",), scope=LISTS, hint=4, section="moving"),
)
