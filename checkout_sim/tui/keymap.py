"""keys.toml: the operator's own keys, by action id.

    "fault.heal_all" = "H"
    "view.freeze" = ["space", "ctrl+f"]

Lies in the configuration folder (`platformdirs`), or where CHECKOUT_SIM_KEYS says. What it names is
laid over the table; whatever contradicts afterwards is refused with every reason at once.
"""

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from platformdirs import user_config_path

from checkout_sim.model.errors import CheckoutSimError
from checkout_sim.tui.actions import ALL, Action, refused
from checkout_sim.tui.actions.keys import remapped


class ActionsContradict(CheckoutSimError):
    """The table of actions, with the operator's keys, does not add up."""


def keymap_path() -> Path:
    """Return where the operator's keys are looked for."""
    told = os.environ.get("CHECKOUT_SIM_KEYS")
    return Path(told) if told else user_config_path("checkout-sim") / "keys.toml"


def own_actions(path: Path | None = None, table: Sequence[Action] = ALL) -> tuple[Action, ...]:
    """Return the table with the operator's keys; raises ActionsContradict with every reason."""
    path = path or keymap_path()
    keymap = _read(path, table)
    rows = remapped(table, keymap)
    reasons = refused(rows)
    if reasons:
        where = f"{path}: " if keymap else ""
        raise ActionsContradict(
            f"{where}the keys contradict each other:\n  " + "\n  ".join(reasons)
        )
    return rows


def _read(path: Path, table: Sequence[Action]) -> Mapping[str, tuple[str, ...]]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ActionsContradict(f"{path}: cannot be read: {error.strerror}") from error
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ActionsContradict(f"{path}: {error}") from error
    known = {row.id for row in table}
    keymap: dict[str, tuple[str, ...]] = {}
    for name, keys in told.items():
        if name not in known:
            raise ActionsContradict(f'{path}: "{name}" is no action; docs/tui.md lists them')
        listed = [keys] if isinstance(keys, str) else keys
        if not isinstance(listed, list) or not all(isinstance(key, str) and key for key in listed):
            raise ActionsContradict(
                f'{path}: "{name}" is {keys!r}; expected a key or a list of keys, as "H" or '
                '["space", "ctrl+f"]'
            )
        keymap[name] = tuple(listed)
    return keymap
