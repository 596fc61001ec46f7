"""The names of the claims a verdict is made of, so that scenarios and the judge use the same words.

Standard library only. `checks/` holds one function per name; a scenario's `judge:` and `trips:`
may use these and no others.
"""

CORE: tuple[str, ...] = (
    "every_order_ends",
    "confirmed_means_paid_in_full",
    "unconfirmed_means_not_paid",
    "charged_at_most_once",
    "no_charge_without_an_order",
    "payment_agrees_with_gateway",
    "one_confirmed_order_per_checkout",
    "replies_are_true",
    "same_key_same_answer",
    "states_never_go_back",
)

# `intent_precedes_call` is here because naive stores no key at all: as a core claim every run of
# naive would break it and no scenario could tell what else it broke.
EXTENDED: tuple[str, ...] = (
    "intent_precedes_call",
    "unknown_replies_can_be_resolved",
    "one_key_per_operation",
    "every_call_was_recorded_first",
    "nothing_lands_after_rollback",
    "compensation_is_complete",
    "effects_are_applied_once",
    "every_commit_is_published",
    "poison_is_contained",
    "one_owner_at_a_time",
    "retries_stay_in_budget",
    "recovers_after_calm",
    "answers_in_time",
    "cart_follows_the_order",
)
