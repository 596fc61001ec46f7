"""What can be done on the list of scenarios."""

from checkout_sim.model.command import StepPlan, StopPlan
from checkout_sim.tui.actions.action import Action

SCOPE = "scenarios"

ACTIONS: tuple[Action, ...] = (
    Action(
        id="row.open",
        title="run",
        keys=("enter",),
        scope=SCOPE,
        harmful=True,
        hint=2,
        help="run the marked scenario against the strategies chosen, each on a stack of its own",
    ),
    Action(
        id="scenario.run",
        title="run",
        scope=SCOPE,
        parameters="NAME [STRATEGY]...",
        harmful=True,
        help="on the : line: run a scenario by name",
    ),
    Action(
        id="scenario.strategies",
        title="strategies",
        keys=("S",),
        scope=SCOPE,
        parameters="[STRATEGY]...",
        hint=2,
        help="which strategies the next run is for: one, another, or all the scenario names",
    ),
    Action(
        id="scenario.hold",
        title="hold",
        keys=("p",),
        scope=SCOPE,
        harmful=True,
        hint=10,
        help="begin nothing more of the run under way and stop its clock; p again goes on",
    ),
    Action(
        id="scenario.step",
        title="step",
        keys=(".",),
        scope=SCOPE,
        command=StepPlan(),
        harmful=True,
        hint=10,
        help="let one more action of the run begin, then hold it",
    ),
    Action(
        id="scenario.stop",
        title="stop",
        keys=("x",),
        scope=SCOPE,
        command=StopPlan(),
        harmful=True,
        hint=2,
        help="drop what has not begun, then calm and a verdict",
    ),
    Action(
        id="scenario.loop",
        title="loop",
        keys=("l",),
        scope=SCOPE,
        parameters="TIMES",
        hint=2,
        help="how often the next run repeats: once, 3, 10 or 100 times",
    ),
    Action(
        id="scenario.edit",
        title="edit",
        keys=("E",),
        scope=SCOPE,
        hint=2,
        help="open the file in $VISUAL or $EDITOR, then check it",
    ),
    Action(
        id="scenario.compare",
        title="compare",
        keys=("d",),
        scope=SCOPE,
        hint=2,
        help="every strategy's verdict beside what the file expects of it",
    ),
    Action(
        id="scenario.reload",
        title="reload",
        keys=("r",),
        scope=SCOPE,
        help="read the folders again",
    ),
)
