"""The leaf types of a scenario file: read from text with a unit, described for the JSON Schema.

Each type is an integer (or a range) annotated twice: how `units.py` reads it, and the pattern an
editor checks while one types. The schema is looser than validation, never stricter.
"""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)
from typing_extensions import TypeAliasType

from checkout_sim.model.broker import CONSUMED_QUEUES
from checkout_sim.model.scenario import Drawn
from checkout_sim.model.wire import CARDS, CONTROLS, EVENTS
from checkout_sim.scenario_files import names, units

_DURATION = r"^\d+(\.\d+)?(us|ms|s|m)$"
_DRAWN = r"^\d+(\.\d+)?(us|ms|s|m)(\.\.\d+(\.\d+)?(us|ms|s|m))?$"


def _text(pattern: str, *, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": [example]})


class Strict(BaseModel):
    """A mapping of the file: unknown keys are errors and nothing is converted silently."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True
    )


Duration = Annotated[int, BeforeValidator(units.milliseconds), _text(_DURATION, example="150ms")]
Micros = Annotated[int, BeforeValidator(units.microseconds), _text(_DURATION, example="250us")]
DrawnDuration = Annotated[
    int | Drawn,
    BeforeValidator(units.drawn_milliseconds),
    _text(_DRAWN, example="100ms..300ms"),
]
Size = Annotated[
    int, BeforeValidator(units.size_bytes), _text(r"^\d+(\.\d+)?(B|KB|MB)$", example="600B")
]
DataRate = Annotated[
    int,
    BeforeValidator(units.kilobytes_per_second),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": r"^\d+(\.\d+)?(B|KB|MB)/s$"}, {"const": 0}]}
    ),
]
Rate = Annotated[
    float, BeforeValidator(units.per_second), _text(r"^\d+(\.\d+)?/s$", example="40/s")
]
Share = Annotated[float, BeforeValidator(units.share), _text(r"^\d+(\.\d+)?%$", example="30%")]
Money = Annotated[
    int, BeforeValidator(units.minor_units), _text(r"^\d{1,7}(\.\d{1,2})?$", example="19.99")
]

_COUNT_OR_RANGE: dict[str, Any] = {
    "anyOf": [
        {"type": "integer", "minimum": 0},
        {"type": "string", "pattern": r"^\d+\.\.\d+$"},
    ]
}
CountRange = Annotated[
    tuple[int, int], BeforeValidator(units.inclusive_range), WithJsonSchema(_COUNT_OR_RANGE)
]
Checkouts = Annotated[
    tuple[tuple[int, int], ...] | None,
    BeforeValidator(units.checkouts),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": "all"},
                _COUNT_OR_RANGE,
                {"type": "array", "minItems": 1, "items": _COUNT_OR_RANGE},
            ]
        }
    ),
]

Count = Annotated[int, Field(ge=1)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9-]+$", max_length=80)]
FaultName = Annotated[str, Field(pattern=r"^[a-z0-9_]+$", max_length=60)]


def _listed(raw: Any) -> Any:
    return [raw] if isinstance(raw, str) else raw


def _one_or_more(item: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [item, {"type": "array", "minItems": 1, "items": item}]})


def _names(known: Iterable[str]) -> dict[str, Any]:
    return {"type": "string", "enum": list(known)}


Event = TypeAliasType(
    "Event", Annotated[str, AfterValidator(names.event), WithJsonSchema(_names(sorted(EVENTS)))]
)
Card = TypeAliasType(
    "Card", Annotated[str, AfterValidator(names.card), WithJsonSchema(_names(CARDS))]
)
Cards = Annotated[
    list[Card], BeforeValidator(_listed), Field(min_length=1), _one_or_more(_names(CARDS))
]
Claim = TypeAliasType(
    "Claim", Annotated[str, AfterValidator(names.claim), WithJsonSchema(_names(names.CLAIMS))]
)
Claims = Annotated[list[Claim], BeforeValidator(_listed), _one_or_more(_names(names.CLAIMS))]
_SETS = _names(("core", "extended", *names.CLAIMS))
ClaimSets = Annotated[
    list[Annotated[str, AfterValidator(names.claims)]],
    BeforeValidator(_listed),
    Field(min_length=1),
    _one_or_more(_SETS),
]
Control = Annotated[str, AfterValidator(names.control), WithJsonSchema(_names(CONTROLS))]
Queue = Annotated[str, AfterValidator(names.queue), WithJsonSchema(_names(CONSUMED_QUEUES))]
Links = TypeAliasType(
    "Links",
    Annotated[
        list[Annotated[str, AfterValidator(names.link)]],
        BeforeValidator(_listed),
        Field(min_length=1),
        _one_or_more({"type": "string"}),
    ],
)
Processes = TypeAliasType(
    "Processes",
    Annotated[
        list[Annotated[str, AfterValidator(names.process)]],
        BeforeValidator(_listed),
        Field(min_length=1),
        _one_or_more(_names(names.BREAKABLE)),
    ],
)
