"""The rules by which a checkout ends confirmed or rolled back, whatever breaks; naive breaks them.

A name and one line each, as reports quote them. `diagnosis.py` says which of them an order's own
events show broken.
"""

from collections.abc import Mapping

RULES: Mapping[str, str] = {
    "R1": "intent first: what is about to be done is committed before the first byte leaves",
    "R2": "one key per logical operation, stored, and resent unchanged",
    "R3": "a timeout is unknown, and so is a reset, an unreadable answer, a 5xx, a death; "
    "only a definite failure is a failure",
    "R4": "an unknown charge is resolved: repeated with its key, read, or fenced by a cancel",
    "R5": "compensation is a durable step, taken until it is done",
    "R6": "a row has one owner at a time, by lease and fence number",
    "R7": "the client is told what is known: 200 only for confirmed, 402 only once rolled back, "
    "202 for the rest, and a repeated request gets the same order",
    "R8": "one commit checks the amount, confirms the order and empties the cart",
    "R9": "database down: fail closed, and leave what cannot be recorded to recovery",
    "R10": "after capture go forward; refund only when confirming has become impossible",
    "R11": "states are monotone: confirmed, failed and canceled absorb",
}

# Where no story told by the events fits better: the rule whose purpose the claim is.
RULE_OF_CLAIM: Mapping[str, str] = {
    "no_charge_without_an_order": "R1",
    "one_confirmed_order_per_checkout": "R7",
    "replies_are_true": "R7",
    "same_key_same_answer": "R7",
    "states_never_go_back": "R11",
    "intent_precedes_call": "R1",
    "every_call_was_recorded_first": "R1",
    "one_key_per_operation": "R2",
    "nothing_lands_after_rollback": "R4",
    "compensation_is_complete": "R5",
    "effects_are_applied_once": "R2",
    "every_commit_is_published": "R1",
    "one_owner_at_a_time": "R6",
    "unknown_replies_can_be_resolved": "R7",
    "cart_follows_the_order": "R8",
}
