"""A plan that is held begins nothing and loses no time; a step lets one action through."""

import asyncio

from checkout_sim.model.plan import Checkout, Step
from checkout_sim.model.scenario import AtTime, BeforeCheckout
from checkout_sim.runner.execute import execute, planned
from checkout_sim.runner.pace import Pace
from tests.unit.runner.test_execute import SETTLE, checkouts, inject
from tests.unit.runner.world import JumpingClock, Story


async def turns(times: int = 200) -> None:
    """Let everybody run who can."""
    for _ in range(times):
        await asyncio.sleep(0)


async def test_time_stands_still_while_it_is_held_and_goes_on_from_there() -> None:
    clock = JumpingClock()
    pace = Pace(clock)
    clock.ms = 100.0
    pace.hold()
    clock.ms = 900.0
    held_ms = pace.now_ms()
    pace.release()
    clock.ms = 1000.0

    assert (held_ms, pace.now_ms()) == (100.0, 200.0)


async def test_a_wait_that_was_under_way_when_it_was_held_ends_as_much_later() -> None:
    clock = JumpingClock()
    pace = Pace(clock)
    waiting = asyncio.create_task(pace.sleep_ms(500.0))
    await asyncio.sleep(0)
    pace.hold()
    clock.ms = 5000.0
    await turns()
    over_while_held = waiting.done()
    pace.release()
    await waiting

    assert not over_while_held
    assert pace.now_ms() == 500.0


async def test_held_twice_is_held_once() -> None:
    clock = JumpingClock()
    pace = Pace(clock)
    pace.hold()
    clock.ms = 50.0
    pace.hold()
    clock.ms = 80.0
    pace.release()
    pace.release()

    assert pace.now_ms() == 0.0
    assert not pace.held


async def test_a_held_plan_is_let_on_action_by_action_faults_before_their_checkout() -> None:
    story = Story()
    pace = Pace(story.world.clock)
    pace.hold()
    steps = [inject(BeforeCheckout(checkout=1)), *checkouts(2)]
    running = asyncio.create_task(carried_out(story, steps, pace))
    begun: list[tuple[int, int]] = []
    for _ in range(3):
        await turns()
        begun.append((len(story.of("fault.injected")), len(story.of("client.sent"))))
        pace.step()
    await turns()
    begun.append((len(story.of("fault.injected")), len(story.of("client.sent"))))
    pace.release()
    await running

    assert begun == [(0, 0), (1, 0), (1, 1), (1, 2)]


async def test_a_step_goes_on_to_the_next_moment_of_the_plan() -> None:
    story = Story()
    pace = Pace(story.world.clock)
    pace.hold()
    timed = [
        Step(number=one.number, when=AtTime(ms=1000 * one.number), action=one.action)
        for one in checkouts(3)
        if isinstance(one.action, Checkout)
    ]
    running = asyncio.create_task(carried_out(story, timed, pace, concurrency=None))
    await turns()
    pace.step()
    await turns(1000)
    held_again = pace.held
    after_one = len(story.of("client.sent"))
    pace.release()
    await running

    assert held_again
    assert after_one == 1
    assert len(story.of("client.sent")) == 3


async def carried_out(
    story: Story, steps: list[Step], pace: Pace, *, concurrency: int | None = 1
) -> None:
    await execute(
        planned(steps),
        story.world,
        story.recording,
        concurrency=concurrency,
        settle_as=SETTLE,
        proof=[],
        pace=pace,
    )
