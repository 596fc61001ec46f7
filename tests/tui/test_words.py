"""What the screens say: counted right, never cut silently, and no key that would do nothing."""

import pytest
from textual.command import CommandPalette

from checkout_sim.model.answer import Ack, Judged, Stretch
from checkout_sim.tui.actions import ALL
from checkout_sim.tui.actions.table import actions_of
from checkout_sim.tui.screen_text import screen_text
from tests.tui.canned import Canned, drawn, opening, running, shown, told_by
from tests.tui.standing import WIDE, standing
from tests.tui.stories import busy, opened


@pytest.mark.parametrize("screen", ["1", "6"])
async def test_one_checkout_is_no_plural(screen: str) -> None:
    tale = opened()
    tale.order(1).placed().created()
    async with standing(screen, *told_by(tale.seen)) as at:
        assert "1 checkout " in screen_text(at.view)


async def test_a_sentence_that_does_not_fit_is_marked_as_cut() -> None:
    async with standing("1", *told_by(opened().seen)) as at:
        at.app.tell("x" * 100)
        await at.draw()
        assert at.text("#status") == f" {'x' * 78}~"


async def test_the_palette_is_of_characters_that_take_one_cell() -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned) as (app, pilot):
        await pilot.press("ctrl+p")
        await pilot.pause()
        assert isinstance(app.screen, CommandPalette)
        text = screen_text(app.screen)
    assert "search every action" in text
    assert [letter for letter in text if ord(letter) >= 0x1F000] == []


def footer(text: str) -> str:
    """Return the last line of a screen."""
    return text.rstrip("\n").splitlines()[-1]


async def test_enter_is_offered_where_it_opens_something_and_only_there() -> None:
    canned = Canned(*opening())
    async with running(canned, size=WIDE) as (app, pilot):
        assert "enter" not in footer(shown(app))
        canned.tell(*busy(orders=2).seen)
        await drawn(app, pilot, canned)
        assert "enter open" in footer(shown(app))
        await pilot.press("enter")
        await pilot.pause()
        assert app.scope == "order"
        assert "enter" not in footer(shown(app))


def test_what_enter_does_stands_once_on_the_list_of_scenarios() -> None:
    rows = [row for row in actions_of("scenarios", ALL) if row.id == "row.open"]
    assert [row.title for row in rows] == ["run"]


@pytest.mark.parametrize(
    ("as_expected", "surprises", "said"),
    [
        (True, (), ", as expected"),
        (False, ("too few",), ", not as expected"),
        (None, ("the machine stood still",), "; the machine stood still"),
        (None, (), ""),
    ],
)
async def test_a_scenario_that_was_next_has_begun_and_then_is_judged(
    *, as_expected: bool | None, surprises: tuple[str, ...], said: str
) -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned) as (app, pilot):
        canned.tell(Ack(command_id="c1", message="lost-reply is next"))
        await drawn(app, pilot, canned)
        assert app.told.text == "lost-reply is next"
        canned.tell(
            Stretch(
                run_id="9a", folder="/runs/9a", scenario="lost-reply", strategy="naive", live=False
            )
        )
        await drawn(app, pilot, canned)
        assert app.told.text == "lost-reply on naive has begun"
        canned.tell(
            Judged(
                run_id="9a",
                provisional=False,
                status="invalid",
                violations=(),
                as_expected=as_expected,
                surprises=surprises,
            )
        )
        await drawn(app, pilot, canned)
        assert app.told.text == f"lost-reply on naive: invalid{said}"
