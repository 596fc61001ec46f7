"""YAML text to plain values that remember where they stood.

Takes the bytes of one file, gives a `Document`: dictionaries, lists and scalars, and beside them
the line and column of every key and value. ruamel.yaml reads YAML 1.2, where `on` and `no` are
words; we walk its node graph ourselves because it marks every scalar, list items included.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from checkout_sim.model.errors import Problem, ScenarioInvalid

Place = tuple[int, int]  # line and column, from 1
Trail = tuple[str | int, ...]  # ("faults", 0, "link")

_BIGGEST_FILE_BYTES = 1_000_000
_DEEPEST = 50  # flow brackets; ruamel's scanner takes a second for each few hundred
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One file's values and where each stood; `digest` is the SHA-256 of its bytes."""

    path: str
    digest: str
    data: Any
    keys: Mapping[Trail, Place] = field(default_factory=dict)
    values: Mapping[Trail, Place] = field(default_factory=dict)

    def place_of_key(self, trail: Trail) -> Place:
        """Return where the key stands, or the value where there is no key, or what encloses it."""
        return self.keys.get(trail) or self.place_of_value(trail)

    def place_of_value(self, trail: Trail) -> Place:
        """Return where the value stands, or the nearest thing around it that is written down."""
        for length in range(len(trail), -1, -1):
            found = self.values.get(trail[:length])
            if found is not None:
                return found
        return (1, 1)


def read_document(path: Path) -> Document:
    """Read one file; raise ScenarioInvalid, with positions, where it is no single YAML document."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise _refusal(path, f"cannot be read: {error.strerror or error}") from error
    if len(raw) > _BIGGEST_FILE_BYTES:
        raise _refusal(path, f"{len(raw)} bytes; a scenario holds {_BIGGEST_FILE_BYTES} at most")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - (raw.rfind(b"\n", 0, error.start) + 1) + 1
        message = f"byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise _refusal(path, message, (line, column)) from error
    return _document(path, text, sha256(raw).hexdigest())


def _document(path: Path, text: str, digest: str) -> Document:
    """Return the document behind the text, or raise with every key that is written twice."""
    root = _compose(path, text)
    if root is None:
        raise _refusal(path, "the file is empty; a scenario begins with `version: 1`")
    reader = _Reader(str(path))
    data = reader.value(root, ())
    if reader.problems:
        raise ScenarioInvalid(tuple(reader.problems))
    return Document(
        path=str(path), digest=digest, data=data, keys=reader.keys, values=reader.values
    )


def _compose(path: Path, text: str) -> Node | None:
    """Return ruamel's node graph, its many errors turned into one Problem."""
    if _depth(text) > _DEEPEST:
        raise _refusal(path, "nested too deeply to be a scenario")
    try:
        root: Node | None = YAML().compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        told = ", ".join(part for part in (error.context, error.problem) if part)
        raise _refusal(path, f"not YAML: {told}", place) from error
    except ReaderError as error:
        before = text[: error.position]
        place = (before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
        raise _refusal(path, f"not YAML: {error.reason}", place) from error
    except YAMLError as error:
        raise _refusal(path, f"not YAML: {error}") from error
    except RecursionError as error:
        raise _refusal(path, "nested too deeply to be a scenario") from error
    return root


def _depth(text: str) -> int:
    """Return how deep brackets nest at most, those inside quotes counted as well."""
    depth = deepest = 0
    for bracket in re.findall(r"[\[\]{}]", text):
        depth = depth + 1 if bracket in "[{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


def _refusal(path: Path, message: str, place: Place = (1, 1)) -> ScenarioInvalid:
    return ScenarioInvalid(
        (Problem(path=str(path), line=place[0], column=place[1], message=message),)
    )


class _Reader:
    """Walks the node graph once, collecting values, places and what YAML lets slip."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.keys: dict[Trail, Place] = {}
        self.values: dict[Trail, Place] = {}
        self.problems: list[Problem] = []
        self._seen: set[int] = set()

    def value(self, node: Node, trail: Trail) -> Any:
        """Return the plain value of a node, noting its place under `trail`."""
        self.values[trail] = _place(node)
        if id(node) in self._seen:
            # An alias: shared nodes would give one value two places, and can nest without end.
            self._add(node, trail, "aliases (`*name`) are not offered; write the value out")
            return None
        self._seen.add(id(node))
        match node:
            case MappingNode():
                return dict(self._pairs(node, trail))
            case SequenceNode():
                return [self.value(item, (*trail, n)) for n, item in enumerate(node.value)]
            case ScalarNode():
                return _scalar(node)
            case _:
                self._add(node, trail, "not a mapping, a list or a scalar")
                return None

    def _pairs(self, node: MappingNode, trail: Trail) -> Iterator[tuple[str, Any]]:
        known: dict[str, Place] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self._add(key_node, trail, "a key must be a word")
                continue
            key: str = key_node.value
            here = (*trail, key)
            if key in known:
                line = known[key][0]
                self._add(key_node, here, f"duplicate key; it is already on line {line}")
                continue
            known[key] = self.keys[here] = _place(key_node)
            yield key, self.value(value_node, here)

    def _add(self, node: Node, trail: Trail, message: str) -> None:
        line, column = _place(node)
        where = f"{dotted(trail)}: " if trail else ""
        self.problems.append(
            Problem(path=self.path, line=line, column=column, message=where + message)
        )


def dotted(trail: Trail) -> str:
    """Return `faults[0].link` for ("faults", 0, "link")."""
    text = ""
    for part in trail:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _place(node: Node) -> Place:
    return (node.start_mark.line + 1, node.start_mark.column + 1)


def _scalar(node: ScalarNode) -> str | int | float | bool | None:
    """Return the value by YAML 1.2's core schema; anything else stays the text it is."""
    text: str = node.value
    kind = str(node.tag).removeprefix(_TAG)
    try:
        match kind:
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int":
                return _integer(text)
            case "float":
                return float(text.replace("_", ""))
            case _:
                return text
    except ValueError:  # `.inf` and friends: no scenario has a use for them
        return text


def _integer(text: str) -> int:
    digits = text.replace("_", "")
    # YAML 1.2 reads 010 as ten; int(…, 0) would refuse it.
    return int(digits, 0) if digits.lstrip("+-")[:2].lower() in {"0x", "0o"} else int(digits)
