"""The promises a checkout makes: one pure function each, and the table of what each needs.

A claim takes a history and gives Holds or Broken. What it may rest on is said beside it: the
ledgers it reads, where the strategy has them, and whether it speaks of how things ended, which
cannot be told of a run that never came to rest. The judge turns a missing ledger or an exception
into Unknown.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from checkout_sim.checks.history import History
from checkout_sim.checks.invariants.aftermath import (
    cart_follows_the_order,
    nothing_lands_after_rollback,
    unknown_replies_can_be_resolved,
)
from checkout_sim.checks.invariants.compensation import compensation_is_complete
from checkout_sim.checks.invariants.keys import (
    every_call_was_recorded_first,
    intent_precedes_call,
    one_key_per_operation,
)
from checkout_sim.checks.invariants.messages import (
    effects_are_applied_once,
    every_commit_is_published,
    poison_is_contained,
)
from checkout_sim.checks.invariants.money import (
    charged_at_most_once,
    no_charge_without_an_order,
    payment_agrees_with_gateway,
)
from checkout_sim.checks.invariants.orders import (
    confirmed_means_paid_in_full,
    every_order_ends,
    one_confirmed_order_per_checkout,
    states_never_go_back,
    unconfirmed_means_not_paid,
)
from checkout_sim.checks.invariants.owners import one_owner_at_a_time
from checkout_sim.checks.invariants.replies import replies_are_true, same_key_same_answer
from checkout_sim.checks.invariants.service import (
    answers_in_time,
    recovers_after_calm,
    retries_stay_in_budget,
)
from checkout_sim.model.ledger import INBOXES, OUTBOXES, SAGAS
from checkout_sim.model.verdict import Broken, Holds, Unknown

Invariant = Callable[[History], Holds | Broken | Unknown]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One invariant, the ledgers it rests on, and whether it is about how things ended."""

    judge: Invariant
    ledgers: tuple[str, ...] = ()
    at_rest: bool = True


CLAIMS: Mapping[str, Claim] = {
    "every_order_ends": Claim(judge=every_order_ends, ledgers=("orders", *SAGAS)),
    "confirmed_means_paid_in_full": Claim(
        judge=confirmed_means_paid_in_full, ledgers=("orders", "journal")
    ),
    "unconfirmed_means_not_paid": Claim(
        judge=unconfirmed_means_not_paid, ledgers=("orders", "journal")
    ),
    "charged_at_most_once": Claim(judge=charged_at_most_once, ledgers=("journal",), at_rest=False),
    "no_charge_without_an_order": Claim(
        judge=no_charge_without_an_order, ledgers=("orders", "journal")
    ),
    "payment_agrees_with_gateway": Claim(
        judge=payment_agrees_with_gateway, ledgers=("payments", "journal")
    ),
    "one_confirmed_order_per_checkout": Claim(
        judge=one_confirmed_order_per_checkout, ledgers=("orders", "journal")
    ),
    "replies_are_true": Claim(judge=replies_are_true, ledgers=("orders", "journal")),
    "same_key_same_answer": Claim(judge=same_key_same_answer, at_rest=False),
    "states_never_go_back": Claim(judge=states_never_go_back, at_rest=False),
    # Extended: judged where a scenario's `judge:` asks for them.
    "intent_precedes_call": Claim(judge=intent_precedes_call, ledgers=("payments", "journal")),
    "unknown_replies_can_be_resolved": Claim(
        judge=unknown_replies_can_be_resolved, ledgers=("orders",)
    ),
    "one_key_per_operation": Claim(
        judge=one_key_per_operation, ledgers=("journal",), at_rest=False
    ),
    "every_call_was_recorded_first": Claim(
        judge=every_call_was_recorded_first, ledgers=("payments", "journal", *SAGAS)
    ),
    "nothing_lands_after_rollback": Claim(judge=nothing_lands_after_rollback, at_rest=False),
    "compensation_is_complete": Claim(judge=compensation_is_complete, ledgers=("journal", *SAGAS)),
    "effects_are_applied_once": Claim(judge=effects_are_applied_once, ledgers=INBOXES),
    "every_commit_is_published": Claim(judge=every_commit_is_published, ledgers=OUTBOXES),
    "poison_is_contained": Claim(judge=poison_is_contained),
    "one_owner_at_a_time": Claim(judge=one_owner_at_a_time, at_rest=False),
    "retries_stay_in_budget": Claim(judge=retries_stay_in_budget, at_rest=False),
    "recovers_after_calm": Claim(judge=recovers_after_calm, at_rest=False),
    "answers_in_time": Claim(judge=answers_in_time, at_rest=False),
    "cart_follows_the_order": Claim(judge=cart_follows_the_order, ledgers=("orders", "carts")),
}
