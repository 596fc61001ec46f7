"""Bindings: the table of actions as Textual wants it, with the operator's own keys in place.

Takes rows and a key map (action id to keys, as keys.toml has it); gives bindings. A view binds the
rows of its scope and those that work everywhere, so that which keys are live is plain from the
table; lists bind how one moves in them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from textual.binding import Binding, BindingsMap

from checkout_sim.tui.actions.action import LISTS, Action
from checkout_sim.tui.actions.everywhere import MOVES

# Keys a focused text field must not swallow: they leave the field, or the program.
_PRIORITY = frozenset({"session.quit"})


def bindings_of(rows: Iterable[Action]) -> BindingsMap:
    """Return the bindings of some rows: each key performs its action by id."""
    return BindingsMap(
        Binding(
            key=key,
            action=f"perform({row.id!r})",
            description=row.title,
            show=False,
            priority=row.id in _PRIORITY,
        )
        for row in rows
        for key in row.keys
        if row.scope != LISTS
    )


def list_bindings(rows: Iterable[Action] = MOVES) -> BindingsMap:
    """Return how one moves in a list: `action_move(where)` and `action_open()` of the widget."""
    return BindingsMap(
        Binding(
            key=key,
            action="open" if row.id == "row.open" else f"move({row.id.partition('.')[2]!r})",
            description=row.title,
            show=False,
        )
        for row in rows
        for key in row.keys
    )


def remapped(rows: Iterable[Action], keymap: Mapping[str, tuple[str, ...]]) -> tuple[Action, ...]:
    """Return the rows with the operator's keys in place of their own."""
    return tuple(replace(row, keys=keymap[row.id]) if row.id in keymap else row for row in rows)
