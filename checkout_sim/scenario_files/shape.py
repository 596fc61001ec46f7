"""The shape of a scenario file as pydantic sees it, and the JSON Schema made from it.

Shape only: which keys there are and how values are written. What names mean (links, events,
claims, cards) and how keys agree with each other is for `rules.py`; the way into the model for
`build.py`.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from checkout_sim.scenario_files import names
from checkout_sim.scenario_files.shape_faults import TAGS as FAULT_TAGS
from checkout_sim.scenario_files.shape_faults import FaultShape
from checkout_sim.scenario_files.shape_moments import (
    AfterShape,
    BeforeShape,
    EventShape,
    MomentShape,
)
from checkout_sim.scenario_files.units import NotAValue, shown
from checkout_sim.scenario_files.values import (
    Card,
    Cards,
    Checkouts,
    Claim,
    Claims,
    ClaimSets,
    CountRange,
    Duration,
    Event,
    Money,
    Rate,
    Slug,
    Strict,
)

SettingValue = Annotated[Any, WithJsonSchema({"type": ["string", "integer"]})]


class StackShape(Strict):
    """The world the scenario asks for."""

    database: Annotated[str, AfterValidator(names.database)] = "sqlite"
    time_scale: Annotated[float, Field(ge=0.1, le=10)] = 1.0
    webhooks: bool = True
    replicas: dict[str, Annotated[int, Field(ge=1, le=4)]] = Field(default={})
    settings: dict[str, dict[str, SettingValue]] = Field(default={})  # values: rules.py


class LineShape(Strict):
    """One line of a cart."""

    product: Annotated[str, Field(min_length=1, max_length=128)]
    quantity: Annotated[int, Field(ge=1, le=1000)]
    price: Money


Cart = Annotated[list[LineShape], Field(min_length=1, max_length=100)]


class LoadShape(Strict):
    """How many checkouts and how fast; at most one of concurrency, rate and at."""

    checkouts: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    concurrency: Annotated[int, Field(ge=1, le=1000)] | None = None
    rate: Rate | None = None
    at: Annotated[list[Duration], Field(min_length=1)] | None = None
    cart: Cart | None = None
    card: Cards | None = None


class RetryShape(Strict):
    """Post again after an unknown claim."""

    times: Annotated[int, Field(ge=1, le=20)] = 1
    wait: Duration = 150
    key: Literal["same", "new"] = "same"


class SubmitTwiceShape(Strict):
    """Press the button twice."""

    gap: Duration = 30
    key: Literal["same", "new"] = "same"
    card: Card | None = None


class WalkAwayShape(Strict):
    """Close the browser."""

    after: Duration


class CancelShape(Strict):
    """Ask for the order to be canceled."""

    at: MomentShape


class DoShape(Strict):
    """What a shopper does besides posting once: exactly one of these."""

    retry: RetryShape | None = None
    submit_twice: SubmitTwiceShape | None = None
    walk_away: WalkAwayShape | None = None
    cancel: CancelShape | None = None


def _one_deed(raw: Any) -> Any:
    if isinstance(raw, dict) and len(set(raw) & set(DoShape.model_fields)) > 1:
        raise NotAValue(f"a shopper does one thing; found {', '.join(sorted(raw))}")
    if not isinstance(raw, dict) or not raw:
        raise NotAValue(f"{shown(raw)} is not one of retry, submit_twice, walk_away, cancel")
    return raw


class ShopperShape(Strict):
    """What some checkouts do otherwise than the load says."""

    checkouts: Checkouts
    card: Card | None = None
    cart: Cart | None = None
    patience: Duration | None = None
    do: Annotated[DoShape, BeforeValidator(_one_deed)] | None = None


class SettleShape(Strict):
    """Bound and proof of quiescence."""

    within: Duration = 20_000
    quiet_for: Duration = 300
    stalled_for: Duration | None = None
    proof_checkouts: Annotated[int, Field(ge=0, le=10_000)] = 0


class JudgeShape(Strict):
    """Which claims are put to the history."""

    invariants: ClaimSets = Field(default=["core"])
    also: Claims = Field(default=[])
    without: Claims = Field(default=[], alias="except")


class ExpectationShape(Strict):
    """The verdict one strategy must earn."""

    verdict: Literal["valid", "unknown", "invalid"]
    trips: list[Claim] = Field(default=[])
    may_trip: list[str] = Field(default=[])
    confirmed: CountRange | None = None
    sees: list[Event] = Field(default=[])


def _expectation_tag(raw: Any) -> str:
    return "<expectation>" if isinstance(raw, dict) else "<verdict>"


EitherExpectation = Annotated[
    Annotated[Literal["valid"], Tag("<verdict>")]
    | Annotated[ExpectationShape, Tag("<expectation>")],
    Discriminator(_expectation_tag),
]


class ScenarioShape(Strict):
    """A checkout-sim scenario: what shoppers do, what breaks and when, what must come out."""

    version: Literal[1]
    name: Slug
    why: Annotated[str, Field(min_length=1, max_length=400)]
    tags: list[Slug] = Field(default=[])
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 1
    stack: StackShape = StackShape()
    load: LoadShape = LoadShape()
    shoppers: list[ShopperShape] = Field(default=[])
    faults: list[FaultShape] = Field(default=[])
    settle: SettleShape = SettleShape()
    judge: JudgeShape = JudgeShape()
    expect: Annotated[
        dict[Annotated[str, AfterValidator(names.strategy)], EitherExpectation], Field(min_length=1)
    ]


# The class behind a path's last word or tag, so that an unknown key can be told the known ones.
SHAPES: dict[str, type[Strict]] = {
    "": ScenarioShape,
    "stack": StackShape,
    "load": LoadShape,
    "cart": LineShape,
    "shoppers": ShopperShape,
    "do": DoShape,
    "retry": RetryShape,
    "submit_twice": SubmitTwiceShape,
    "walk_away": WalkAwayShape,
    "cancel": CancelShape,
    "settle": SettleShape,
    "judge": JudgeShape,
    "<expectation>": ExpectationShape,
    "<before>": BeforeShape,
    "<after>": AfterShape,
    "<event>": EventShape,
    **FAULT_TAGS,
}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a scenario file, for editors and other tools."""
    made = _untitled(ScenarioShape.model_json_schema(by_alias=True))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "checkout-sim scenario",
        **made,
    }


def _untitled(schema: Any) -> Any:
    """Return the schema without the titles pydantic makes from field names; they say nothing."""
    if isinstance(schema, list):
        return [_untitled(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _untitled(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str))
    }
