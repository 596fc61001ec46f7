"""What one shopper does, and what it may believe."""

import pytest

from checkout_sim.model.scenario import CancelAt, OnEvent, Retry, SubmitTwice, WalkAway
from checkout_sim.model.seen import ServiceLine
from checkout_sim.runner.moments import Moments
from checkout_sim.runner.shoppers import Shoppers
from tests.unit.runner.world import UNKNOWN, Story, shopper


def shoppers_in(story: Story) -> Shoppers:
    moments = Moments(story.clock)
    story.recording.add_sink(moments.observe)
    return Shoppers(story.shop, story.clock, story.recording, moments)


async def test_by_default_a_shopper_posts_once_and_believes_the_answer() -> None:
    story = Story()
    await shoppers_in(story).check_out(shopper(1))

    assert story.shop.posts == [(1, "key-1", "pm_card_visa")]
    assert story.kinds() == ["client.sent", "client.ended"]
    ended = story.of("client.ended")[0]
    assert (ended.data["claim"], ended.order) == ("confirmed", "ord_1")


async def test_an_unknown_answer_is_kept_for_a_final_look_up() -> None:
    story = Story()
    story.shop.answers[1] = [UNKNOWN]
    shoppers = shoppers_in(story)
    await shoppers.check_out(shopper(1))
    await shoppers.check_out(shopper(2))

    assert [kept.checkout for kept in shoppers.indefinite] == [1]


@pytest.mark.parametrize(("key", "expected"), [("same", "key-1"), ("new", "key-2")])
async def test_a_retry_follows_an_unknown_claim_with_the_key_the_plan_drew(
    key: str, expected: str
) -> None:
    story = Story()
    story.shop.answers[1] = [UNKNOWN]
    keys = ("key-1", "key-1") if key == "same" else ("key-1", "key-2")
    behaviour = Retry(times=3, wait_ms=150, key="same" if key == "same" else "new")
    await shoppers_in(story).check_out(shopper(1, behaviour, keys))

    assert ["key-1", expected] == [posted for _, posted, _ in story.shop.posts]
    assert story.clock.now_ms() == 150


async def test_retries_end_when_their_number_is_spent() -> None:
    story = Story()
    story.shop.answers[1] = [UNKNOWN, UNKNOWN, UNKNOWN]
    await shoppers_in(story).check_out(shopper(1, Retry(times=1)))

    assert len(story.shop.posts) == 2


async def test_submitting_twice_has_both_attempts_open_at_once() -> None:
    story = Story()
    story.shop.turns = 60
    behaviour = SubmitTwice(gap_ms=0, card="pm_card_mastercard")
    await shoppers_in(story).check_out(shopper(1, behaviour))

    assert story.kinds() == ["client.sent", "client.sent", "client.ended", "client.ended"]
    assert [card for _, _, card in story.shop.posts] == ["pm_card_visa", "pm_card_mastercard"]
    first, second = story.of("client.sent")
    assert first.data["body_digest"] != second.data["body_digest"]


async def test_a_shopper_who_walks_away_hears_nothing_definite() -> None:
    story = Story()
    story.shop.while_placing = lambda _: None
    await shoppers_in(story).check_out(shopper(1, WalkAway(after_ms=0)))

    ended = story.of("client.ended")[0]
    assert (ended.data["claim"], ended.data["error"]) == ("unknown", "walked_away")


async def test_a_cancel_names_the_order_that_was_announced() -> None:
    story = Story()

    def announce(_: object) -> None:
        created = {"user_id": "shopper-1"}
        story.recording.overheard(
            ServiceLine("order", 1, 1, 1.0, "order.created", "ord_announced", None, created)
        )

    story.shop.while_placing = announce
    behaviour = CancelAt(at=OnEvent(event="order.created", checkout=1))
    await shoppers_in(story).check_out(shopper(1, behaviour))

    assert story.shop.cancels == ["ord_announced"]
    assert story.of("client.cancel_ended")[0].data["http_status"] == 202
