"""What can be done in lists of orders and on an order's ladder."""

from checkout_sim.tui.actions.action import Action

FILTERED = ("dashboard", "orders", "log", "help")

ACTIONS: tuple[Action, ...] = (
    *(
        Action(
            id="filter.edit",
            title="filter",
            keys=("/",),
            scope=scope,
            parameters="WORDS",
            hint=6,
            help="told:unknown fault:6 claim:replies_are_true >2s !text",
        )
        for scope in FILTERED
    ),
    Action(
        id="orders.sort",
        title="sort",
        keys=("s",),
        scope="orders",
        hint=7,
        help="newest, oldest, slowest, or most suspect first",
    ),
    Action(
        id="orders.follow",
        title="follow",
        keys=("F",),
        scope="orders",
        help="keep the newest row in sight",
    ),
    Action(
        id="log.level",
        title="level",
        keys=("l",),
        scope="log",
        hint=5,
        help="info, debug, or warnings only",
    ),
    Action(
        id="order.sides",
        title="sides",
        keys=("v",),
        scope="order",
        hint=5,
        help="both, what the caller saw, what the callee did",
    ),
    Action(
        id="order.lanes",
        title="lanes",
        keys=("h",),
        scope="order",
        hint=6,
        help="hide the lanes that matter least",
    ),
    Action(
        id="order.raw",
        title="raw",
        keys=("i",),
        scope="order",
        hint=7,
        help="the observation itself",
    ),
    Action(
        id="order.replay",
        title="replay",
        keys=("r",),
        scope="order",
        help="the command that runs it again",
    ),
)
