"""Keys that work everywhere: each sends exactly its command, by key, palette and `:` line."""

import asyncio

import pytest
from textual.command import CommandList

from checkout_sim.model.answer import Nack
from checkout_sim.model.command import (
    Buy,
    Command,
    Inject,
    Kill,
    LiftAll,
    LiftFault,
    Note,
    Pause,
    Record,
    Redo,
    Start,
    Undo,
    UntilLifted,
)
from checkout_sim.model.fault import LinkFault, PlacedToxic
from checkout_sim.model.scenario import Load
from checkout_sim.tui.app import CheckoutSimApp
from checkout_sim.tui.options import Options
from tests.tui.canned import Canned, drawn, opening, running, shown, told_by
from tests.tui.stories import LOST, broken, busy, opened

MUG = Buy(lines=Load().cart)


def lost_reply() -> Inject:
    toxic = PlacedToxic(
        name=f"{LOST}_downstream", type="timeout", stream="downstream", attributes={"timeout": 0}
    )
    kind = LinkFault(links=("payment_to_gateway",), toxics=(toxic,))
    return Inject(name=LOST, kind=kind, window=UntilLifted(), title="reply lost")


KEYS: list[tuple[tuple[str, ...], Command]] = [
    (("H",), LiftAll()),
    (("u",), Undo()),
    (("U",), Redo()),
    (("c",), MUG),
    (("R",), Record(mark="begin")),
    (("f", "6", "r"), lost_reply()),
    (("f", "P", "K"), Kill(process="payment")),
    (("f", "O", "P"), Pause(process="order")),
    (("m", *"paid", "enter"), Note(text="paid")),
]


@pytest.mark.parametrize("screen", ["1", "5", "7"])
async def test_a_key_sends_exactly_its_command_from_any_screen(screen: str) -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned) as (_, pilot):
        for keys, _command in KEYS:
            await pilot.press(screen, *keys)
            await pilot.pause()
    assert canned.sent == [command for _, command in KEYS]


LINES: list[tuple[str, Command]] = [
    ("heal_all", LiftAll()),
    ("fault.undo", Undo()),
    ("leader 6 r", lost_reply()),
    ("note.add paid twice", Note(text="paid twice")),
    ("checkout.repeat", MUG),
]


@pytest.mark.parametrize(("line", "command"), LINES, ids=[line for line, _ in LINES])
async def test_the_command_line_sends_what_its_action_sends(line: str, command: Command) -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned) as (app, pilot):
        await pilot.press("colon")
        await pilot.pause()
        await pilot.press(*["space" if letter == " " else letter for letter in line], "enter")
        await pilot.pause()
        assert canned.sent == [command], app.told


async def test_the_palette_performs_the_action_it_finds() -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned) as (app, pilot):
        await pilot.press("ctrl+p", *"heal_all")
        async with asyncio.timeout(30):
            while "fault.heal_all" not in found(app):
                await pilot.pause()
            while not canned.sent:
                await pilot.press("enter")
    assert canned.sent == [LiftAll()]


def found(app: CheckoutSimApp) -> str:
    """The first action the palette lists for what is typed."""
    lists = app.screen.query(CommandList)
    if not lists or lists.first().option_count != 1:
        return ""
    return str(lists.first().get_option_at_index(0).prompt)


async def test_the_letter_of_a_fault_that_is_there_lifts_it() -> None:
    tale = opened()
    broken(tale, LOST, "payment_to_gateway", "timeout", timeout=0)
    canned = Canned(*told_by(tale.seen))
    async with running(canned) as (_, pilot):
        await pilot.press("f", "6")
        await pilot.pause()
        assert "reply lost ON" in shown(_)
        await pilot.press("r")
        await pilot.pause()
    assert canned.sent == [LiftFault(name=LOST)]


