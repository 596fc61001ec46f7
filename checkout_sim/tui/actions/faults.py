"""What can be done on the fault console: presets on the marked link, deeds on its process."""

from checkout_sim.board.presets import PRESETS
from checkout_sim.tui.actions.action import Action

SCOPE = "faults"
STORM = ("storm",)

_PRESETS = tuple(
    Action(
        id=f"fault.{preset.id}",
        title=preset.title,
        keys=(preset.letter,),
        scope=SCOPE,
        harmful=True,
        section="faults",
        help=f"{preset.wire}; caller: {preset.caller}; callee: {preset.callee}. The same letter "
        "lifts it",
    )
    for preset in PRESETS
)

ACTIONS: tuple[Action, ...] = (
    *_PRESETS,
    Action(
        id="process.kill",
        title="kill",
        keys=("K",),
        scope=SCOPE,
        harmful=True,
        section="faults",
        hint=3,
        help="SIGKILL the marked process; again: start it. Never the gateway, whose journal is "
        "the evidence",
    ),
    Action(
        id="process.pause",
        title="pause",
        keys=("P",),
        scope=SCOPE,
        harmful=True,
        section="faults",
        hint=3,
        help="SIGSTOP the marked process; again: SIGCONT",
    ),
    Action(
        id="process.restart",
        title="restart",
        keys=("T",),
        scope=SCOPE,
        harmful=True,
        phases=STORM,
        section="faults",
        help="SIGTERM the marked process, then start it again",
    ),
    Action(
        id="gateway.menu",
        title="gateway",
        keys=("a",),
        scope=SCOPE,
        parameters="CONTROL [OPERATION] [NTH] [TIMES] [FIGURE]",
        harmful=True,
        phases=STORM,
        section="faults",
        hint=3,
        help="the gateway's labelled controls: exact, by operation, match and times",
    ),
    Action(
        id="fault.edit",
        title="edit",
        keys=("p",),
        scope=SCOPE,
        parameters="PRESET",
        harmful=True,
        phases=STORM,
        section="faults",
        hint=2,
        help="then a letter: its figures, way and window first; without a letter, the fault that "
        "is on",
    ),
    Action(
        id="fault.weaker",
        title="weaker",
        keys=("-",),
        scope=SCOPE,
        harmful=True,
        section="faults",
        help="a quarter less of what the fault last touched on this link does",
    ),
    Action(
        id="fault.stronger",
        title="stronger",
        keys=("=",),
        scope=SCOPE,
        harmful=True,
        section="faults",
        help="and a quarter more",
    ),
    Action(
        id="fault.downstream",
        title="reply's way",
        keys=("<",),
        scope=SCOPE,
        harmful=True,
        section="faults",
        help="turn the fault last touched on this link to the reply's way",
    ),
    Action(
        id="fault.upstream",
        title="request's way",
        keys=(">",),
        scope=SCOPE,
        harmful=True,
        section="faults",
        help="turn it to the request's way",
    ),
    Action(
        id="fault.window",
        title="window",
        keys=("w",),
        scope=SCOPE,
        parameters="until lifted | for TIME | until EVENT | on EVENT",
        section="faults",
        hint=3,
        help="how long the next fault is in force: until lifted, for a time, until an event, or "
        "armed by one",
    ),
    Action(
        id="links.unused",
        title="unused",
        keys=("i",),
        scope=SCOPE,
        hint=12,
        help="show or hide the links that carry nothing under this strategy",
    ),
)
