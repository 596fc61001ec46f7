"""The part about keys of docs/tui.md: every action in Markdown."""

from collections.abc import Iterable

from checkout_sim.tui.actions.action import EVERYWHERE, LISTS, Action
from checkout_sim.tui.actions.table import shown_key

_TITLES = {EVERYWHERE: "Everywhere", LISTS: "In every list"}


def keys_part(table: Iterable[Action]) -> str:
    """Return the whole table by scope; an action that changes the world is marked."""
    by_scope: dict[str, list[Action]] = {}
    for row in table:
        by_scope.setdefault(row.scope, []).append(row)
    parts = [
        "Generated from the table of actions (`checkout_sim/tui/actions`). Every action is also",
        "in the palette (ctrl+p) and on the `:` line; `keys.toml` in the configuration folder",
        'gives other keys by action id: `"fault.heal_all" = ["H", "f12"]`. `!` changes the world:',
        "off when read-only and below 60x18, healing apart.",
        "",
    ]
    for scope, rows in by_scope.items():
        parts += [f"### {_TITLES.get(scope, scope.capitalize())}", ""]
        parts += ["| Keys | Action | What it does |", "|---|---|---|", *map(_line, rows), ""]
    return "\n".join(parts)


def _line(row: Action) -> str:
    keys = " ".join(f"`{shown_key(key)}`".replace("|", "\\|") for key in row.keys)
    takes = f" {row.parameters}" if row.parameters else ""
    harm = " !" if row.harmful else ""
    words = (row.help or row.title).replace("|", "\\|")
    return f"| {keys} | `{row.id}{takes}`{harm} | {words} |"
