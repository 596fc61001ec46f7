"""A moment comes exactly when it is seen, and never before."""

import asyncio

from checkout_sim.model.history import Observation
from checkout_sim.model.scenario import (
    AfterCheckouts,
    AfterInjected,
    AtCalm,
    AtTime,
    Moment,
    OnEvent,
)
from checkout_sim.runner.moments import Moments
from tests.unit.runner.world import JumpingClock


def seen(kind: str, checkout: int | None = None) -> Observation:
    return Observation(id=1, t_ms=0.0, source="payment", kind=kind, checkout=checkout)


async def waiting(moments: Moments, moment: Moment, window: int = 1) -> asyncio.Task[None]:
    task = asyncio.create_task(moments.wait(moment, fault="swallow", window=window))
    await asyncio.sleep(0)
    return task


async def test_an_event_of_another_checkout_wakes_nobody() -> None:
    moments = Moments(JumpingClock())
    task = await waiting(moments, OnEvent(event="payment.recorded", checkout=3))

    moments.observe(seen("payment.recorded", checkout=2))
    await asyncio.sleep(0)
    assert not task.done()

    moments.observe(seen("payment.recorded", checkout=3))
    await task


async def test_the_nth_event_is_counted_from_the_beginning_of_the_storm() -> None:
    moments = Moments(JumpingClock())
    moments.observe(seen("gateway.captured"))
    moments.begin()
    moments.observe(seen("gateway.captured"))
    task = await waiting(moments, OnEvent(event="gateway.captured", nth=2))
    await asyncio.sleep(0)
    assert not task.done()

    moments.observe(seen("gateway.captured"))
    await task


async def test_an_event_already_seen_in_the_storm_does_not_have_to_happen_again() -> None:
    moments = Moments(JumpingClock())
    moments.begin()
    moments.observe(seen("client.ended", checkout=3))

    await (await waiting(moments, OnEvent(event="client.ended", checkout=3)))


async def test_then_waits_so_much_longer_after_the_event() -> None:
    clock = JumpingClock()
    moments = Moments(clock)
    moments.observe(seen("client.ended", checkout=3))

    await moments.wait(OnEvent(event="client.ended", checkout=3, then_ms=800), fault="f", window=1)

    assert clock.now_ms() == 800


async def test_a_time_is_counted_from_the_beginning_of_the_storm() -> None:
    clock = JumpingClock()
    clock.ms = 5_000
    moments = Moments(clock)
    moments.begin()

    await moments.wait(AtTime(ms=2_000), fault="f", window=1)

    assert clock.now_ms() == 7_000


async def test_for_counts_from_the_injection_of_the_same_window() -> None:
    clock = JumpingClock()
    moments = Moments(clock)
    task = await waiting(moments, AfterInjected(ms=150), window=2)

    moments.injected("swallow", 1)
    await asyncio.sleep(0)
    assert not task.done()

    moments.injected("swallow", 2)
    await task
    assert clock.now_ms() == 150


async def test_so_many_checkouts_must_have_ended() -> None:
    moments = Moments(JumpingClock())
    task = await waiting(moments, AfterCheckouts(count=2))
    moments.checkout_ended()
    await asyncio.sleep(0)
    assert not task.done()

    moments.checkout_ended()
    await task


async def test_calm_comes_once_and_stays() -> None:
    moments = Moments(JumpingClock())
    moments.calm()

    await moments.wait(AtCalm(), fault="f", window=1)
