from dataclasses import replace
from typing import Any

from checkout_sim.checks.ladder import first_order_under_fault, ladder
from checkout_sim.model.ladder import Ladder, Rung
from tests.archived import a_tale, answered, lifted, lost, swallowing
from tests.histories import Tale


def lost_answer() -> Tale:
    tale = a_tale()
    answered(tale, 1)
    swallowing(tale)
    lost(tale, 2)
    lifted(tale)
    answered(tale, 3)
    return tale.ended()


def rung(drawn: Ladder, kind: str) -> Rung:
    return next(one for one in drawn.rungs if one.kind == kind)


def test_a_ladder_holds_its_own_order_and_no_other() -> None:
    tale = lost_answer()

    drawn = ladder(tale.seen, "ord_2")

    assert {one.order for one in drawn.rungs} == {"ord_2", None}
    assert drawn.checkout == 2
    assert drawn.siblings == ()


def test_an_attempt_that_names_no_order_belongs_by_its_checkout() -> None:
    drawn = ladder(lost_answer().seen, "ord_2")

    assert drawn.rungs[0].kind == "client.sent"
    assert (drawn.rungs[0].lane, drawn.rungs[0].other) == ("shopper", "order")
    assert drawn.rungs[0].at_ms == 0


def test_services_and_shopper_share_one_clock() -> None:
    drawn = ladder(lost_answer().seen, "ord_2")

    times = [one.at_ms for one in drawn.rungs]
    assert times == sorted(times)
    assert drawn.rungs[-1].text == "SHOPPER told failed (500)"


def test_a_line_read_late_stands_where_it_was_written() -> None:
    tale = Tale()
    order = tale.order(1).placed().created().hears("confirmed", after_ms=5).logged("confirmed")
    late = tale.seen[-1]
    written_ms = tale.seen[-2].t_ms + 50_000.0 - 2
    tale.seen[-1] = replace(late, source_ms=written_ms)

    drawn = ladder(tale.seen, order.id)

    kinds = [one.kind for one in drawn.rungs]
    assert kinds.index("order.confirmed") < kinds.index("client.ended")


def test_a_caller_that_gave_up_shows_as_lost_and_under_its_fault() -> None:
    drawn = ladder(lost_answer().seen, "ord_2")

    gave_up = next(one for one in drawn.rungs if one.shape == "lost")
    assert (gave_up.lane, gave_up.other) == ("payment", "gateway")
    assert gave_up.under == ("swallow",)
    assert gave_up.text == "PAYMENT saw a timeout after 404 ms"


def test_a_refused_connection_left_nothing_on_its_way() -> None:
    tale = Tale()
    tale.order(1).placed().created().calls("order_to_payment", error="refused")

    assert rung(ladder(tale.seen, "ord_1"), "call.ended").shape == "unsent"


def test_money_and_commits_and_doubt_are_told_apart_by_tone() -> None:
    drawn = ladder(lost_answer().seen, "ord_2")

    assert rung(drawn, "gateway.captured").tone == "money"
    assert rung(drawn, "gateway.captured").text == "GATEWAY captured 42.00 usd"
    assert rung(drawn, "order.created").tone == "commit"
    assert rung(drawn, "payment.charge_unknown").tone == "unknown"


def test_bands_are_the_faults_in_force_during_the_story() -> None:
    drawn = ladder(lost_answer().seen, "ord_2")

    (band,) = drawn.bands
    assert band.said == "swallow: timeout 0 ms on payment_to_gateway, downstream"
    assert band.begin_ms < 0
    assert band.end_ms is not None
    assert band.end_ms > drawn.span_ms


def test_an_order_before_the_fault_has_no_band() -> None:
    assert ladder(lost_answer().seen, "ord_1").bands == ()


def test_a_fault_that_nobody_lifted_has_no_end() -> None:
    tale = a_tale()
    swallowing(tale)
    lost(tale, 1)

    assert ladder(tale.seen, "ord_1").bands[0].end_ms is None


def test_a_process_that_dies_meanwhile_is_struck_in_its_lane() -> None:
    tale = Tale()
    order = tale.order(1).placed().created()
    tale.see("process.killed", process="payment", instance=1, pid=7, port=1)
    order.hears("unknown")

    died = rung(ladder(tale.seen, order.id), "process.killed")
    assert (died.lane, died.tone, died.text) == ("payment", "struck", "PAYMENT killed")


def test_a_second_try_says_whether_its_key_is_the_same() -> None:
    tale = Tale()
    order = tale.order(1).placed().created()
    for key in ("k1", "k1", "k2"):
        tale.see(
            "call.started",
            source="payment",
            order=order.id,
            key=key,
            link="payment_to_gateway",
            call_id=f"c{len(tale.seen)}",
            attempt=1,
            operation="confirm",
        )

    drawn = ladder(tale.seen, order.id)

    said = [one.text for one in drawn.rungs if one.kind == "call.started"]
    assert said == ["confirm", "confirm again, same key", "confirm again, other key"]


