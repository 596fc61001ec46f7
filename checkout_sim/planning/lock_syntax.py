"""The YAML of a lock, written and read: block style, strings quoted as JSON (part of YAML 1.2).

Takes mappings, sequences, scalars and dataclasses, gives lines; takes such text, gives mappings,
lists and scalars back. A writer and a reader of our own, since this floor may import no YAML
library, and since a general one would need minutes for a lock of ten thousand checkouts. The
reader knows what the writer writes (and whole-line comments), and refuses everything else by line.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_RESERVED = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_WORDS: Mapping[str, Any] = {"null": None, "true": True, "false": False}
_JSON = json.JSONDecoder()
_QUOTED = json.JSONEncoder(ensure_ascii=False).encode  # made once: `json.dumps` makes one a call


class NotALock(ValueError):
    """The text is not what the writer writes; the message says in which line and why."""


def write(value: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a mapping, without newlines."""
    yield from _mapping(value, 0)


def read(text: str) -> dict[str, Any]:
    """Return what `write` was given, dataclasses as mappings. Raises NotALock."""
    lines = _Lines(text)
    if lines.indent() != 0:
        raise NotALock("the text is empty")
    found = _read_block(lines, 0)
    if not isinstance(found, dict):
        raise NotALock("line 1: a list where keys were expected")
    if lines.indent() >= 0:
        raise lines.refusal("indented deeper than what stands above it")
    return found


# ---- writing -----------------------------------------------------------------------------------


def _mapping(value: Mapping[str, Any], depth: int) -> Iterator[str]:
    for key, inner in value.items():
        yield from _entry(f"{'  ' * depth}{_scalar(key)}:", inner, depth + 1)


def _sequence(value: Sequence[Any], depth: int) -> Iterator[str]:
    for inner in value:
        plain = _plainly(inner)
        if isinstance(plain, Mapping) and plain:
            first, *rest = _mapping(plain, depth + 1)
            yield f"{'  ' * depth}- {first.lstrip()}"
            yield from rest
        else:
            yield from _entry(f"{'  ' * depth}-", plain, depth + 1)


def _entry(head: str, value: Any, depth: int) -> Iterator[str]:
    plain = _plainly(value)
    if isinstance(plain, Mapping):
        yield head if plain else f"{head} {{}}"
        yield from _mapping(plain, depth)
    elif isinstance(plain, list):
        if all(_is_scalar(inner) for inner in plain):
            yield f"{head} [{', '.join(_scalar(inner) for inner in plain)}]"
        else:
            yield head
            yield from _sequence(plain, depth)
    else:
        yield f"{head} {_scalar(plain)}"


_NAMES: dict[type, tuple[str, ...]] = {}  # of dataclasses met; asking `fields` each time is slow


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


