"""Commands and answers as lines of JSON, beside the observations that `ndjson` writes.

Takes the values of `model/command.py` and `model/answer.py` and gives one line each; takes such
lines and gives the values back. A value says under `is` which one it is, and so does every value
inside it, so that a union needs no guessing. The classes themselves are the schema: fields are read
by their annotation, an unknown or missing one is refused, and nothing is turned from one type into
another.
"""

import json
import types
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from checkout_sim import ndjson
from checkout_sim.model.answer import Answer, Streamed
from checkout_sim.model.command import Asked
from checkout_sim.model.errors import HistoryUnreadable
from checkout_sim.model.history import Observation

T = TypeVar("T")

_TAG = "is"
_TAGGED = b'{"is":'
_WRITE = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode

_SCALARS: tuple[type, ...] = (str, int, float, bool, types.NoneType)


def line_of(value: Streamed | Asked) -> bytes:
    """Return one line, newline included. Raises ValueError for NaN."""
    if isinstance(value, Observation):
        return ndjson.encode(value)
    return f"{_WRITE(_plain(value))}\n".encode()


def streamed_of(line: bytes) -> Streamed:
    """Return the observation or answer of a line. Raises HistoryUnreadable for anything else."""
    if not line.startswith(_TAGGED):
        return ndjson.decode(line)
    streamed: Answer = _read(line, _members(Answer))
    return streamed


def asked_of(line: bytes) -> Asked:
    """Return the command of a line, with its number. Raises HistoryUnreadable."""
    asked: Asked = _read(line, (Asked,))
    return asked


def plain_of(value: Any) -> Any:
    """Return a value as JSON can hold it: what `operator.asked` keeps of a command."""
    return _plain(value)


def value_of(plain: Any, hint: Any) -> Any:
    """Return what `plain_of` was given; `hint` is its type. Raises HistoryUnreadable."""
    try:
        return _built(hint, plain, "the value")
    except _Unfit as unfit:
        raise HistoryUnreadable(str(unfit)) from unfit


class _Unfit(ValueError):
    """A line says something its type does not."""


def _read(line: bytes, among: Iterable[type]) -> Any:
    shown = line[:80].decode(errors="replace")
    try:
        plain = json.loads(line)
    except ValueError as error:
        raise HistoryUnreadable(f"not a line of JSON ({error}): {shown!r}") from error
    try:
        return _tagged(tuple(among), plain, "the line")
    except _Unfit as unfit:
        raise HistoryUnreadable(f"{unfit}: {shown!r}") from unfit


# ---- writing -----------------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    if isinstance(value, _SCALARS):
        return value
    if is_dataclass(value):
        kind: Any = type(value)
        said = {name: _plain(getattr(value, name)) for name in _shape(kind).hints}
        return {_TAG: kind.__name__, **said}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    raise TypeError(f"{type(value).__name__} has no place in a line: {value!r:.80}")


# ---- reading -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """What a class's fields are, and which of them may be absent."""

    hints: Mapping[str, Any]
    required: frozenset[str]


@cache
def _shape(kind: Any) -> _Shape:
    hints = get_type_hints(kind)
    own = fields(kind)
    return _Shape(
        hints={one.name: hints[one.name] for one in own},
        required=frozenset(
            one.name for one in own if one.default is MISSING and one.default_factory is MISSING
        ),
    )


@cache
def _members(hint: Any) -> tuple[Any, ...]:
    """Return what a union is of; anything else is a union of itself."""
    if get_origin(hint) in (Union, types.UnionType):
        return tuple(inner for member in get_args(hint) for inner in _members(member))
    return (hint,)


def _built(hint: Any, plain: Any, where: str) -> Any:
    members = _members(hint)
    classes = tuple(one for one in members if is_dataclass(one))
    if classes and isinstance(plain, dict):
        return _tagged(classes, plain, where)
    for member in members:
        if _fits(member, plain):
            return _filled(member, plain, where)
    raise _Unfit(f"{where} is {plain!r:.60}, expected {_named(hint)}")


def _fits(member: Any, plain: Any) -> bool:
    match get_origin(member):
        case origin if origin is Literal:
            return plain in get_args(member)
        case origin if origin is tuple:
            return isinstance(plain, list)
        case origin if origin is Mapping:
            return isinstance(plain, dict)
        case _:
            whole = member is float and type(plain) is int  # JSON has one kind of number
            return member is Any or type(plain) is member or whole


def _filled(member: Any, plain: Any, where: str) -> Any:
    match get_origin(member):
        case origin if origin is tuple:
            return tuple(_built(get_args(member)[0], inner, where) for inner in plain)
        case origin if origin is Mapping:
            inner = get_args(member)[1]
            return {key: _built(inner, value, f"{where}.{key}") for key, value in plain.items()}
        case _:
            return float(plain) if member is float else plain


def _tagged(among: tuple[Any, ...], plain: Any, where: str) -> Any:
    tag = plain.get(_TAG) if isinstance(plain, dict) else None
    kind = next((one for one in among if one.__name__ == tag), None)
    if kind is None:
        expected = ", ".join(one.__name__ for one in among) or "no object"
        raise _Unfit(f"{where} is {tag!r}, expected {expected}")
    shape = _shape(kind)
    said = {name: value for name, value in plain.items() if name != _TAG}
    missing = shape.required - said.keys()
    unknown = said.keys() - shape.hints.keys()
    if missing or unknown:
        wrong = f"no field {min(missing)!r}" if missing else f"unknown field {min(unknown)!r}"
        raise _Unfit(f"{where} is a {tag} with {wrong}")
    return kind(
        **{name: _built(shape.hints[name], value, f"{tag}.{name}") for name, value in said.items()}
    )


def _named(hint: Any) -> str:
    return " or ".join(getattr(one, "__name__", str(one)) for one in _members(hint))