def test_believed_is_what_a_verdict_says() -> None:
    tale = lost_answer()

    believed = ladder(tale.seen, "ord_2").believed

    assert believed.told == "failed"
    assert believed.order == "failed"
    assert believed.payment == "failed 42.00 usd"
    assert believed.gateway.startswith("captured 42.00 usd")
    assert believed.faults == ("swallow",)


def test_every_order_of_a_purchase_is_on_its_ladder() -> None:
    tale = Tale()
    tale.bought(1, "ord_a", key="k1")
    tale.bought(1, "ord_b", key="k2")
    tale.ended()

    drawn = ladder(tale.seen, "ord_a")

    assert drawn.siblings == ("ord_b",)
    others = [one.text for one in drawn.rungs if one.order == "ord_b"]
    assert all(text.endswith("(other order)") for text in others)
    assert drawn.believed.gateway.count("captured") == 1


def test_an_order_never_seen_has_an_empty_ladder() -> None:
    drawn = ladder(lost_answer().seen, "ord_none")

    assert (drawn.rungs, drawn.bands, drawn.believed.order) == ((), (), "absent")


def test_the_first_order_under_a_fault_is_found() -> None:
    assert first_order_under_fault(lost_answer().seen) == "ord_2"


def test_an_order_under_way_when_the_fault_comes_counts() -> None:
    tale = a_tale()
    order = tale.order(4).placed().created()
    swallowing(tale)

    assert first_order_under_fault(tale.seen) == order.id


def test_without_a_fault_no_order_is_under_one() -> None:
    tale = Tale()
    tale.bought(1)

    assert first_order_under_fault(tale.seen) is None


def test_a_saga_has_its_lane_and_shoppers_place_with_the_orchestrator() -> None:
    tale = Tale(strategy="orchestrated")
    order = tale.order(1).placed()
    tale.see("saga.step_started", source="orchestrator", order=order.id, step="create", seq=1)
    order.created().calls("orchestrator_to_payment", operation="process").hears("confirmed")

    drawn = ladder(tale.ended().seen, order.id)

    assert drawn.lanes == ("shopper", "orchestrator", "order", "payment", "gateway")
    placed, told = rung(drawn, "client.sent"), rung(drawn, "client.ended")
    assert (placed.lane, placed.other) == ("shopper", "orchestrator")
    assert placed.text == "POST /saga/place-order"
    assert told.link == "shopper_to_orchestrator"
    assert rung(drawn, "saga.step_started").text == "saga.step_started: create"
    assert rung(drawn, "call.started").text == "POST /payment/process"


def test_a_shopper_cancels_with_order_whoever_the_order_was_placed_with() -> None:
    tale = Tale(strategy="orchestrated")
    order = tale.order(1).placed().created()
    tale.see("client.cancel_sent", checkout=1, order=order.id)

    assert rung(ladder(tale.ended().seen, order.id), "client.cancel_sent").other == "order"


def test_messages_go_to_the_broker_and_come_from_it() -> None:
    tale = Tale(strategy="choreographed")
    order = tale.order(1).placed().created()
    published: dict[str, Any] = {"message_id": "7", "topic": "order.placed"}
    tale.see("message.published", source="order", order=order.id, **published)
    received: dict[str, Any] = {"consumer": "payment.events", "message_id": "7", "deliveries": 2}
    tale.see("message.received", source="payment", order=order.id, **received)

    drawn = ladder(tale.ended().seen, order.id)

    assert drawn.lanes == ("shopper", "order", "broker", "payment", "gateway")
    out, back = rung(drawn, "message.published"), rung(drawn, "message.received")
    assert (out.shape, out.lane, out.other) == ("request", "order", "broker")
    assert out.text == "publish order.placed"
    assert (back.shape, back.lane, back.other) == ("reply", "payment", "broker")
    assert back.text == "delivered from payment.events, delivery 2"


def test_a_broker_s_confirm_is_an_acknowledgement_without_a_status() -> None:
    tale = Tale(strategy="choreographed")
    order = tale.order(1).placed().created()
    called: dict[str, Any] = {"link": "order_to_broker", "operation": "publish", "call_id": "c1"}
    tale.see("call.started", source="order", order=order.id, **called)
    tale.see("call.ended", source="order", order=order.id, http_status=None, error=None, **called)

    back = rung(ladder(tale.ended().seen, order.id), "call.ended")
    assert (back.shape, back.other, back.text) == ("reply", "broker", "acknowledged")
