"""One purchase as the checkout form holds it: what is sent, and the same as a scenario writes it.

Takes the cart and the shopper's choices, gives a `Buy` and the lines of YAML that say the same, so
that the form can say nothing a file cannot.
"""

import json
import re
from dataclasses import dataclass, field
from typing import assert_never

from checkout_sim.model.command import Buy
from checkout_sim.model.scenario import (
    Behaviour,
    CancelAt,
    Line,
    OnEvent,
    PostOnce,
    Retry,
    SubmitTwice,
    WalkAway,
)
from checkout_sim.model.wire import SHOPPER_PATIENCE_MS
from checkout_sim.scenario_files import names
from checkout_sim.scenario_files.units import NotAValue
from checkout_sim.tui.forms.cart import USUAL, Cart
from checkout_sim.tui.forms.figures import said_minor, said_ms, typed_ms

MOST_CHECKOUTS = 100_000  # more than this no engine takes at once
MOST_RETRIES = 20
LEAST_RATE_PER_S = 0.01
MOST_RATE_PER_S = 500.0
_FOR_EVER = 100  # checkouts in the file's words for load without an end
_PLAIN = re.compile(r"[a-z]+")
_NOT_WORDS = frozenset({"true", "false", "null"})  # YAML reads these as something else


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """Everything the form says. `count` 0 is continuous load; a burst needs more than one."""

    cart: Cart = USUAL
    card: str = "pm_card_visa"
    patience_ms: int = SHOPPER_PATIENCE_MS
    behaviour: Behaviour = field(default_factory=PostOnce)
    count: int = 10
    rate_per_s: float | None = 4.0
    drawn_cart: bool = False
    seed: int = 1


def single(purchase: Purchase) -> Buy:
    """Return the command for one checkout with the cart as it stands. Raises NotAValue."""
    return Buy(
        lines=_lines(purchase),
        card=purchase.card,
        patience_ms=purchase.patience_ms,
        behaviour=purchase.behaviour,
        seed=purchase.seed,
    )


def burst(purchase: Purchase) -> Buy:
    """Return the command for the burst, or for continuous load where the count is 0.

    Raises NotAValue for an empty cart, and for continuous load without a rate.
    """
    if purchase.count == 0 and purchase.rate_per_s is None:
        raise NotAValue("continuous load needs a rate; write checkouts a second, say 4")
    return Buy(
        lines=_lines(purchase),
        card=purchase.card,
        patience_ms=purchase.patience_ms,
        behaviour=purchase.behaviour,
        count=purchase.count,
        rate_per_s=purchase.rate_per_s,
        drawn_cart=purchase.drawn_cart,
        seed=purchase.seed,
    )


def typed_rate(text: str) -> float | None:
    """Return checkouts a second of `4` or `0.5/s`; None where the field is empty."""
    bare = text.strip().removesuffix("/s").strip()
    if not bare:
        return None
    try:
        rate = float(bare)
    except ValueError:
        rate = 0.0
    if not LEAST_RATE_PER_S <= rate <= MOST_RATE_PER_S:
        raise NotAValue(f'"{text.strip()}" is no rate; write 0.01 to 500 checkouts a second')
    return rate


def typed_moment(text: str) -> OnEvent:
    """Return the moment of `order.created` or `order.created + 50ms`. Raises NotAValue.

    Without a checkout: the purchase being sent is meant, whatever number it will get.
    """
    event, _, then = text.partition("+")
    return OnEvent(event=names.event(event.strip()), then_ms=typed_ms(then) if then.strip() else 0)


def said_behaviour(behaviour: Behaviour) -> str:
    """Return in a few words what the shopper does besides posting once."""
    match behaviour:
        case PostOnce():
            return "once"
        case Retry():
            return f"retry {behaviour.times}, {behaviour.key} key"
        case SubmitTwice():
            return f"submit twice, {behaviour.key} key"
        case WalkAway():
            return f"walk away after {said_ms(behaviour.after_ms)}"
        case CancelAt():
            return f"cancel at {said_moment(behaviour)}"
        case _:
            assert_never(behaviour)


def said_moment(cancel: CancelAt) -> str:
    """Return the moment as `typed_moment` reads it."""
    at = cancel.at
    if not isinstance(at, OnEvent):
        return "a moment of the scenario's"
    return f"{at.event} + {said_ms(at.then_ms)}" if at.then_ms else at.event


def yaml_of(buy: Buy) -> tuple[str, ...]:
    """Return the lines `load:` and `shoppers:` by which a scenario file says the same.

    What no file can say, load without an end and carts that are drawn, is said in a comment.
    """
    cart = ", ".join(_yaml_line(line) for line in buy.lines)
    speed = f", rate: {said_rate(buy.rate_per_s)}/s" if buy.rate_per_s is not None else ""
    count = buy.count or _FOR_EVER
    lines = [f"load: {{checkouts: {count}{speed}, card: {buy.card}, cart: [{cart}]}}"]
    said = []
    if buy.patience_ms != SHOPPER_PATIENCE_MS:
        said.append(f"patience: {said_ms(buy.patience_ms)}")
    if not isinstance(buy.behaviour, PostOnce):
        said.append(f"do: {_yaml_behaviour(buy.behaviour)}")
    if said:
        lines.append(f"shoppers: [{{checkouts: all, {', '.join(said)}}}]")
    if not buy.count:
        lines.append(f"# sent until stopped; a file needs an end, say {_FOR_EVER}")
    if buy.drawn_cart:
        lines.append(f"# carts drawn from seed {buy.seed}; a file names each cart")
    return tuple(lines)


def said_rate(rate_per_s: float) -> str:
    """Return a rate without exponent: `0.5`, `40`."""
    return f"{rate_per_s:.2f}".rstrip("0").rstrip(".")


def _yaml_line(line: Line) -> str:
    # A JSON string is a YAML string; so a product may be called "on" or hold a colon.
    plain = _PLAIN.fullmatch(line.product) and line.product not in _NOT_WORDS
    product = line.product if plain else json.dumps(line.product, ensure_ascii=False)
    price = said_minor(line.price_minor)
    return f'{{product: {product}, quantity: {line.quantity}, price: "{price}"}}'


def _yaml_behaviour(behaviour: Retry | SubmitTwice | WalkAway | CancelAt) -> str:
    match behaviour:
        case Retry():
            wait = said_ms(behaviour.wait_ms)
            return f"{{retry: {{times: {behaviour.times}, wait: {wait}, key: {behaviour.key}}}}}"
        case SubmitTwice():
            card = f", card: {behaviour.card}" if behaviour.card else ""
            gap = said_ms(behaviour.gap_ms)
            return f"{{submit_twice: {{gap: {gap}, key: {behaviour.key}{card}}}}}"
        case WalkAway():
            return f"{{walk_away: {{after: {said_ms(behaviour.after_ms)}}}}}"
        case CancelAt():
            return f"{{cancel: {{at: {_yaml_moment(behaviour)}}}}}"
        case _:
            assert_never(behaviour)


def _yaml_moment(cancel: CancelAt) -> str:
    at = cancel.at
    if not isinstance(at, OnEvent):
        return "0ms"
    then = f", then: {said_ms(at.then_ms)}" if at.then_ms else ""
    return f"{{event: {at.event}{then}}}"


def _lines(purchase: Purchase) -> tuple[Line, ...]:
    lines = purchase.cart.sent
    if not lines:
        raise NotAValue("the cart is empty; raise a quantity with =, or add a line")
    return lines
