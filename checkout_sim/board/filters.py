"""The filter language: a few words that choose rows.

    told:unknown fault:6 claim:replies_are_true >2s !refused

Takes a line; gives a `Filter`. Words are joined by "and". `field:text` looks into one field, `>2s`
and `<500ms` compare the age, anything else is looked for in the whole row, `!` turns a word round.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from checkout_sim.board.rows import Row

Term = Callable[[Row, float], bool]

_FIELDS: Mapping[str, Callable[[Row], str]] = {
    "no": lambda row: row.key,
    "told": lambda row: row.told,
    "order": lambda row: row.order,
    "payment": lambda row: row.payment,
    "saga": lambda row: row.saga,
    "fault": lambda row: " ".join(row.faults),
    "claim": lambda row: " ".join(row.claims),
    "is": lambda row: row.standing,
    "why": lambda row: row.suspicion,
    "card": lambda row: row.card,
    "id": lambda row: row.order_id,
}
_AGE = re.compile(r"^([<>])(\d+(?:\.\d+)?)(ms|s|m)$")
_UNITS_MS = {"ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What chooses rows. `ages` says that time alone changes what it chooses.

    `problem` is a sentence where the words make no sense; the filter then lets every row by.
    """

    text: str = ""
    terms: tuple[Term, ...] = ()
    ages: bool = False
    problem: str = ""

    def matches(self, row: Row, now_ms: float) -> bool:
        """Return whether it lets a row by."""
        return all(term(row, now_ms) for term in self.terms)

    def __bool__(self) -> bool:
        """Return whether it chooses at all."""
        return bool(self.terms)


ALL_ROWS = Filter()


def parsed(text: str) -> Filter:
    """Return the filter that a line describes."""
    terms: list[Term] = []
    ages = False
    for word in text.split():
        bare = word.removeprefix("!")
        if not bare:
            continue
        field, colon, wanted = bare.partition(":")
        age = _AGE.match(bare)
        if age:
            ages = True
            term = _age_term(age[1], float(age[2]) * _UNITS_MS[age[3]])
        elif colon and field in _FIELDS:
            term = _field_term(_FIELDS[field], wanted.lower())
        elif colon:
            known = " ".join(f"{name}:" for name in _FIELDS)
            return Filter(text=text, problem=f'no field "{field}:"; there are {known} >2s <500ms')
        else:
            term = _text_term(bare.lower())
        terms.append(_turned(term) if word.startswith("!") else term)
    return Filter(text=text.strip(), terms=tuple(terms), ages=ages)


def _field_term(field: Callable[[Row], str], wanted: str) -> Term:
    return lambda row, _now_ms: wanted in field(row).lower()


def _text_term(wanted: str) -> Term:
    def contains(row: Row, _now_ms: float) -> bool:
        if wanted.startswith("#"):
            return wanted[1:] == row.key
        return any(wanted in field(row).lower() for field in _FIELDS.values())

    return contains


def _age_term(sign: str, limit_ms: float) -> Term:
    if sign == ">":
        return lambda row, now_ms: row.age_ms(now_ms) > limit_ms
    return lambda row, now_ms: row.age_ms(now_ms) < limit_ms


def _turned(term: Term) -> Term:
    return lambda row, now_ms: not term(row, now_ms)
