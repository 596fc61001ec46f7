"""How often, how long and under which key a participant is asked."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import httpx
import pytest

from services.chassis.breaker import Breaker
from services.chassis.clock import SystemClock
from services.chassis.http_client import Link
from services.chassis.ids import Ids
from services.chassis.logs import EventLog
from services.orchestrator.answers import Answer
from services.orchestrator.participants import (
    Ask,
    CallBudget,
    Participant,
    counts_against_callee,
)

ASK = Ask(
    path="/order/create",
    operation="create",
    body={"orderId": "ord_1"},
    order="ord_1",
    key="ord_1:create",
)
Handler = Callable[[httpx.Request], httpx.Response]


class Far:
    """The far end: what it was sent, and what it answers, the last reaction for ever."""

    def __init__(self, *reactions: Handler) -> None:
        self.seen: list[httpx.Request] = []
        self._reactions = list(reactions)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        reaction = self._reactions[0]
        if len(self._reactions) > 1:
            self._reactions.pop(0)
        return reaction(request)


def ok(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"status": "completed"})


def unavailable(_: httpx.Request) -> httpx.Response:
    return httpx.Response(503, json={"code": "unavailable"})


def reset(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("reset", request=request)


def participant(
    far: Handler | Callable[[httpx.Request], Coroutine[None, None, httpx.Response]],
    events: list[Mapping[str, Any]] | None = None,
    *,
    tries: int = 3,
    try_ms: float = 20_000,
    total_ms: float = 100_000,
    breaker: Breaker | None = None,
) -> Participant:
    clock, ids = SystemClock(), Ids()
    listener = None if events is None else events.append
    return Participant(
        httpx.AsyncClient(transport=httpx.MockTransport(far), base_url="http://order"),
        link=Link(
            "orchestrator_to_order",
            events=EventLog(clock, fd=None, listener=listener),
            clock=clock,
            ids=ids,
        ),
        budget=CallBudget(
            try_ms=try_ms, tries=tries, total_ms=total_ms, backoff_low_ms=1, backoff_high_ms=2
        ),
        clock=clock,
        ids=ids,
        breaker=breaker,
    )


async def test_all_tries_carry_one_key_and_one_body() -> None:
    far = Far(reset, unavailable, ok)
    heard = await participant(far).ask(ASK)
    assert isinstance(heard, Answer)
    assert len(far.seen) == 3
    assert {(seen.headers["idempotency-key"], seen.content) for seen in far.seen} == {
        ("ord_1:create", b'{"orderId":"ord_1"}')
    }


async def test_the_budget_s_tries_are_all_there_are() -> None:
    far = Far(reset)
    assert await participant(far, tries=2).ask(ASK) == "reset"
    assert len(far.seen) == 2


async def test_recovery_asks_once_a_round() -> None:
    far = Far(unavailable)
    assert await participant(far).ask(ASK, tries=1) == "HTTP 503"
    assert len(far.seen) == 1


async def test_a_try_begins_only_if_it_fits_whole_into_the_total() -> None:
    far = Far(reset)
    await participant(far, try_ms=20_000, total_ms=20_000).ask(ASK)
    assert len(far.seen) == 1


async def test_a_decline_and_a_202_are_answers_and_not_repeated() -> None:
    for status in (202, 402, 409):
        far = Far(lambda _, status=status: httpx.Response(status, json={}))  # type: ignore[misc]
        heard = await participant(far).ask(ASK)
        assert isinstance(heard, Answer)
        assert heard.http_status == status
        assert len(far.seen) == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
async def test_an_answer_that_is_no_object_is_unreadable(content: bytes) -> None:
    far = Far(lambda _: httpx.Response(200, content=content))
    assert await participant(far, tries=1).ask(ASK) == "unreadable"


async def test_a_try_that_takes_too_long_is_a_timeout() -> None:
    never = asyncio.Event()

    async def hang(_: httpx.Request) -> httpx.Response:
        await never.wait()
        raise AssertionError("unreachable")

    asked = participant(hang, tries=1, try_ms=10)
    assert await asked.ask(ASK) == "timeout"


async def test_each_try_is_told_of_with_its_number() -> None:
    events: list[Mapping[str, Any]] = []
    await participant(Far(reset, unavailable, ok), events).ask(ASK)
    ended = [event["data"] for event in events if event["kind"] == "call.ended"]
    assert [(one["attempt"], one["http_status"], one["error"]) for one in ended] == [
        (1, None, "reset"),
        (2, 503, None),
        (3, 200, None),
    ]


async def test_an_open_breaker_sends_nothing_and_is_no_answer() -> None:
    breaker = Breaker("payment", failures=2, open_ms=600_000, counts=counts_against_callee)
    far = Far(unavailable)
    asked = participant(far, tries=1, breaker=breaker)
    await asked.ask(ASK)
    await asked.ask(ASK)
    assert await asked.ask(ASK) == "breaker_open"
    assert len(far.seen) == 2


async def test_a_participant_that_is_busy_is_not_held_against_it() -> None:
    breaker = Breaker("payment", failures=1, open_ms=600_000, counts=counts_against_callee)
    far = Far(lambda _: httpx.Response(429, json={}))
    asked = participant(far, tries=1, breaker=breaker)
    assert [await asked.ask(ASK), await asked.ask(ASK)] == ["HTTP 429", "HTTP 429"]
    assert len(far.seen) == 2
