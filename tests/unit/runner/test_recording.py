"""Every observation gets the next number, and every event of an order its checkout."""

from typing import Any

from checkout_sim.model.history import Observation
from checkout_sim.model.seen import ServiceLine
from tests.unit.runner.world import Story


def say(story: Story, kind: str, order: str | None, **data: Any) -> None:
    story.recording.overheard(ServiceLine("payment", 1, 1, 1.0, kind, order, None, data))


def told(story: Story) -> list[tuple[int, str, int | None]]:
    return [(seen.id, seen.kind, seen.checkout) for seen in story.seen]


def test_ids_count_without_gaps() -> None:
    story = Story()
    for kind in ("phase.entered", "client.sent", "client.ended"):
        story.recording("runner", kind)

    assert [seen.id for seen in story.seen] == [1, 2, 3]


def test_events_of_an_order_carry_the_checkout_of_the_user_who_placed_it() -> None:
    story = Story()
    say(story, "order.created", "ord_a", user_id="shopper-7")
    say(story, "payment.recorded", "ord_a")

    assert told(story) == [(1, "order.created", 7), (2, "payment.recorded", 7)]
    assert story.recording.attribution.orders == {7: ["ord_a"]}


def test_a_saga_announces_its_order_even_if_that_is_never_created() -> None:
    story = Story()
    say(story, "saga.step_started", "ord_a", step="create")
    say(story, "saga.started", "ord_a", user_id="shopper-7")
    say(story, "order.created", "ord_a", user_id="shopper-7")

    assert told(story) == [
        (1, "saga.started", 7),
        (2, "saga.step_started", 7),
        (3, "order.created", 7),
    ]
    assert story.recording.attribution.orders == {7: ["ord_a"]}


def test_a_line_read_before_the_order_is_known_waits_and_keeps_its_place() -> None:
    story = Story()
    say(story, "payment.recorded", "ord_a")
    say(story, "payment.charge_requested", "ord_a")
    assert story.seen == []

    say(story, "order.created", "ord_a", user_id="proof-12")

    assert told(story) == [
        (1, "order.created", 12),
        (2, "payment.recorded", 12),
        (3, "payment.charge_requested", 12),
    ]


def test_what_never_learned_its_checkout_is_recorded_at_the_read() -> None:
    story = Story()
    say(story, "gateway.captured", "ord_lost")

    story.recording.flush()

    assert told(story) == [(1, "gateway.captured", None)]


def test_a_sink_sees_an_observation_before_the_recorder_returns_it() -> None:
    story = Story()
    heard: list[Observation] = []
    story.recording.add_sink(heard.append)

    returned = story.recording("runner", "phase.entered", data={"phase": "storm"})

    assert [returned] == heard
