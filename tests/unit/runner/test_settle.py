"""Quiet is proved, never assumed: nothing undecided, nothing open, nothing moving."""

from dataclasses import replace

from checkout_sim.model.scenario import Settle
from checkout_sim.runner.settle import OpenCalls, settle
from tests.unit.runner.world import QUIET, Story

SETTINGS = Settle(within_ms=20_000, quiet_for_ms=300, stalled_for_ms=3_000)
STUCK = replace(QUIET, count=1, ids=("ord_stuck",))


async def settled(story: Story, calls: OpenCalls | None = None) -> bool:
    return await settle(
        SETTINGS,
        ledgers=story.ledgers,
        recording=story.recording,
        clock=story.clock,
        calls=calls or OpenCalls(),
    )


async def test_quiet_must_last_before_it_counts() -> None:
    story = Story()

    assert await settled(story)
    assert story.clock.now_ms() >= SETTINGS.quiet_for_ms


async def test_a_row_that_gets_decided_is_waited_for() -> None:
    story = Story()
    story.ledgers.looks = [{"order": STUCK}, {"order": STUCK}, {"order": STUCK}, {"order": QUIET}]

    assert await settled(story)
    assert story.kinds() == ["quiet.reached"]


async def test_an_order_that_stays_undecided_is_given_up_as_stalled_long_before_the_bound() -> None:
    story = Story()
    story.ledgers.looks = [{"order": STUCK}]

    assert not await settled(story)
    given_up = story.of("quiet.given_up")[0].data
    assert given_up == {"reason": "stalled", "undecided": {"order": ["ord_stuck"]}, "moving": []}
    assert story.clock.now_ms() < SETTINGS.within_ms


async def test_an_open_call_keeps_quiet_away_until_its_process_dies() -> None:
    story = Story()
    calls = OpenCalls()
    story.recording.add_sink(calls.observe)
    started = {"call_id": "c1", "link": "payment_to_gateway"}
    story.recording("payment", "call.started", data=started)
    assert not await settled(story, calls)
    assert "call on payment_to_gateway" in story.of("quiet.given_up")[0].data["moving"]

    story.recording("supervisor", "process.killed", data={"process": "payment"})
    assert await settled(story, calls)


async def test_a_journal_that_grows_is_movement() -> None:
    story = Story()
    story.ledgers.looks = [{"gateway": replace(QUIET, last_seq=seq)} for seq in range(2_000)]

    assert not await settled(story)
    given_up = story.of("quiet.given_up")[0].data
    assert (given_up["reason"], given_up["moving"]) == ("spent", ["gateway: journal grows"])
