"""What can be done while a recording is reviewed."""

from checkout_sim.model.command import Judge
from checkout_sim.tui.actions.action import Action

SCOPE = "review"

ACTIONS: tuple[Action, ...] = (
    Action(
        id="session.judge",
        title="verdict",
        keys=("v",),
        scope=SCOPE,
        command=Judge(),
        harmful=True,
        hint=2,
        help="judge the session, so that it can be cut",
    ),
    Action(
        id="review.drop",
        title="keep/drop",
        keys=("x",),
        scope=SCOPE,
        hint=2,
        help="leave the marked item out, or take it back",
    ),
    Action(
        id="review.moment",
        title="moment",
        keys=("a",),
        scope=SCOPE,
        hint=2,
        help="the next of the moments this item may be given",
    ),
    Action(
        id="review.trim",
        title="trim",
        keys=("t",),
        scope=SCOPE,
        hint=2,
        help="leave out idle time, or keep the rhythm as it was",
    ),
    Action(
        id="review.name",
        title="name",
        keys=("p",),
        scope=SCOPE,
        parameters="NAME",
        hint=5,
        help="what the scenario is called",
    ),
    Action(
        id="review.write",
        title="write",
        keys=("w",),
        scope=SCOPE,
        hint=2,
        help="check it and write the file; a second w replaces one that is there",
    ),
    Action(
        id="review.replay",
        title="replay 3x",
        keys=("r",),
        scope=SCOPE,
        harmful=True,
        hint=2,
        help="run the written file three times; only three equal verdicts are reproducible",
    ),
    Action(
        id="review.edit",
        title="edit",
        keys=("E",),
        scope=SCOPE,
        hint=5,
        help="open the written file in $VISUAL or $EDITOR, then check it",
    ),
)
