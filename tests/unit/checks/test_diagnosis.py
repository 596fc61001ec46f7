from collections.abc import Sequence
from typing import Any

from checkout_sim.checks.diagnosis import diagnose
from checkout_sim.checks.invariants import CLAIMS
from checkout_sim.checks.ladder import ladder
from checkout_sim.checks.rules import RULE_OF_CLAIM, RULES
from checkout_sim.model.ladder import Diagnosis
from checkout_sim.model.verdict import Violation
from tests.archived import a_tale, answered, lost, swallowing
from tests.histories import Tale


def diagnosed(tale: Tale, order: str = "ord_1", *, also: Sequence[Violation] = ()) -> Diagnosis:
    """Return the diagnosis of an order by what the judge finds."""
    violations = (*tale.verdict().violations, *also)
    return diagnose(ladder(tale.seen, order), violations)


def broken(claim: str, order: str = "ord_1") -> Violation:
    return Violation(invariant=claim, order_id=order, checkout=1, detail="it is so")


def test_a_timeout_told_as_a_failure_breaks_r3() -> None:
    tale = a_tale()
    swallowing(tale)
    lost(tale, 1)

    found = diagnosed(tale)

    assert found.rules == ("R3",)
    assert found.judged == "Breaks R3: a timeout is unknown, never a failure."
    assert found.happened.startswith("Payment asked gateway, saw a timeout after 404 ms and booked")
    assert "the gateway had captured 42.00 usd" in found.happened


def test_money_that_moves_after_such_a_failure_breaks_r4_as_well() -> None:
    tale = Tale()
    order = tale.order(1).placed().created().recorded()
    order.calls("payment_to_gateway", error="timeout", operation="charge")
    order.log("payment.result_written", status="failed").logged("failed")
    order.hears("failed", http_status=500).charged().rests_as("failed").believed("failed")

    found = diagnosed(tale)

    assert found.rules == ("R3", "R4")
    assert "later, unfenced" in found.happened


def test_a_500_taken_for_a_failure_breaks_r3_by_its_status() -> None:
    tale = Tale()
    order = tale.order(1).placed().created().recorded()
    order.calls("payment_to_gateway", meanwhile=(), operation="charge", ends=False)
    order.charged()
    tale.see(
        "call.ended",
        source="payment",
        order=order.id,
        link="payment_to_gateway",
        call_id="c",
        attempt=1,
        operation="charge",
        http_status=500,
        error=None,
    )
    order.log("payment.result_written", status="failed").logged("failed")
    order.hears("failed").rests_as("failed").believed("failed")

    assert diagnosed(tale).judged == "Breaks R3: a 500 is unknown, never a failure."


def test_an_answer_asked_for_again_is_not_booked_as_a_failure() -> None:
    tale = Tale()
    order = tale.order(1).placed().created().recorded()
    order.calls("payment_to_gateway", error="timeout")
    order.calls("payment_to_gateway", attempt=2)
    order.charged().logged("failed").hears("failed").rests_as("failed").believed("completed")

    assert "R3" not in diagnosed(tale).rules


def test_a_refused_connection_may_be_booked_as_a_failure() -> None:
    tale = Tale()
    order = tale.order(1).placed().created().recorded()
    order.calls("payment_to_gateway", error="refused", operation="charge")
    order.log("payment.result_written", status="failed").logged("failed")
    order.hears("failed").rests_as("pending").believed("failed")

    assert "R3" not in diagnosed(tale).rules


def test_two_captures_under_two_keys_break_r2() -> None:
    tale = Tale()
    order = tale.order(1).placed().created().recorded()
    order.charged(key="first").charged(intent="pi_other", key="second")
    order.logged("confirmed").hears("confirmed").rests_as("confirmed").believed("completed")

    found = diagnosed(tale)

    assert found.rules == ("R2",)
    assert "captured 42.00 usd twice" in found.happened
    assert "under two keys" in found.happened


def test_two_captures_under_one_key_are_not_laid_at_the_keys_door() -> None:
    tale = Tale()
    order = tale.order(1).placed().created().recorded()
    order.charged(key="only").charged(intent="pi_other", key="only")
    order.logged("confirmed").hears("confirmed").rests_as("confirmed").believed("completed")

    assert "R2" not in diagnosed(tale).rules


