"""The table as a whole: what belongs to a screen, what contradicts itself, what a key is called.

Takes rows; gives those of a scope, sentences about contradictions, and keys in Textual's spelling
and in a reader's.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from checkout_sim.tui.actions.action import EVERYWHERE, LISTS, Action

# Textual's names of keys that are typed as one character, where they are not the character itself.
_SHOWN = {
    "question_mark": "?",
    "escape": "esc",
    "ctrl+p": "^p",
    "ctrl+q": "^q",
    "ctrl+d": "^d",
    "ctrl+u": "^u",
    "f1": "F1",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "shift+tab": "S-tab",
}


# What a screen may mean otherwise: opening a scenario is running it.
_REPLACEABLE = frozenset({"row.open"})


def actions_of(scope: str, table: Iterable[Action]) -> tuple[Action, ...]:
    """Return the rows whose keys work on a view: its own first, then lists', then everyone's.

    What a view means otherwise stands once: its own row takes the place of the lists'.
    """
    rows = tuple(table)
    own = {row.id for row in rows if row.scope == scope} & _REPLACEABLE
    order = (scope, LISTS, EVERYWHERE) if scope != LISTS else (LISTS, EVERYWHERE)
    return tuple(
        row
        for wanted in order
        for row in rows
        if row.scope == wanted and not (wanted == LISTS and scope != LISTS and row.id in own)
    )


def shown_key(key: str) -> str:
    """Return a key as people write it."""
    return _SHOWN.get(key, key)


def refused(table: Sequence[Action]) -> list[str]:
    """Return a sentence for every contradiction: double ids, double keys, shadowed keys.

    An id may stand once per scope; a key may stand once per scope, and on no screen if it works
    everywhere.
    """
    return [*_doubles(table), *_shadows(table)]


def _doubles(table: Sequence[Action]) -> Iterator[str]:
    about_id = sorted((row.scope, row.id) for row in table)
    for one, other in pairwise(about_id):
        if one == other:
            yield f"{one[1]}: stands twice in scope {one[0]}; give one of them another id"
    about_key = sorted((row.scope, key, row.id) for row in table for key in row.keys)
    for (scope, key, one_id), (other_scope, other_key, other_id) in pairwise(about_key):
        if (scope, key) == (other_scope, other_key):
            yield f"{shown_key(key)}: means {one_id} and {other_id} in scope {scope}; choose one"


def _shadows(table: Sequence[Action]) -> Iterator[str]:
    above = {
        key: row.id
        for row in table
        if row.scope in {EVERYWHERE, LISTS} and row.id not in _REPLACEABLE
        for key in row.keys
    }
    for row in table:
        if row.scope in {EVERYWHERE, LISTS}:
            continue
        for key in row.keys:
            if key in above:
                yield (
                    f"{shown_key(key)}: {row.id} on {row.scope} would hide {above[key]}, which "
                    "works everywhere; choose another key"
                )