def _plainly(value: Any) -> Any:
    """Return a mapping, a list or a scalar; a dataclass says under `is` which one it was."""
    if _is_scalar(value):
        return value
    kind = type(value)
    if is_dataclass(kind):
        if kind not in _NAMES:
            _NAMES[kind] = tuple(field.name for field in fields(kind))
        return {"is": kind.__name__, **{name: getattr(value, name) for name in _NAMES[kind]}}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, list | tuple | frozenset):
        return sorted(value) if isinstance(value, frozenset) else list(value)
    return value


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.lower() not in _RESERVED
        return value if plain else _QUOTED(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return _QUOTED(value)


# ---- reading -----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Line:
    number: int
    indent: int
    text: str


class _Lines:
    """The lines still to be read. A `- ` is turned into blanks once its item is begun."""

    def __init__(self, text: str) -> None:
        numbered = enumerate(text.split("\n"), start=1)  # not splitlines: U+2028 may be in a string
        said = [(n, line) for n, line in numbered if line.strip() and not line.startswith("#")]
        self._lines = [
            _Line(n, len(line) - len(line.lstrip(" ")), line.lstrip(" ")) for n, line in said
        ]
        self._at = 0

    def indent(self) -> int:
        """Return the indentation of the next line, -1 at the end."""
        return self._lines[self._at].indent if self._at < len(self._lines) else -1

    def text(self) -> str:
        """Return the next line without its indentation."""
        return self._lines[self._at].text

    def next(self) -> None:
        """Be done with this line."""
        self._at += 1

    def begin_item(self) -> None:
        """Take the `- ` off the next line: what remains is indented by two more."""
        line = self._lines[self._at]
        line.indent, line.text = line.indent + 2, line.text[2:]

    def refusal(self, why: str) -> NotALock:
        """Return the error for the next line."""
        if self._at == len(self._lines):
            return NotALock(f"at the end: {why}")
        line = self._lines[self._at]
        return NotALock(f"line {line.number}: {why}: {line.text[:60]!r}")


def _read_block(lines: _Lines, indent: int) -> Any:
    return _read_items(lines, indent) if _is_item(lines.text()) else _read_keys(lines, indent)


def _read_keys(lines: _Lines, indent: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    while lines.indent() == indent and not _is_item(lines.text()):
        key, rest = _split_key(lines)
        if key in found:
            raise lines.refusal(f"{key} is said twice")
        found[key] = _read_value(lines, rest, indent)
    return found


def _read_items(lines: _Lines, indent: int) -> list[Any]:
    found: list[Any] = []
    while lines.indent() == indent and _is_item(lines.text()):
        rest = lines.text()[2:]
        if _begins_keys(rest):
            lines.begin_item()
            found.append(_read_keys(lines, indent + 2))
        else:
            found.append(_read_value(lines, rest, indent))
    return found


def _read_value(lines: _Lines, rest: str, indent: int) -> Any:
    """Return what stands behind a key or a dash, or below it where nothing does."""
    if rest:
        value = _inline(lines, rest)
        lines.next()
        return value
    lines.next()
    if lines.indent() <= indent:
        raise lines.refusal("a value was expected below the line above")
    return _read_block(lines, lines.indent())


def _is_item(text: str) -> bool:
    return text == "-" or text.startswith("- ")


def _begins_keys(text: str) -> bool:
    if text.startswith('"'):
        try:
            _, end = _JSON.raw_decode(text)
        except ValueError:
            return False
        return text[end : end + 1] == ":"
    return not text.startswith(("[", "{")) and (text.endswith(":") or ": " in text)


def _split_key(lines: _Lines) -> tuple[Any, str]:
    text = lines.text()
    if text.startswith('"'):
        try:
            key, end = _JSON.raw_decode(text)
        except ValueError as error:
            raise lines.refusal("a key that is no string") from error
    else:
        end = text.find(":")
        key = _word(lines, text[:end])
    if text[end : end + 1] != ":" or text[end + 1 : end + 2] not in {"", " "}:
        raise lines.refusal("`key: value` was expected")
    return key, text[end + 2 :]


def _inline(lines: _Lines, text: str) -> Any:
    if text == "{}":
        return {}
    if not text.startswith("["):
        return _word(lines, text)
    return _inline_list(lines, text)


def _inline_list(lines: _Lines, text: str) -> list[Any]:
    found: list[Any] = []
    at = 1
    while text[at : at + 1] != "]":
        value, at = _inline_item(lines, text, at)
        found.append(value)
        if text.startswith(", ", at):
            at += 2
        elif text[at : at + 1] != "]":
            raise lines.refusal("a list that does not end")
    if at != len(text) - 1:
        raise lines.refusal("something stands behind the list")
    return found


def _inline_item(lines: _Lines, text: str, at: int) -> tuple[Any, int]:
    """Return the item that begins here and where it ends."""
    if text[at : at + 1] == '"':
        try:
            return _JSON.raw_decode(text, at)
        except ValueError as error:
            raise lines.refusal("a string that does not end") from error
    ends = [end for end in (text.find(",", at), text.find("]", at)) if end >= 0]
    if not ends:
        raise lines.refusal("a list that does not end")
    return _word(lines, text[at : min(ends)]), min(ends)


def _word(lines: _Lines, text: str) -> Any:
    """Return one scalar: a word, null, true, false, a number, or a string in quotes."""
    if text in _WORDS:
        return _WORDS[text]
    if _PLAIN.fullmatch(text):
        return text
    try:
        value = json.loads(text)
    except ValueError as error:
        raise lines.refusal("neither a word, a number nor a string in quotes") from error
    if isinstance(value, dict | list):
        raise lines.refusal("neither a word, a number nor a string in quotes")
    return value
