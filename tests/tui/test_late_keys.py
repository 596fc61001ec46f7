"""Keys typed faster than a strip of choices opens: they are meant for it."""

import asyncio

import pytest
from textual import events

from checkout_sim.model.command import Close, Command, Inject, LiftAll
from tests.tui.canned import Canned, running, told_by
from tests.tui.stories import opened


@pytest.mark.parametrize(
    ("keys", "meant"),
    [
        (("f", "6", "r"), Inject),
        (("ctrl+q", "q"), Close),
    ],
)
async def test_keys_that_arrive_all_at_once_mean_what_they_mean_one_by_one(
    keys: tuple[str, ...], meant: type[Command]
) -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned) as (app, pilot):
        for key in keys:  # as a terminal gives them: in one piece, nothing drawn in between
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        async with asyncio.timeout(60):
            while not canned.sent:
                await pilot.pause()
        canned.end()
    assert [type(command) for command in canned.sent] == [meant]


async def test_keys_after_a_strip_has_decided_are_for_what_lies_below() -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned) as (app, pilot):
        for key in ("f", "6", "r", "H"):
            app.post_message(events.Key(key, key))
        async with asyncio.timeout(60):
            while len(canned.sent) < 2:
                await pilot.pause()
    assert [type(command) for command in canned.sent] == [Inject, LiftAll]


async def test_escape_leaves_a_strip_whenever_it_comes() -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned) as (app, pilot):
        await pilot.press("f", "escape", "f", "6", "escape")
        assert app.scope == "dashboard"
    assert canned.sent == []


async def test_a_command_line_left_empty_or_with_escape_does_nothing() -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned) as (app, pilot):
        await pilot.press("colon", "escape", "colon", "enter", "colon", "space", "enter")
        await pilot.pause()
        assert app.is_running
    assert canned.sent == []
