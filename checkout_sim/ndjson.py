"""The only codec: one observation, one line of JSON.

Takes observations and gives bytes for `history.ndjson`; takes such lines and gives observations
back. Absent is absent: a field that is None is not written, so a line stays short and a reader
needs no nulls. Lines end in a newline, which is how a torn last line is told from a whole one.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from math import isfinite
from os import PathLike
from pathlib import Path
from typing import Any

from checkout_sim.model.errors import HistoryUnreadable
from checkout_sim.model.history import HISTORY_VERSION, Observation

# Lines are put together from a text and what the json module's C code makes of a string or of
# `data`: its own `encode` sets up a new encoder for every call, which costs as much as the line.
_TEXT = json.encoder.encode_basestring_ascii
_WRITE = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode
_C_ENCODER = getattr(json.encoder, "c_make_encoder", None)  # None where Python has no C module
_READ = json.JSONDecoder().decode

_FIELDS = frozenset(Observation.__dataclass_fields__)
_REQUIRED = ("id", "t_ms", "source", "kind")


def encode(observation: Observation) -> bytes:
    """Return the observation as one line, newline included.

    Raises TypeError or ValueError for what JSON cannot hold, NaN included.
    """
    seen = observation
    line = (
        f'{{"id":{seen.id},"t_ms":{_number(seen.t_ms)},'
        f'"source":{_TEXT(seen.source)},"kind":{_TEXT(seen.kind)}'
    )
    # Spelled out rather than looped over: this runs for every line of a run.
    if seen.source_ms is not None:
        line += f',"source_ms":{_number(seen.source_ms)}'
    if seen.checkout is not None:
        line += f',"checkout":{seen.checkout}'
    if seen.order is not None:
        line += f',"order":{_TEXT(seen.order)}'
    if seen.key is not None:
        line += f',"key":{_TEXT(seen.key)}'
    if seen.fault is not None:
        line += f',"fault":{_TEXT(seen.fault)}'
    if seen.data:
        data = seen.data
        line += f',"data":{_object(data if type(data) is dict else dict(data))}'
    return f"{line}}}\n".encode()


def _number(ms: float) -> str:
    return repr(ms) if isfinite(ms) else _WRITE(ms)  # which raises


def _object_encoder() -> Callable[[dict[str, Any]], str]:
    """Return what writes an object, set up once."""
    if _C_ENCODER is None:
        return _WRITE
    encoder = json.JSONEncoder(allow_nan=False)
    chunks = _C_ENCODER(
        markers=None,
        default=encoder.default,
        encoder=_TEXT,
        indent=None,
        key_separator=":",
        item_separator=",",
        sort_keys=False,
        skipkeys=False,
        allow_nan=False,
    )
    return lambda data: "".join(chunks(data, 0))


_object = _object_encoder()


def decode(line: bytes | str) -> Observation:
    """Return the observation of one line.

    Raises HistoryUnreadable when the line is not one, naming what was found.
    """
    text = line.decode(errors="replace") if isinstance(line, bytes) else line
    try:
        fields = _READ(text.strip())
    except ValueError as error:
        raise HistoryUnreadable(f"not a line of JSON ({error}): {text[:80]!r}") from error
    if not isinstance(fields, dict):
        raise HistoryUnreadable(f"not a JSON object: {text[:80]!r}")
    unknown = fields.keys() - _FIELDS
    missing = [name for name in _REQUIRED if name not in fields]
    if unknown or missing:
        found = f"no field {missing[0]!r}" if missing else f"unknown field {min(unknown)!r}"
        if unknown and not missing:
            found += " (of a newer checkout-sim?)"
        raise HistoryUnreadable(f"not an observation, {found}: {text[:80]!r}")
    if type(fields["id"]) is not int or not isinstance(fields.get("data", {}), dict):
        raise HistoryUnreadable(f"not an observation, a field has the wrong type: {text[:80]!r}")
    return Observation(**fields)


_SAYS_KIND = b'"kind":"'
_NAMES_ORDER = b'"order":"'

Wanted = Callable[[bytes], bool]


def mentioning(
    *, kinds: Iterable[str] = (), words: Iterable[str] = (), orders: Iterable[str] = ()
) -> Wanted:
    """Return what tells, from its bytes alone, whether a line may be about something.

    `kinds` are beginnings of kinds, `fault.` or `client.ended`; `words` stand between quotes, as
    order ids do, or are names with their value, `"checkout":3`; `orders` are many order ids, whose
    number costs nothing. It may take too many lines, never too few: `encode` writes no blanks, and
    ids need no escapes.
    """
    ids = {order.encode() for order in orders}
    begins = tuple(kind.encode() for kind in kinds)
    tokens = tuple(word.encode() if '"' in word else f'"{word}"'.encode() for word in words)

    def wanted(line: bytes) -> bool:
        kind = line.find(_SAYS_KIND) + len(_SAYS_KIND)
        if kind >= len(_SAYS_KIND) and line.startswith(begins, kind):
            return True
        # A loop with a return, not any(): a generator per line would cost as much as reading it.
        for token in tokens:
            if token in line:
                return True
        if not ids:
            return False
        named = line.find(_NAMES_ORDER) + len(_NAMES_ORDER)
        return named >= len(_NAMES_ORDER) and line[named : line.find(b'"', named)] in ids

    return wanted


def read_history(
    path: str | PathLike[str], *, wanted: Wanted | None = None
) -> Iterator[Observation]:
    """Yield the observations of a history file, in the order they were recorded.

    A line that is not `wanted` is passed over undecoded, which is five times as fast. A last line
    without its newline that cannot be read was torn when the recorder died, and is dropped.
    Raises HistoryUnreadable, naming file and line, for anything else.
    """
    try:
        with Path(path).open("rb") as lines:
            yield from read_lines(lines, named=str(path), wanted=wanted)
    except OSError as error:
        raise HistoryUnreadable(
            f"{path}: cannot be read: {error.strerror}; list what is archived with "
            "`checkout-sim runs`"
        ) from error


def read_lines(
    lines: Iterable[bytes], *, named: str, wanted: Wanted | None = None
) -> Iterator[Observation]:
    """Yield the observations of lines that were read already; `named` stands in errors."""
    for number, line in enumerate(lines, start=1):
        if wanted is not None and not wanted(line):
            continue
        try:
            observation = decode(line)
        except HistoryUnreadable as error:
            if line.endswith(b"\n"):
                raise HistoryUnreadable(f"{named}:{number}: {error}") from error
            return  # only a file's last line can lack its newline: it was torn
        if observation.kind == "run.opened":
            _refuse_other_versions(observation, where=f"{named}:{number}")
        yield observation


def _refuse_other_versions(opened: Observation, *, where: str) -> None:
    """Refuse what is too old or too new: half-understood evidence would convict or acquit."""
    version = opened.data.get("history_version")
    if version == HISTORY_VERSION:
        return
    tool = opened.data.get("tool", "version not recorded")
    newer = isinstance(version, int) and version > HISTORY_VERSION
    age, action = (
        ("newer", "judge it with that version, or upgrade this one")
        if newer
        else ("older", "judge it with that version, or run the scenario again")
    )
    raise HistoryUnreadable(
        f"{where}: history_version is {version!r}, this tool reads {HISTORY_VERSION}; "
        f"a{'n' if age == 'older' else ''} {age} checkout-sim recorded it ({tool}): {action}"
    )
