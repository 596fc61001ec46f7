"""Stripe's bracketed forms: `metadata[order_id]=ord_1&expand[]=latest_charge`, decoded and checked.

Takes the raw body or query of a request; gives the nested parameters and a digest that is equal
exactly when two requests carry the same parameters, in whatever order.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from pydantic_core import to_json

from .errors import InvalidRequest, missing_parameter, unknown_parameter

MAX_FIELDS = 500
_MAX_DEPTH = 6
_MAX_DIGITS = 15
_MAX_METADATA = 50
_MAX_METADATA_KEY = 40
_MAX_METADATA_VALUE = 500
_NAME = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
_INTEGER = re.compile(r"^-?[0-9]+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The parameters of one request: `values` nested as dicts, lists and strings."""

    values: Mapping[str, Any]
    digest: str

    def text(self, name: str, *, limit: int = 5000) -> str | None:
        """Return a string parameter, or None when it is absent or empty."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise InvalidRequest(f"Invalid string: {name} must be a string", param=name)
        if len(value) > limit:
            raise InvalidRequest(
                f"Invalid string: {name} must be at most {limit} characters",
                param=name,
            )
        return value

    def required(self, name: str) -> str:
        """Return a string parameter that Stripe insists on."""
        value = self.text(name)
        if value is None:
            raise missing_parameter(name)
        return value

    def integer(self, name: str) -> int | None:
        """Return an integer parameter, or None when it is absent."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or not _INTEGER.match(value) or len(value) > _MAX_DIGITS:
            raise InvalidRequest(
                f"Invalid integer: {_shown(value)}", code="parameter_invalid_integer", param=name
            )
        return int(value)

    def boolean(self, name: str) -> bool:
        """Return a boolean parameter; absent means false."""
        value = self.values.get(name, "false")
        if value not in {"true", "false"}:
            raise InvalidRequest(f"Invalid boolean: {_shown(value)}", param=name)
        return bool(value == "true")

    def one_of(self, name: str, allowed: Collection[str]) -> str | None:
        """Return an enumerated parameter, or None when it is absent."""
        value = self.text(name)
        if value is not None and value not in allowed:
            raise InvalidRequest(
                f"Invalid {name}: must be one of {', '.join(sorted(allowed))}", param=name
            )
        return value

    def mapping(self, name: str) -> Mapping[str, Any]:
        """Return a nested parameter, empty when it is absent."""
        value = self.values.get(name, {})
        if value == "":
            return {}
        if not isinstance(value, dict):
            raise InvalidRequest("Invalid object", code="parameter_invalid_empty", param=name)
        return value

    def names(self, name: str) -> tuple[str, ...]:
        """Return a list of strings such as `expand[]`."""
        value = self.values.get(name, [])
        items = list(value.values()) if isinstance(value, dict) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise InvalidRequest("Invalid array", param=name)
        return tuple(items)

    def metadata(self) -> dict[str, str]:
        """Return `metadata` within Stripe's limits; an empty value means: remove that key."""
        pairs = self.mapping("metadata")
        if len(pairs) > _MAX_METADATA:
            raise InvalidRequest(
                f"You can have up to {_MAX_METADATA} metadata keys", param="metadata"
            )
        for key, value in pairs.items():
            if not isinstance(value, str) or len(value) > _MAX_METADATA_VALUE:
                raise InvalidRequest(
                    f"Metadata values must be strings of up to {_MAX_METADATA_VALUE} characters",
                    param=f"metadata[{key}]",
                )
            if not 0 < len(key) <= _MAX_METADATA_KEY:
                raise InvalidRequest(
                    f"Metadata keys can be up to {_MAX_METADATA_KEY} characters long",
                    param=f"metadata[{key}]",
                )
        return dict(pairs)

    def allow(self, accepted: Collection[str]) -> None:
        """Refuse the first parameter that Stripe does not list for this endpoint."""
        for name in self.values:
            if name not in accepted:
                raise unknown_parameter(name)


def parse(raw: bytes) -> Form:
    """Decode a urlencoded form; anything unreadable is a 400, never a 500."""
    try:
        pairs = parse_qsl(
            raw.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except (UnicodeDecodeError, ValueError) as problem:
        raise InvalidRequest(
            f"Invalid request body: expected at most {MAX_FIELDS} urlencoded UTF-8 fields"
        ) from problem
    if any("\x00" in name or "\x00" in value for name, value in pairs):
        raise InvalidRequest("Invalid request body: it contains a null byte")
    return Form(values=nested(pairs), digest=_digest(pairs))


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Fold `a[b][]=c` pairs into dicts and lists."""
    values: dict[str, Any] = {}
    for name, value in pairs:
        if "[" not in name:
            _put(values, name, value, whole=name)
            continue
        match = _NAME.match(name)
        if match is None:
            raise unknown_parameter(name)
        path = [match[1], *match[2][1:-1].split("][")]
        if len(path) > _MAX_DEPTH:
            raise unknown_parameter(name)
        _descend(values, path, value, whole=name)
    return values


def _descend(values: dict[str, Any], path: list[str], value: str, *, whole: str) -> None:
    node = values
    *parents, leaf = path
    if leaf == "":
        *parents, leaf = parents
        for part in parents:
            node = _child(node, part, whole=whole)
        items = node.setdefault(leaf, [])
        if not isinstance(items, list):
            raise InvalidRequest("Invalid array", param=whole)
        items.append(value)
        return
    for part in parents:
        node = _child(node, part, whole=whole)
    _put(node, leaf, value, whole=whole)


def _child(node: dict[str, Any], part: str, *, whole: str) -> dict[str, Any]:
    child = node.setdefault(part, {})
    if not isinstance(child, dict):
        raise InvalidRequest("Invalid object", param=whole)
    return child


def _put(node: dict[str, Any], name: str, value: str, *, whole: str) -> None:
    if isinstance(node.get(name), dict | list):
        raise InvalidRequest("Invalid object", param=whole)
    node[name] = value


def _digest(pairs: list[tuple[str, str]]) -> str:
    return hashlib.sha256(to_json(sorted(pairs))).hexdigest()


def _shown(value: object) -> str:
    return value[:40] if isinstance(value, str) else type(value).__name__
