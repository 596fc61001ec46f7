"""The screens: one module each, one row each here.

`VIEWS` are reached by their number from anywhere; each is made once. What opens on top of another
view (an order, a review, help) is pushed by the view that opens it: `app.push_screen(...)`.
"""

from collections.abc import Callable, Mapping

from checkout_sim.tui.screens.view import View


def _dashboard() -> View:
    from checkout_sim.tui.screens.dashboard import DashboardView  # noqa: PLC0415 - made when shown

    return DashboardView()


def _faults() -> View:
    from checkout_sim.tui.screens.faults import FaultsView  # noqa: PLC0415 - made when shown

    return FaultsView()


def _checkout() -> View:
    from checkout_sim.tui.screens.checkout import CheckoutView  # noqa: PLC0415 - made when shown

    return CheckoutView()


def _scenarios() -> View:
    from checkout_sim.tui.screens.scenarios import ScenariosView  # noqa: PLC0415 - made when shown

    return ScenariosView()


def _orders() -> View:
    from checkout_sim.tui.screens.orders import OrdersView  # noqa: PLC0415 - made when shown

    return OrdersView()


def _violations() -> View:
    from checkout_sim.tui.screens.violations import ViolationsView  # noqa: PLC0415 - as above

    return ViolationsView()


def _review() -> View:
    from checkout_sim.tui.screens.review import ReviewView  # noqa: PLC0415 - made when shown

    return ReviewView()


def _log() -> View:
    from checkout_sim.tui.screens.log import LogView  # noqa: PLC0415 - made when shown

    return LogView()


# What opens on top of any view without being told more, by scope; left with esc or q.
ON_TOP: Mapping[str, Callable[[], View]] = {"review": _review}

# number → (scope, heading, what makes it); in the order of their numbers.
VIEWS: Mapping[str, tuple[str, str, Callable[[], View]]] = {
    "1": ("dashboard", "Dash", _dashboard),
    "2": ("faults", "Faults", _faults),
    "3": ("checkout", "Checkout", _checkout),
    "4": ("scenarios", "Scenarios", _scenarios),
    "5": ("orders", "Orders", _orders),
    "6": ("violations", "Violations", _violations),
    "7": ("log", "Log", _log),
}
