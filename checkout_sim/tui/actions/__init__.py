"""The actions: one table, from which every key, word and page about them is made.

    from checkout_sim.tui.actions import ALL, Action, actions_of

Each screen's rows are in a file of their own beside this one. To add an action, add a row there and
a method `do_<id, dots as underscores>(self, *arguments: str)` to the view that its scope names (or
to the app, for `everywhere`); a row with a `command` needs no method. `refused()` names every row
that contradicts another; start-up prints them and ends.
"""

from checkout_sim.tui.actions import (
    checkout,
    everywhere,
    faults,
    orders,
    review,
    scenarios,
    violations,
)
from checkout_sim.tui.actions.action import EVERYWHERE, LISTS, Action, Scope
from checkout_sim.tui.actions.table import actions_of, refused

ALL: tuple[Action, ...] = (
    *everywhere.ACTIONS,
    *everywhere.MOVES,
    *faults.ACTIONS,
    *checkout.ACTIONS,
    *scenarios.ACTIONS,
    *orders.ACTIONS,
    *violations.ACTIONS,
    *review.ACTIONS,
)

__all__ = ["ALL", "EVERYWHERE", "LISTS", "Action", "Scope", "actions_of", "refused"]
