"""Endless workers beside an app end with it, though a cancellation may be lost on its way."""

import asyncio

import pytest

from services.chassis import background as module
from services.chassis.background import background, ended


async def test_a_worker_that_loses_a_cancellation_ends_all_the_same() -> None:
    begun, lost = asyncio.Event(), 0

    async def worker() -> None:
        nonlocal lost
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            lost += 1
        await asyncio.Event().wait()

    async with background(worker()):
        await begun.wait()

    assert lost == 1
    assert len(asyncio.all_tasks()) == 1, "only this test is left"


async def test_a_worker_that_never_ends_is_told_and_waited_for_no_longer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "_AGAIN_AFTER_S", 0.01)
    begun, released = asyncio.Event(), asyncio.Event()

    async def stubborn() -> None:
        begun.set()
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue

    task = asyncio.create_task(stubborn())
    await begun.wait()
    await ended(task)

    assert "a background worker does not end" in capsys.readouterr().err
    released.set()
    await task


async def test_a_worker_that_dies_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    async def dies() -> None:
        raise ValueError("a bug")

    async with background(dies()):
        for _ in range(3):
            await asyncio.sleep(0)
        told = capsys.readouterr().err

    assert told == "a background worker died: ValueError('a bug')\n"


async def test_what_is_over_needs_no_end() -> None:
    async def short() -> int:
        return 7

    task = asyncio.create_task(short())
    await task
    await ended(task)

    assert task.result() == 7
