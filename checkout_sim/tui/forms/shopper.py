"""What a shopper does, as fields: one behaviour, its figure, and which key a second post carries.

Takes what stands in the form's fields, gives a `Behaviour`, or raises NotAValue. The behaviours and
their figures are those of a scenario's `do:`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal, TypeVar

from checkout_sim.model.scenario import (
    Behaviour,
    CancelAt,
    PostOnce,
    Retry,
    SubmitTwice,
    WalkAway,
)
from checkout_sim.scenario_files.units import NotAValue
from checkout_sim.tui.forms.figures import typed_count, typed_ms
from checkout_sim.tui.forms.purchase import (
    MOST_CHECKOUTS,
    MOST_RETRIES,
    Purchase,
    typed_moment,
    typed_rate,
)

BEHAVIOURS: tuple[tuple[str, str], ...] = (
    ("once", "once"),
    ("retry", "retry"),
    ("twice", "twice"),
    ("walk_away", "walk away"),
    ("cancel", "cancel"),
)

# What the figure beside each behaviour means, and what it is until something is typed.
FIGURE_OF: Mapping[str, tuple[str, str]] = {
    "once": ("", ""),
    "retry": ("times", "1"),
    "twice": ("gap", "30ms"),
    "walk_away": ("after", "1s"),
    "cancel": ("at", "order.created + 50ms"),
}
_MOST_SEED = 10**12 - 1

T = TypeVar("T")


def behaviour_of(kind: str, figure: str, key: str) -> Behaviour:
    """Return the behaviour picked, with its figure typed. Raises NotAValue."""
    which: Literal["same", "new"] = "new" if key == "new" else "same"
    said = figure.strip() or FIGURE_OF[kind][1]
    match kind:
        case "retry":
            times = typed_count(said, least=1, most=MOST_RETRIES, what="a number of tries")
            return Retry(times=times, key=which)
        case "twice":
            return SubmitTwice(gap_ms=typed_ms(said), key=which)
        case "walk_away":
            return WalkAway(after_ms=typed_ms(said))
        case "cancel":
            return CancelAt(at=typed_moment(said))
        case _:
            return PostOnce()


def purchase_of(purchase: Purchase, typed: Mapping[str, str]) -> Purchase:
    """Return the purchase with everything typed below the cart. Raises NotAValue by field."""
    return replace(
        purchase,
        patience_ms=_named("patience", _patience, typed["patience"]),
        behaviour=_named(
            typed["do"].replace("_", " "),
            lambda text: behaviour_of(typed["do"], text, typed["key"]),
            typed["figure"],
        ),
        count=_named("checkouts", _count, typed["count"]),
        rate_per_s=_named("rate", typed_rate, typed["rate"]),
        drawn_cart=typed["cart"] == "drawn",
        seed=_named("seed", _seed, typed["seed"]),
    )


def _patience(text: str) -> int:
    ms = typed_ms(text)
    if ms < 1:
        raise NotAValue("0ms ends before it begins; write how long the shopper waits, say 6s")
    return ms


def _count(text: str) -> int:
    return typed_count(text, least=0, most=MOST_CHECKOUTS, what="a number of checkouts")


def _seed(text: str) -> int:
    return typed_count(text, least=0, most=_MOST_SEED, what="a seed")


def _named(name: str, read: Callable[[str], T], text: str) -> T:
    try:
        return read(text)
    except NotAValue as error:
        raise NotAValue(f"{name}: {error}") from error