async def test_a_process_that_was_killed_is_started_by_the_same_key() -> None:
    tale = opened()
    tale.see("process.killed", process="payment", instance=1, pid=4102)
    canned = Canned(*told_by(tale.seen))
    async with running(canned) as (_, pilot):
        await pilot.press("f", "P", "K")
        await pilot.pause()
    assert canned.sent == [Start(process="payment")]


async def test_the_gateway_is_never_struck() -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned) as (app, pilot):
        await pilot.press("f", "G", "K")
        await pilot.pause()
        assert app.told.wrong
        assert "never struck" in app.told.text
    assert canned.sent == []


async def test_a_second_h_removes_what_is_not_ours() -> None:
    tale = opened()
    tale.see("fault.foreign", link="order_to_payment", toxic="someone")
    canned = Canned(*told_by(tale.seen))
    async with running(canned) as (app, pilot):
        await pilot.press("H")
        await pilot.pause()
        assert "1 foreign" in app.told.text
        await pilot.press("H")
        await pilot.pause()
    assert canned.sent == [LiftAll(), LiftAll(foreign=True)]


async def test_repeating_sends_the_last_checkout_once() -> None:
    canned = Canned(*told_by(opened().seen))
    burst = Buy(lines=Load().cart, card="pm_card_amex", count=20, rate_per_s=4.0)
    async with running(canned) as (app, pilot):
        await app.send(burst)
        await pilot.press("c")
        await pilot.pause()
    assert canned.sent == [burst, Buy(lines=Load().cart, card="pm_card_amex")]


async def test_typing_into_a_field_sends_nothing() -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned) as (_, pilot):
        await pilot.press("1", "slash", *"fHucRm", "enter")
        await pilot.press("5", "slash", *"fHucRm", "escape")
        await pilot.press("m", *"HuU", "escape")
        await pilot.pause()
    assert canned.sent == []


async def test_read_only_sends_nothing_and_says_why() -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned, Options(read_only=True)) as (app, pilot):
        await pilot.press("f", "6", "r", "c", "u", "R", "H")
        await pilot.pause()
        assert "read-only" in app.told.text
        assert "read-only" in shown(app)
    assert canned.sent == []


async def test_below_sixty_by_eighteen_only_healing_is_on() -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned, size=(50, 12)) as (app, pilot):
        await pilot.press("f", "6", "r", "c", "u", "U", "R", "m", "H")
        await pilot.pause()
        assert "too small to act" in shown(app)
    assert canned.sent == [LiftAll()]


async def test_faults_and_shoppers_belong_to_the_storm() -> None:
    tale = opened()
    tale.see("phase.entered", source="runner", phase="settle")
    canned = Canned(*told_by(tale.seen))
    async with running(canned) as (app, pilot):
        await pilot.press("f", "c")
        await pilot.pause()
        assert "not in phase settle" in app.told.text
        await pilot.press("H")
    assert canned.sent == [LiftAll()]


async def test_a_refusal_of_the_engine_is_told_in_place() -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned) as (app, pilot):
        await pilot.press("u")
        await pilot.pause()
        canned.tell(
            Nack(
                command_id=canned.last_id, code="invalid", message="nothing to undo", hint="f adds"
            )
        )
        await drawn(app, pilot, canned)
        assert "nothing to undo; f adds" in shown(app)


async def test_an_engine_that_ends_leaves_the_screen_alive() -> None:
    canned = Canned(*told_by(busy().seen))
    async with running(canned) as (app, pilot):
        canned.end()
        async with asyncio.timeout(60):
            while not app.told.wrong:
                await pilot.pause()
        assert "the engine has ended" in shown(app)
        await pilot.press("5")
        await pilot.pause()
        text = shown(app)
        assert "ENDED" in text
        assert "the engine has ended" in text
        assert "#12" in text


async def test_before_the_stack_has_started_the_screen_says_so() -> None:
    canned = Canned(*opening(phase="starting"))
    async with running(canned) as (app, _):
        assert "LIVE starting" in shown(app)
