"""From load and rules to shoppers with everything settled: cart, card, patience, keys.

Takes a `Scenario` and the dice; gives one `Shopper` per checkout, and those of the proof.
"""

from collections.abc import Iterator

from checkout_sim.model.plan import Shopper
from checkout_sim.model.scenario import (
    Behaviour,
    Retry,
    Scenario,
    ShopperRule,
    SubmitTwice,
)
from checkout_sim.model.wire import SHOPPER_PATIENCE_MS
from checkout_sim.planning.draw import Dice


def shoppers_of(scenario: Scenario, dice: Dice) -> Iterator[Shopper]:
    """Yield the shoppers of the storm, in order of checkout."""
    rules = {number: rule for rule in scenario.shoppers for number in rule.checkouts}
    for checkout in range(1, scenario.load.checkouts + 1):
        yield _shopper(scenario, checkout, rules.get(checkout), dice)


def proof_of(scenario: Scenario, dice: Dice) -> Iterator[Shopper]:
    """Yield the shoppers sent after calm: plain ones, numbered on from the storm's."""
    first = scenario.load.checkouts + 1
    for checkout in range(first, first + scenario.settle.proof_checkouts):
        # A card that must be declined would prove nothing about recovery.
        yield _shopper(scenario, checkout, _PLAIN, dice)


_PLAIN = ShopperRule(checkouts=(), card="pm_card_visa")


def _shopper(scenario: Scenario, checkout: int, rule: ShopperRule | None, dice: Dice) -> Shopper:
    load = scenario.load
    rule = rule or ShopperRule(checkouts=())
    usual_ms = round(SHOPPER_PATIENCE_MS * scenario.stack.time_scale)
    return Shopper(
        checkout=checkout,
        user=f"shopper-{checkout}",
        cart=load.cart if rule.cart is None else rule.cart,
        card=rule.card or load.cards[(checkout - 1) % len(load.cards)],
        patience_ms=usual_ms if rule.patience_ms is None else rule.patience_ms,
        keys=_keys(rule.behaviour, checkout, dice),
        behaviour=rule.behaviour,
    )


def _keys(behaviour: Behaviour, checkout: int, dice: Dice) -> tuple[str, ...]:
    """Return one Idempotency-Key per attempt, equal where the shopper repeats the key."""
    match behaviour:
        case Retry():
            attempts, fresh = 1 + behaviour.times, behaviour.key == "new"
        case SubmitTwice():
            attempts, fresh = 2, behaviour.key == "new"
        case _:
            attempts, fresh = 1, False
    return tuple(
        f"shop-{dice.token(f'key/{checkout}/{attempt if fresh else 1}')}"
        for attempt in range(1, attempts + 1)
    )
