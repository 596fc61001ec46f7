"""Wording: what is wrong, what was expected, and the nearest thing that would be right.

Takes pydantic's errors or a rule's `Finding`, and the `Document` that knows positions; gives
`Problem`s sorted by line.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from checkout_sim.model.errors import Problem
from checkout_sim.scenario_files.names import nearest, suggestion
from checkout_sim.scenario_files.parse import Document, Trail, dotted
from checkout_sim.scenario_files.shape import SHAPES
from checkout_sim.scenario_files.shape_faults import TOXICS
from checkout_sim.scenario_files.units import shown
from checkout_sim.scenario_files.values import Strict

# Keys people will try, because Toxiproxy or an older habit has them.
_HINTS = {
    "toxicity": 'Toxiproxy rolls it per connection, unseeded; use "chance"',
    "jitter": 'Toxiproxy draws it unseeded; write a range like "100ms..300ms", drawn by the plan',
    "on": 'an event is named by "event"; YAML 1.1 readers take "on" for true',
    "enabled": 'use "down: true"',
    "ms": 'use "delay"',
    "reveal_after_ms": 'use "reveal_after"',
    "duration": 'use "for"',
    "start": 'use "from"',
    "end": 'use "until"',
}
_WINDOW_HINTS = {"at": 'a window begins with "from"; "at" belongs to process faults'}
_DEED_HINTS = {
    "from": 'a process fault happens "at" a moment',
    "until": 'a kill ends with "restart", a pause with "for"',
    "for": 'a kill ends with "restart"',
    "restart": 'only "do: kill" waits for a restart',
}
_TYPES = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something a rule found; `at_key` points at the key instead of the value."""

    trail: Trail
    message: str
    at_key: bool = False
    severity: str = "error"


def problems_of(findings: Iterable[Finding], document: Document) -> tuple[Problem, ...]:
    """Return findings as problems with positions, in order of line."""
    return in_order(_problem(finding, document) for finding in findings)


def problems_of_shape(error: ValidationError, document: Document) -> tuple[Problem, ...]:
    """Return everything pydantic found, in our words, in order of line."""
    details = error.errors(include_url=False)
    misread = {
        trail[:2]
        for trail, detail in ((trail_of(detail["loc"]), detail) for detail in details)
        if detail["type"] == "literal_error" and trail[2:] in {("toxic",), ("do",)}
    }
    findings = (
        _finding(detail)
        for detail in details
        if trail_of(detail["loc"])[:2] not in misread or not _by_the_wrong_class(detail)
    )
    return in_order(_problem(finding, document) for finding in findings)


def _by_the_wrong_class(detail: ErrorDetails) -> bool:
    """Return whether this is no error once the kind of fault is spelt right."""
    inside = trail_of(detail["loc"])[2:3] == ("attributes",)
    return inside or detail["type"] in {"extra_forbidden", "missing"}


def trail_of(loc: Sequence[int | str]) -> Trail:
    """Return pydantic's path without the tags of unions and its mark for a key."""
    return tuple(part for part in loc if not (isinstance(part, str) and part[:1] in {"<", "["}))


def _problem(finding: Finding, document: Document) -> Problem:
    trail = finding.trail
    if trail and isinstance(trail[-1], int) and trail not in document.values:
        trail = trail[:-1]  # `link: a` was read as a list of one; its author wrote no list
    place = document.place_of_key if finding.at_key else document.place_of_value
    line, column = place(trail)
    where = f"{dotted(trail)}: " if trail and finding.severity == "error" else ""
    return Problem(
        path=document.path,
        line=line,
        column=column,
        message=where + finding.message,
        severity=finding.severity,
    )


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return problems by line and column, each once."""
    unique = dict.fromkeys(problems)
    return tuple(sorted(unique, key=lambda found: (found.line, found.column, found.message)))


def _finding(detail: ErrorDetails) -> Finding:
    trail = trail_of(detail["loc"])
    match detail["type"]:
        case "extra_forbidden":
            return Finding(trail=trail, message=_unknown_key(detail), at_key=True)
        case "missing":
            return Finding(
                trail=trail[:-1], message=f'"{trail[-1]}" is required and missing', at_key=True
            )
        case "literal_error":
            return Finding(trail=trail, message=_not_one_of(trail, detail))
        case "value_error":
            at_key = detail["loc"][-1] == "[key]"
            return Finding(trail=trail, message=str(detail["ctx"]["error"]), at_key=at_key)
        case kind if kind in _TYPES:
            return Finding(trail=trail, message=f"{shown(detail['input'])} is not {_TYPES[kind]}")
        case kind:
            return Finding(trail=trail, message=_out_of_bounds(kind, detail))


def _unknown_key(detail: ErrorDetails) -> str:
    key = str(detail["loc"][-1])
    shape = _shape_at(detail["loc"][:-1])
    known = [field.alias or name for name, field in shape.model_fields.items()]
    hints = {**_HINTS, **(_DEED_HINTS if "process" in known else {})}
    if "from" in known:
        hints |= _WINDOW_HINTS
    if key in hints:
        return f"unknown key; {hints[key]}"
    return f"unknown key{suggestion(key, known)}"


def _shape_at(loc: Sequence[int | str]) -> type[Strict]:
    """Return the class that read the mapping at this path."""
    shape = SHAPES[""]
    for part in loc:
        if part == "attributes":
            inner = shape.model_fields["attributes"].annotation
            assert isinstance(inner, type)
            shape = inner
        elif isinstance(part, str):
            shape = SHAPES.get(part, shape)
    return shape


def _not_one_of(trail: Trail, detail: ErrorDetails) -> str:
    found = detail["input"]
    if trail[-1] == "toxic" and trail[0] == "faults":
        if found == "slow_close":
            return '"slow_close" is not offered: HTTP keep-alive cannot tell; use "latency"'
        return f"{shown(found)} is no toxic{suggestion(str(found), TOXICS)}"
    if trail[-1] == "do" and trail[0] == "faults":
        return (
            f"{shown(found)} cannot be done{suggestion(str(found), ('kill', 'pause', 'restart'))}"
        )
    expected = str(detail["ctx"]["expected"])
    known = re.findall(r"'([^']*)'", expected)
    if not known:
        return f"{shown(found)} is not {expected}"
    if len(known) == 1:
        return f'{shown(found)} is not "{known[0]}"'
    return f"{shown(found)} is not one of {', '.join(known)}{_mean(str(found), known)}"


def _mean(name: str, known: Sequence[str]) -> str:
    near = nearest(name, known)
    return f'; did you mean "{near}"?' if near else ""


def _out_of_bounds(kind: str, detail: ErrorDetails) -> str:
    found, limits = shown(detail["input"]), _limits(detail)
    match kind:
        case "greater_than_equal":
            return f"{found} is below {limits['ge']}, the least there can be"
        case "less_than_equal":
            return f"{found} is above {limits['le']}, the most there can be"
        case "too_short" | "string_too_short":
            return f"{found} is empty; at least {limits['min_length']} is needed"
        case "too_long" | "string_too_long":
            return f"longer than {limits['max_length']}, the most there can be"
        case "string_pattern_mismatch":
            allowed = str(limits["pattern"]).strip("^$").removesuffix("+")
            return f"{found} may hold only {allowed}"
        case _:
            return f"{found}: {detail['msg']}"


def _limits(detail: ErrorDetails) -> dict[str, Any]:
    return detail.get("ctx", {})
