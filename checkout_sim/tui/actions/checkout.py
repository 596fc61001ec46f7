"""What can be done on the checkout form."""

from checkout_sim.model.command import StopBuying
from checkout_sim.tui.actions.action import Action

SCOPE = "checkout"
STORM = ("storm",)

ACTIONS: tuple[Action, ...] = (
    Action(
        id="checkout.buy",
        title="buy",
        keys=("b",),
        scope=SCOPE,
        harmful=True,
        phases=STORM,
        hint=2,
        help="send one shopper with this cart; enter does so too",
    ),
    Action(
        id="checkout.burst",
        title="burst",
        keys=("B",),
        scope=SCOPE,
        harmful=True,
        phases=STORM,
        hint=2,
        help="send as many as the form says, at its rate; 0 checkouts is load until x",
    ),
    Action(
        id="checkout.stop",
        title="stop load",
        keys=("x",),
        scope=SCOPE,
        command=StopBuying(),
        harmful=True,
        hint=2,
        help="send no more shoppers; those under way finish",
    ),
    Action(
        id="checkout.less",
        title="less",
        keys=("-",),
        scope=SCOPE,
        hint=2,
        help="one less of the marked line; a line of none is not sent",
    ),
    Action(
        id="checkout.more",
        title="more",
        keys=("=",),
        scope=SCOPE,
        hint=2,
        help="one more of the marked line",
    ),
    Action(
        id="cart.add",
        title="add line",
        keys=("a",),
        scope=SCOPE,
        parameters="PRODUCT QUANTITY PRICE",
        hint=2,
        help="type product, quantity and price: mug 2 12.50",
    ),
    Action(
        id="cart.edit",
        title="edit line",
        keys=("p",),
        scope=SCOPE,
        help="write the marked line anew",
    ),
    Action(id="cart.remove", title="drop line", keys=("d",), scope=SCOPE, help="the marked one"),
    Action(
        id="card.pick",
        title="card",
        keys=("t",),
        scope=SCOPE,
        parameters="CARD",
        hint=2,
        help="go to the test cards; on the : line, one by name or number",
    ),
    Action(
        id="card.other",
        title="other card",
        keys=("o",),
        scope=SCOPE,
        help="type a card that is not in the list, by name or test number",
    ),
)
