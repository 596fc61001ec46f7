"""Keys typed faster than a strip of choices or a prompt opens: they are meant for it."""

import asyncio

import pytest
from textual import events
from textual.app import App
from textual.command import CommandInput
from textual.keys import _character_to_key

from checkout_sim.model.command import Close, Command, Inject, LiftAll, Note
from checkout_sim.tui.screens.help import HelpView
from checkout_sim.tui.screens.log import LogView
from checkout_sim.tui.screens.order_lists import OrderListView
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


def typed(*keys: str) -> list[events.Key]:
    """Return keys as a terminal gives them: letters with what they write, others by name."""
    return [
        events.Key(_character_to_key(key), key) if len(key) == 1 else named(key) for key in keys
    ]


def named(key: str) -> events.Key:
    return events.Key(key, {"enter": "\r", "escape": "\x1b", "backspace": "\x7f"}.get(key))


@pytest.mark.parametrize(
    ("keys", "meant"),
    [
        ((":", *"heal_all", "enter"), [LiftAll()]),
        (("m", *"paid twice", "enter"), [Note(text="paid twice")]),
        (("m", *"pais", "backspace", "d", "enter"), [Note(text="paid")]),
        (("m", *"HuU", "escape", "H"), [LiftAll()]),
        (
            (":", *"note.add one", "enter", "m", *"two", "enter"),
            [Note(text="one"), Note(text="two")],
        ),
    ],
    ids=["command line", "note", "corrected", "escaped", "one after another"],
)
async def test_a_line_that_arrives_all_at_once_is_the_line_that_was_typed(
    keys: tuple[str, ...], meant: list[Command]
) -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned) as (app, pilot):
        for key in typed(*keys):
            app.post_message(key)
        async with asyncio.timeout(60):
            while len(canned.sent) < len(meant):
                await pilot.pause()
        await pilot.pause()
    assert canned.sent == meant


@pytest.mark.parametrize(
    ("screen", "ended", "kept"),
    [("5", ["enter"], "told:unknown"), ("7", ["enter"], "told:unknown"), ("5", ["escape"], "")],
)
async def test_a_filter_that_arrives_all_at_once_is_the_one_that_was_typed(
    screen: str, ended: list[str], kept: str
) -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned) as (app, pilot):
        await pilot.press(screen)
        for key in typed("/", *"told:unknown", *ended, " "):
            app.post_message(key)
        async with asyncio.timeout(60):
            while app.display_of(view := app.view or pytest.fail("no view")).frozen is None:
                await pilot.pause()  # the space is for the view again
        await pilot.pause()
        if isinstance(view, OrderListView):
            assert view.source.selection.wanted.text == kept
        else:
            assert isinstance(view, LogView)
            assert view.source.text == kept
    assert canned.sent == []


async def test_letters_typed_before_the_palette_opens_stand_in_its_line() -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned) as (app, pilot):
        for key in typed("ctrl+p", *"Heal"):
            app.post_message(key)
        async with asyncio.timeout(60):
            while not app.screen.query(CommandInput) or line_of_palette(app) != "Heal":
                await pilot.pause()
    assert canned.sent == []


def line_of_palette(app: App[int]) -> str:
    return app.screen.query_one(CommandInput).value


async def test_a_search_in_help_that_arrives_all_at_once_is_the_one_that_was_typed() -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned) as (app, pilot):
        await pilot.press("question_mark")
        for key in typed("/", *"heal all", "backspace", "l", "enter"):
            app.post_message(key)
        async with asyncio.timeout(60):
            while not isinstance(app.screen, HelpView) or app.screen.source.text != "heal all":
                await pilot.pause()
        await pilot.press("enter")
        async with asyncio.timeout(60):
            while not canned.sent:
                await pilot.pause()
    assert canned.sent == [LiftAll()]


async def test_enter_twice_in_help_performs_once_and_leaves_once() -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned) as (app, pilot):
        await pilot.press("question_mark")
        for key in typed("/", *"heal all", "enter"):
            app.post_message(key)
        async with asyncio.timeout(60):
            while not isinstance(app.screen, HelpView) or app.screen.source.text != "heal all":
                await pilot.pause()
        for key in typed("enter", "enter"):
            app.post_message(key)
        async with asyncio.timeout(60):
            while not canned.sent:
                await pilot.pause()
        await pilot.pause()
        assert app.scope == "dashboard"
    assert canned.sent == [LiftAll()]
