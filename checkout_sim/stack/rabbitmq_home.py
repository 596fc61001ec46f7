"""A home for the private broker with its own applications alone, none of the plugins beside them.

RabbitMQ reads every plugin's description as it starts, and Erlang, which asks each folder of its
path in turn, looks for a thousand modules through all of them: a third of the work of a start
(measured with RabbitMQ 3.10.8). The scripts take any folder for their home that has `sbin` and
`plugins` (`rabbitmq-env`: RABBITMQ_SCRIPTS_DIR), so this makes one, of links to the real ones.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

# The broker, and what its boot calls before anything it depends on is looked at.
_BROKER = frozenset({"rabbit", "rabbitmq_prelaunch"})
_DEPENDENCIES = re.compile(r"\{\s*(?:included_)?applications\s*,\s*\[([^\]]*)\]")
_NAME = re.compile(r"[a-z]\w*")


def make_home(installed: Path, home: Path) -> None:
    """Make `home`, of links into an installed server's folder.

    Where that is laid out in some other way nothing is made: the broker starts as installed.
    """
    scripts, plugins = installed / "sbin", installed / "plugins"
    # An archive (`.ez`) is no folder, and so always kept.
    folders = {told.stem: told.parent.parent for told in plugins.glob("*/ebin/*.app")}
    if not (scripts / "rabbitmq-env").exists() or not folders.keys() >= _BROKER:
        return
    kept = needed({name: _dependencies(folder, name) for name, folder in folders.items()})
    left_out = {folder for name, folder in folders.items() if name not in kept}
    _link(scripts.iterdir(), home / "sbin")
    _link((entry for entry in plugins.iterdir() if entry not in left_out), home / "plugins")


def settings_of(home: Path) -> Mapping[str, str]:
    """Return what the broker is told to use a home, nothing if none was made there."""
    if not home.is_dir():
        return {}
    return {
        "RABBITMQ_SCRIPTS_DIR": str(home / "sbin"),
        "RABBITMQ_PLUGINS_DIR": str(home / "plugins"),
    }


def needed(dependencies: Mapping[str, Collection[str]]) -> frozenset[str]:
    """Return the broker and all it depends on, by what each application says it depends on."""
    found: set[str] = set()
    waiting = list(_BROKER)
    while waiting:
        name = waiting.pop()
        if name in dependencies and name not in found:
            found.add(name)
            waiting += dependencies[name]
    return frozenset(found)


def _dependencies(folder: Path, name: str) -> Collection[str]:
    """Return which applications a description says it depends on (Erlang/OTP, app(4))."""
    text = (folder / "ebin" / f"{name}.app").read_text(encoding="utf-8", errors="replace")
    return {told for listed in _DEPENDENCIES.findall(text) for told in _NAME.findall(listed)}


def _link(entries: Iterable[Path], folder: Path) -> None:
    folder.mkdir(parents=True)
    for entry in entries:
        (folder / entry.name).symlink_to(entry)
