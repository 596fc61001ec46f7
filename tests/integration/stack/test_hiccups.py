"""The meter against a standstill that is real: the kernel does not run it for a while."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator

import psutil
import pytest

from checkout_sim.model.seen import Hiccup
from checkout_sim.stack.hiccup_meter import processors
from checkout_sim.stack.hiccups import HiccupMeter
from tests.integration.stack.standing_still import a_meter, meters, stand_still, until

STOOD_MS = 300.0
LIMIT_S = 20.0


@pytest.fixture
def others() -> list[psutil.Process]:
    """The meters that other tests of this worker have, which are not to be disturbed."""
    return meters()


@pytest.fixture
async def meter() -> AsyncIterator[HiccupMeter]:
    made = HiccupMeter()
    yield made
    await made.close()


async def test_a_standstill_is_told_with_its_length_for_every_processor(
    meter: HiccupMeter,
    others: list[psutil.Process],
) -> None:
    heard: list[Hiccup] = []
    with meter.heard_by(heard.append):
        process = await a_meter(but=others)
        await stand_still(process, STOOD_MS)
        await until(lambda: {one.cpu for one in heard} >= set(processors()))

    assert max(one.ms for one in heard) >= STOOD_MS - 50  # less the moment it meant to sleep


async def test_a_standstill_while_the_meter_starts_is_told_for_every_processor_as_well() -> None:
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "checkout_sim.stack.hiccup_meter",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert started.stdout is not None
    told = set[int | None]()
    try:
        process = psutil.Process(started.pid)
        began = time.monotonic()
        while process.num_threads() <= len(processors()):  # no sleep: its last thread is caught new
            assert time.monotonic() - began < LIMIT_S
        await stand_still(process, STOOD_MS)
        async with asyncio.timeout(LIMIT_S):
            while told < set(processors()):
                told.add(json.loads(await started.stdout.readline())["cpu"])
    finally:
        started.kill()
        await started.wait()


async def test_a_listener_hears_only_what_lay_in_its_own_time(
    meter: HiccupMeter, others: list[psutil.Process]
) -> None:
    early: list[Hiccup] = []
    late: list[Hiccup] = []
    with meter.heard_by(early.append):
        process = await a_meter(but=others)
        process.suspend()
        began = time.monotonic()
        await until(lambda: time.monotonic() - began >= STOOD_MS / 1000)
        with meter.heard_by(late.append):
            process.resume()
            await until(lambda: bool(early and late))

    assert min(one.ms for one in early) > max(one.ms for one in late)


async def test_calm_is_a_time_without_a_hiccup(
    meter: HiccupMeter, others: list[psutil.Process]
) -> None:
    heard: list[Hiccup] = []
    with meter.heard_by(heard.append):
        process = await a_meter(but=others)
        await stand_still(process, STOOD_MS)
        await until(lambda: bool(heard))
        last_ms = heard[-1].ended_ms

        assert await meter.calm(for_s=0.5, within_s=30)
        assert time.monotonic() * 1000 - last_ms >= 500
        assert not await meter.calm(for_s=60, within_s=0.2)


async def test_a_meter_that_was_killed_tells_nothing_more_and_closes(
    meter: HiccupMeter, others: list[psutil.Process]
) -> None:
    with meter.heard_by(lambda _: None):
        process = await a_meter(but=others)
        process.kill()
        await until(lambda: process.status() == psutil.STATUS_ZOMBIE)

    await meter.close()
    assert not process.is_running()


async def test_nothing_is_started_before_somebody_listens_nor_left_after_close(
    meter: HiccupMeter,
    others: list[psutil.Process],
) -> None:
    assert await meter.calm(for_s=0, within_s=1)
    assert meters() == others
    with meter.heard_by(lambda _: None), meter.heard_by(lambda _: None):
        process = await a_meter(but=others)

    await meter.close()
    await meter.close()
    assert not process.is_running()


def test_it_ends_with_whoever_started_it() -> None:
    started = subprocess.Popen(
        [sys.executable, "-m", "checkout_sim.stack.hiccup_meter"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    assert started.stdin is not None
    started.stdin.close()

    assert started.wait(timeout=LIMIT_S) == 0


async def test_the_terminal_s_ctrl_c_does_not_reach_it(
    meter: HiccupMeter, others: list[psutil.Process]
) -> None:
    with meter.heard_by(lambda _: None):
        process = await a_meter(but=others)

        assert os.getpgid(process.pid) != os.getpgid(0)
