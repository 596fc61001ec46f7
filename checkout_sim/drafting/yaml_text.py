"""A scenario's YAML, written: keys in the order people read them, one line per thing that happens.

Pure: takes mappings, lists and scalars, gives text. Strings that could be read as something else
are quoted as JSON, which YAML 1.2 contains.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*|\d+(?:\.\d+)?(?:us|ms|s|B|KB|MB|KB/s|/s)")
_RESERVED = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_WIDEST = 96


def document(value: Mapping[str, Any], *, comments: Sequence[str] = ()) -> str:
    """Return the whole file."""
    lines = ["# yaml-language-server: $schema=scenario.schema.json"]
    lines += [f"# {line}" for comment in comments for line in comment.splitlines()]
    for key, inner in value.items():
        lines += _entry(key, inner)
    return "\n".join(lines) + "\n"


def _entry(key: str, value: Any, indent: str = "") -> Iterator[str]:
    short = f"{indent}{key}: {flow(value)}"
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        yield f"{indent}{key}:"
        for item in value:
            yield from _item(item, f"{indent}  ")
    elif isinstance(value, Mapping) and len(short) > _WIDEST:
        yield f"{indent}{key}:"
        for name, inner in value.items():
            yield from _entry(name, inner, f"{indent}  ")
    else:
        yield short


def _item(item: Mapping[str, Any], indent: str) -> Iterator[str]:
    short = f"{indent}- {flow(item)}"
    if len(short) <= _WIDEST and "name" not in item:
        yield short
        return
    mark = "- "
    for name, inner in item.items():
        yield f"{indent}{mark}{name}: {flow(inner)}"
        mark = "  "


def flow(value: Any) -> str:
    """Return a value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(inner) for inner in value) + "]"
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.lower() not in _RESERVED
        return value if plain else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)
