"""The breaker opens on failures, admits one probe, and learns from nobody else."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from services.chassis.breaker import Breaker, BreakerOpen


class Down(Exception):
    """The callee failed."""


class Busy(Exception):
    """The callee answered, unhelpfully."""


def breaker(*, open_ms: float = 1.0) -> Breaker:
    return Breaker("link", failures=3, open_ms=open_ms, counts=lambda e: isinstance(e, Down))


async def fail(link: Breaker, error: Callable[[], Exception] = Down) -> None:
    with pytest.raises((Down, Busy, BreakerOpen)):
        async with link.attempt():
            raise error()


Attempt = AbstractAsyncContextManager[None]


async def admitted(link: Breaker) -> Attempt:
    """Return a try the breaker has let in; leave it with `__aexit__`."""
    async with asyncio.timeout(5):
        while True:
            attempt = link.attempt()
            try:
                await attempt.__aenter__()
            except BreakerOpen:
                await asyncio.sleep(0)
            else:
                return attempt


async def probing() -> tuple[Breaker, Attempt]:
    """Return a half-open breaker and the probe it has let in."""
    link = breaker(open_ms=1)
    for _ in range(3):
        await fail(link)
    return link, await admitted(link)


async def test_it_opens_after_the_given_number_of_failures_in_a_row() -> None:
    link = breaker(open_ms=60_000)
    for _ in range(3):
        await fail(link)
    with pytest.raises(BreakerOpen):
        async with link.attempt():
            pytest.fail("an open breaker let a try through")


async def test_a_success_between_failures_starts_the_count_again() -> None:
    link = breaker(open_ms=60_000)
    for _ in range(5):
        await fail(link)
        async with link.attempt():
            pass


async def test_answers_that_are_no_failures_of_the_callee_do_not_open_it() -> None:
    link = breaker(open_ms=60_000)
    for _ in range(10):
        await fail(link, Busy)
    async with link.attempt():
        pass


async def test_half_open_it_admits_a_single_probe() -> None:
    link, probe = await probing()
    for _ in range(20):
        with pytest.raises(BreakerOpen):
            async with link.attempt():
                pytest.fail("a second probe was admitted")
    await probe.__aexit__(None, None, None)


async def test_a_probe_that_succeeds_closes_it() -> None:
    link, probe = await probing()
    await probe.__aexit__(None, None, None)
    first, second = link.attempt(), link.attempt()
    async with first, second:  # closed: two at once
        pass


async def test_a_probe_that_fails_opens_it_again_and_frees_the_gate() -> None:
    link, probe = await probing()
    assert not await probe.__aexit__(Down, Down(), None)  # false: the error passes through
    await admitted(link)


async def test_a_canceled_probe_frees_the_gate() -> None:
    link, probe = await probing()
    assert not await probe.__aexit__(asyncio.CancelledError, asyncio.CancelledError(), None)
    await admitted(link)


async def test_a_straggler_from_before_it_opened_does_not_close_it() -> None:
    link = breaker(open_ms=60_000)
    straggler = link.attempt()
    await straggler.__aenter__()
    for _ in range(3):
        await fail(link)
    await straggler.__aexit__(None, None, None)  # its late success
    with pytest.raises(BreakerOpen):
        async with link.attempt():
            pytest.fail("a late success closed the circuit")
