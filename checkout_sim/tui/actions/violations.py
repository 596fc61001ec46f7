"""What can be done on the violations board."""

from checkout_sim.model.command import Judge
from checkout_sim.tui.actions.action import Action

SCOPE = "violations"

ACTIONS: tuple[Action, ...] = (
    Action(
        id="session.judge",
        title="verdict now",
        keys=("v",),
        scope=SCOPE,
        command=Judge(),
        harmful=True,
        hint=2,
        help="calm, settle, read, judge; then a new run opens on a fresh stack",
    ),
    Action(
        id="finding.replay",
        title="replay",
        keys=("r",),
        scope=SCOPE,
        harmful=True,
        hint=2,
        help="run the scenario again with its seed; of a live session, open the review",
    ),
    Action(
        id="finding.review",
        title="as scenario",
        keys=("w",),
        scope=SCOPE,
        hint=2,
        help="cut a scenario out of this run",
    ),
)
