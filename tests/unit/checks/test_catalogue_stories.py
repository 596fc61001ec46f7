"""What naive does in each scenario of the catalogue, told by hand, trips what the catalogue says.

Letters as in the catalogue: B states_never_go_back, E every_order_ends, G
payment_agrees_with_gateway, K same_key_same_answer, O one_confirmed_order_per_checkout, P
confirmed_means_paid_in_full, R replies_are_true, U unconfirmed_means_not_paid.
"""

from collections.abc import Callable

import pytest

from tests.histories import OrderTale, Tale, broken

LETTERS = {
    "B": "states_never_go_back",
    "E": "every_order_ends",
    "G": "payment_agrees_with_gateway",
    "K": "same_key_same_answer",
    "O": "one_confirmed_order_per_checkout",
    "P": "confirmed_means_paid_in_full",
    "R": "replies_are_true",
    "U": "unconfirmed_means_not_paid",
}


def begun(tale: Tale) -> OrderTale:
    return tale.order(3).placed().created().recorded().log("payment.charge_requested")


def told_failed(order: OrderTale, *, believed: str, intent: str | None = None) -> OrderTale:
    order.logged("failed").hears("failed", http_status=402).rests_as("failed")
    return order.believed(believed, intent=intent)


def decline(tale: Tale) -> None:
    told_failed(begun(tale).gateway("declined"), believed="failed")


def requires_action(tale: Tale) -> None:
    order = begun(tale).gateway("intent_created").logged("confirmed").hears("confirmed")
    order.rests_as("confirmed").believed("completed", intent=order.intent)


def refused(tale: Tale) -> None:
    told_failed(begun(tale), believed="failed")


def lost_response(tale: Tale) -> None:
    told_failed(begun(tale).charged(), believed="failed")


def lost_response_between_order_and_payment(tale: Tale) -> None:
    order = begun(tale).charged().log("payment.charge_succeeded")
    told_failed(order, believed="completed", intent=order.intent)


def ghost_charge(tale: Tale) -> None:
    told_failed(begun(tale), believed="failed").charged()


def double_submit(tale: Tale) -> None:
    tale.order(3).placed(attempt=1).placed(attempt=2)
    for attempt, name in ((1, "ord_3a"), (2, "ord_3b")):
        order = tale.order(3, name).created().charged().logged("confirmed")
        order.keys[attempt] = "key-3"
        order.hears("confirmed", attempt=attempt).rests_as("confirmed")
        order.believed("completed", intent=order.intent)


def retry_with_a_new_key(tale: Tale) -> None:
    for attempt, name in ((1, "ord_3a"), (2, "ord_3b")):
        order = tale.order(3, name).placed(attempt=attempt, key=f"key-3-{attempt}")
        order.created().charged().logged("confirmed").hears("confirmed", attempt=attempt)
        order.rests_as("confirmed").believed("completed", intent=order.intent)


def unheard_reply(tale: Tale) -> None:
    order = begun(tale).charged().logged("confirmed").hears("unknown", error="reset")
    order.placed().hears("refused", http_status=400)
    order.rests_as("confirmed").believed("completed", intent=order.intent)


def key_reuse_with_another_body(tale: Tale) -> None:
    tale.order(3).placed(attempt=1, body="visa").placed(attempt=2, body="mastercard")
    for attempt, name in ((1, "ord_3a"), (2, "ord_3b")):
        order = tale.order(3, name).created().charged().logged("confirmed")
        order.hears("confirmed", attempt=attempt).rests_as("confirmed")
        order.believed("completed", intent=order.intent)


def cancel_races_charge(tale: Tale) -> None:
    order = begun(tale)
    tale.see("client.cancel_sent", checkout=3, order=order.id)
    order.logged("canceled")
    tale.see("client.cancel_ended", checkout=3, order=order.id, http_status=200, error=None)
    order.charged().logged("confirmed").hears("confirmed").rests_as("confirmed")
    order.believed("completed", intent=order.intent)


def crash_after_charge(tale: Tale) -> None:
    order = begun(tale).charged()
    tale.see("process.killed", process="payment", instance=1, pid=7, port=1)
    told_failed(order, believed="pending")


def crash_before_charge(tale: Tale) -> None:
    order = tale.order(3).placed().created().recorded()
    tale.see("process.killed", process="payment", instance=1, pid=7, port=1)
    told_failed(order, believed="pending")


def caller_crash_after_charge(tale: Tale) -> None:
    order = begun(tale).charged().log("payment.charge_succeeded")
    tale.see("process.killed", process="order", instance=1, pid=8, port=1)
    order.hears("unknown", error="disconnected").rests_as("pending")
    order.believed("completed", intent=order.intent)


@pytest.mark.parametrize(
    ("tell", "letters"),
    [
        (decline, ""),
        (requires_action, "P G"),
        (refused, ""),
        (lost_response, "U G R"),
        (lost_response_between_order_and_payment, "U R"),
        (ghost_charge, "U G R"),
        (double_submit, "O K"),
        (retry_with_a_new_key, "O"),
        (unheard_reply, "K"),
        (key_reuse_with_another_body, "O K"),
        (cancel_races_charge, "B R"),
        (crash_after_charge, "U G R"),
        (crash_before_charge, "G"),
        (caller_crash_after_charge, "E"),
    ],
)
def test_naive_trips_exactly_what_the_catalogue_says(
    tell: Callable[[Tale], None], letters: str
) -> None:
    tale = Tale()
    for checkout in (1, 2):
        tale.bought(checkout, told="confirmed")
    tell(tale)
    for checkout in (4, 5):
        tale.bought(checkout, told="confirmed")
    tale.ended(quiet={"reason": "stalled", "undecided": {"orders": ["ord_3"]}, "moving": []})

    verdict = tale.verdict()
    assert broken(verdict) == {LETTERS[letter] for letter in letters.split()}
    assert verdict.status == ("invalid" if letters else "valid")