def test_an_order_nobody_takes_up_after_a_death_breaks_r4() -> None:
    tale = Tale()
    order = tale.order(1).placed().created().recorded().log("payment.charge_requested").charged()
    tale.see("process.killed", process="payment", instance=1, pid=1, port=1)
    order.hears("unknown").rests_as("pending").believed("pending")

    found = diagnosed(tale)

    assert found.rules == ("R4",)
    assert "payment was killed" in found.happened
    assert "nobody ever resolved it" in found.happened


def test_one_purchase_taken_for_two_breaks_r7() -> None:
    tale = Tale()
    tale.bought(1, "ord_a", key="k1")
    tale.bought(1, "ord_b", key="k1")

    found = diagnosed(tale, "ord_a")

    assert found.rules == ("R7",)
    assert "sent the purchase 2 times, with the same key" in found.happened


def test_a_confirmation_without_money_breaks_r8() -> None:
    tale = Tale()
    tale.bought(1, charged_minor=None)

    assert diagnosed(tale).rules == ("R8",)


def test_a_capture_known_and_then_rolled_back_breaks_r10() -> None:
    tale = Tale()
    order = tale.order(1).placed().created().recorded().charged()
    order.log("payment.charge_succeeded").logged("failed").hears("failed")
    order.rests_as("failed").believed("completed", intent=order.intent)

    assert diagnosed(tale).rules == ("R10",)


def test_a_refund_that_failed_later_breaks_r5() -> None:
    tale = Tale()
    order = tale.order(1).placed().created().recorded().charged()
    order.log("payment.charge_succeeded").refunded().gateway("refund_failed").logged("canceled")
    order.hears("unknown").rests_as("canceled").believed("refunded", intent=order.intent)

    assert diagnosed(tale).rules == ("R5",)


def test_an_end_that_is_taken_back_breaks_r11() -> None:
    tale = Tale()
    order = tale.order(1).placed().created().recorded().charged()
    order.logged("confirmed", "failed", "confirmed").hears("unknown").rests_as("confirmed")
    order.believed("completed", intent=order.intent)

    assert diagnosed(tale).rules == ("R11",)


def test_a_claim_without_a_story_names_no_rule_it_cannot_show() -> None:
    tale = Tale()
    tale.bought(1)
    tale.ended()

    found = diagnose(ladder(tale.seen, "ord_1"), [broken("answers_in_time")])

    assert found.rules == ()
    assert found.happened == "answers_in_time is broken: it is so."
    assert found.judged.startswith("No rule of R1 to R11 is seen broken")


def test_another_orders_violation_is_not_this_ones() -> None:
    tale = a_tale()
    answered(tale, 1)

    found = diagnosed(tale, also=[broken("every_order_ends", "ord_2")])

    assert found.judged == "No rule is seen broken."


def test_a_lost_answer_asked_for_again_with_its_key_kept_the_rules() -> None:
    tale = Tale()
    order = tale.order(1).placed().created().recorded()
    for error in ("timeout", None):
        about: dict[str, Any] = {"link": "payment_to_gateway", "operation": "confirm", "attempt": 1}
        call = f"c-{error}"
        tale.see("call.started", source="payment", order=order.id, key="k", call_id=call, **about)
        order.gateway("replayed" if error is None else "captured")
        tale.see("call.ended", source="payment", order=order.id, call_id=call, error=error, **about)
    order.logged("confirmed").hears("confirmed").rests_as("confirmed")
    order.believed("completed", intent=order.intent)

    found = diagnosed(tale)

    assert found.rules == ()
    assert found.judged == (
        "Kept R3 and R2: taken for unknown, then repeated with the same key, "
        "and the gateway replayed its answer."
    )


def test_every_rule_named_has_its_line_and_every_claim_its_name() -> None:
    assert set(RULE_OF_CLAIM.values()) <= set(RULES)
    assert set(RULE_OF_CLAIM) <= set(CLAIMS)
