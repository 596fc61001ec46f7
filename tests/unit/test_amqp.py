"""A deed on a connection ends in time, and by name, although aiormq loses cancellations."""

import asyncio
from typing import Any

import pytest

from checkout_sim.amqp import within


async def losing() -> None:
    """Turn a cancellation into the connection's error, as aiormq does."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        raise ConnectionResetError("closed") from None


async def deaf() -> None:
    """Hear of no cancellation at all."""
    for _ in range(2):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            continue


async def raising(error: Exception) -> None:
    raise error


async def answering(answer: str) -> str:
    await asyncio.sleep(0)
    return answer


async def test_a_deed_s_answer_is_returned() -> None:
    assert await within(5, answering("yes")) == "yes"


@pytest.mark.parametrize("deed", [losing, deaf])
async def test_a_deadline_is_kept_although_the_cancellation_is_lost(deed: Any) -> None:
    with pytest.raises(TimeoutError, match=r"no answer within 0\.01 s"):
        await within(0.01, deed())


@pytest.mark.parametrize("deed", [losing, deaf])
async def test_the_caller_s_cancellation_is_not_lost(deed: Any) -> None:
    async def asking_for_ever() -> None:
        while True:
            try:
                await within(5, deed())
            except OSError:
                continue

    task = asyncio.create_task(asking_for_ever())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()

    done, _ = await asyncio.wait({task}, timeout=5)
    assert done
    assert task.cancelled()


async def test_a_bare_exception_is_a_lost_connection() -> None:
    with pytest.raises(ConnectionError, match="just broken") as raised:
        await within(5, raising(Exception()))

    assert type(raised.value.__cause__) is Exception


@pytest.mark.parametrize("error", [TimeoutError(), RuntimeError("closed"), KeyError("bug")])
async def test_every_other_error_stays_what_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        await within(5, raising(error))

    assert raised.value is error


async def test_what_an_abandoned_deed_raises_is_no_surprise_to_the_loop() -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    failing = asyncio.create_task(within(5, raising(OSError("gone"))))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    failing.cancel()  # in the moment in which the deed has failed already
    await asyncio.wait({failing})
    del failing

    assert told == []
