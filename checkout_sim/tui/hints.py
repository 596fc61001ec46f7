"""The footer: the keys that matter most here, as many as fit.

Takes the rows of a view; gives tokens. Heal all comes first and never leaves; what does not fit is
left out whole, because a cut hint is read as another key.
"""

from collections.abc import Iterable

from checkout_sim.board.tokens import Line, Token
from checkout_sim.tui.actions.action import Action
from checkout_sim.tui.actions.table import shown_key

_WIDE = 110
MOST_NARROW, MOST_WIDE = 8, 12


def hints_line(rows: Iterable[Action], width: int) -> Line:
    """Return the footer for a width."""
    ranked = sorted((row for row in rows if row.hint and row.keys), key=lambda row: row.hint)
    tokens: list[Token] = [Token(" ")]
    used = 1
    for row in ranked[: MOST_WIDE if width >= _WIDE else MOST_NARROW]:
        key, words = shown_key(row.keys[0]), f" {row.title}  "
        if used + len(key) + len(words) - 2 > width:
            continue
        tokens += [Token(key, "key"), Token(words)]
        used += len(key) + len(words)
    return tuple(tokens)
