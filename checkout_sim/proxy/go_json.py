"""JSON as Go's encoding/json reads and writes it, which is what the API's clients see.

Reading: one value, what follows it is ignored; keys match whatever their case; null leaves the
default; the detail of an error is in Go's words. Writing: no blanks, `<`, `>` and `&` escaped.
"""

import json
import math
import struct
from collections.abc import Mapping
from itertools import takewhile
from typing import Any

INT64_LIMIT = 2**63
FLOAT32_LIMIT = 3.4028235677973366e38  # what rounds to more is no float32
FLOAT32_DIGITS = 9  # enough to write any of them


class BadJsonError(Exception):
    """A body that cannot be read; the message is the detail after `bad request body: `."""


class Fraction(float):
    """A JSON number that is no integer literal, with the text it was written as."""

    text: str

    @classmethod
    def parse(cls, text: str) -> "Fraction":
        """Read the literal."""
        number = cls(text)
        number.text = text
        return number


def _no_constant(name: str) -> Any:
    raise BadJsonError(f"invalid character '{name[0]}' looking for beginning of value")


_decoder = json.JSONDecoder(parse_float=Fraction.parse, parse_constant=_no_constant)


def read(body: bytes) -> Any:
    """Read the first value of a body."""
    text = body.decode("utf-8", errors="replace").lstrip(" \t\r\n")
    if not text:
        raise BadJsonError("EOF")
    try:
        value, _ = _decoder.raw_decode(text)
    except json.JSONDecodeError as error:
        raise BadJsonError(_detail(error, text)) from None
    except RecursionError:
        raise BadJsonError("exceeded max depth") from None
    return value


def _detail(error: json.JSONDecodeError, body: str) -> str:
    in_string = error.msg.startswith("Invalid")
    rest = body[error.pos :]
    if not in_string:
        rest = rest.lstrip(" \t\r\n")
    elif "escape" in error.msg:
        rest = rest[1:]
    if error.msg.startswith("Illegal trailing comma"):
        rest = rest[1:].lstrip(" \t\r\n")
    if not rest or "Unterminated" in error.msg:
        return "unexpected EOF"
    where = _where(error.msg)
    if error.msg == "Expecting value":
        for word in ("true", "false", "null", "-"):
            pairs = zip(word, rest, strict=False)
            same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
            if same == len(rest):
                return "unexpected EOF"
            if same:
                number, literal = "in numeric literal", f"in literal {word}"
                where = number if word == "-" else f"{literal} (expecting '{word[same]}')"
                rest = rest[same:]
                break
    found = {"\n": r"\n", "\t": r"\t", "\r": r"\r", "'": r"\'"}.get(rest[0], rest[0])
    return f"invalid character '{found}' {where}"


def _where(message: str) -> str:
    match message.split(" ", 2)[:2]:
        case ["Expecting", "property"] | ["Illegal", "trailing"]:
            return "looking for beginning of object key string"
        case ["Expecting", "':'"]:
            return "after object key"
        case ["Expecting", "','"]:
            return "after object key:value pair"
        case ["Invalid", "control"]:
            return "in string literal"
        case ["Invalid", _]:
            return "in string escape code"
        case _:
            return "looking for beginning of value"


def members(value: Any, *, go_type: str, field: str = "") -> dict[str, Any]:
    """Give an object's members by lower-case key, without nulls; null itself has none."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        place = f"Go struct field {field}" if field else "Go value"
        raise mismatch(value, f"{place} of type {go_type}")
    return {key.lower(): member for key, member in value.items() if member is not None}


def mismatch(value: Any, place: str) -> BadJsonError:
    """Say that a value does not go where it should."""
    return BadJsonError(f"json: cannot unmarshal {_kind(value)} into {place}")


def text(found: Mapping[str, Any], key: str, default: str, *, owner: str) -> str:
    """Give a string member."""
    value = found.get(key, default)
    if not isinstance(value, str):
        raise _mismatch(_kind(value), f"{owner}.{key}", "string")
    return value


def flag(found: Mapping[str, Any], key: str, *, default: bool, owner: str) -> bool:
    """Give a boolean member."""
    value = found.get(key, default)
    if not isinstance(value, bool):
        raise _mismatch(_kind(value), f"{owner}.{key}", "bool")
    return value


def integer(found: Mapping[str, Any], key: str, default: int, *, owner: str, go_type: str) -> int:
    """Give an integer member of 64 bits; 1.5 and 1e3 are none."""
    value = found.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise _mismatch(_kind(value), f"{owner}.{key}", go_type)
    if isinstance(value, Fraction):
        raise _mismatch(f"number {value.text}", f"{owner}.{key}", go_type)
    if not -INT64_LIMIT <= value < INT64_LIMIT:
        raise _mismatch(f"number {value}", f"{owner}.{key}", go_type)
    return value


def float32(found: Mapping[str, Any], key: str, default: float, *, owner: str) -> float:
    """Give a number member, rounded to 32 bits and written as short as those allow."""
    value = found.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _mismatch(_kind(value), f"{owner}.{key}", "float32")
    if abs(value) > FLOAT32_LIMIT:
        literal = value.text if isinstance(value, Fraction) else str(value)
        raise _mismatch(f"number {literal}", f"{owner}.{key}", "float32")
    packed = struct.pack("f", value)
    for digits in range(1, FLOAT32_DIGITS):
        short = float(f"{value:.{digits}g}")
        if struct.pack("f", short) == packed:
            return short
    return float(struct.unpack("f", packed)[0])


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _mismatch(found: str, place: str, go_type: str) -> BadJsonError:
    return BadJsonError(
        f"json: cannot unmarshal {found} into Go struct field {place} of type {go_type}"
    )


def write(value: Any) -> bytes:
    """Write a value as Go's json.Marshal does; whole floats lose their `.0`."""
    text_of = json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text_of = text_of.replace(character, f"\\u{ord(character):04x}")
    return text_of.encode("utf-8", errors="replace")


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {key: _plain(member) for key, member in value.items()}
        case list():
            return [_plain(member) for member in value]
        case float() if math.isfinite(value) and value == int(value):
            return int(value)
        case _:
            return value
