"""The screens: one module each, one row each here.

`VIEWS` are reached by their number from anywhere; each is made once. What opens on top of another
view (an order, a review, help) is pushed by the view that opens it: `app.push_screen(...)`.
"""

from collections.abc import Callable, Mapping

from checkout_sim.tui.screens.view import View


def _dashboard() -> View:
    from checkout_sim.tui.screens.dashboard import DashboardView  # noqa: PLC0415 - made when shown

    return DashboardView()


def _orders() -> View:
    from checkout_sim.tui.screens.orders import OrdersView  # noqa: PLC0415 - made when shown

    return OrdersView()


def _log() -> View:
    from checkout_sim.tui.screens.log import LogView  # noqa: PLC0415 - made when shown

    return LogView()


# What opens on top of any view without being told more, by scope; left with esc or q.
ON_TOP: Mapping[str, Callable[[], View]] = {}

# number → (scope, heading, what makes it); in the order of their numbers.
VIEWS: Mapping[str, tuple[str, str, Callable[[], View]]] = {
    "1": ("dashboard", "Dash", _dashboard),
    "5": ("orders", "Orders", _orders),
    "7": ("log", "Log", _log),
}
