"""The dashboard, the orders and the log: what they show, at which size."""

import asyncio
import re

import pytest

from checkout_sim.model.answer import EngineState, Judged
from checkout_sim.model.verdict import Violation
from checkout_sim.tui.app import CheckoutSimApp
from checkout_sim.tui.options import Options
from checkout_sim.tui.widgets.stream_table import StreamTable
from tests.tui.canned import Canned, drawn, running, shown, told_by
from tests.tui.stories import busy, opened, sound, swallowed


def table(app: CheckoutSimApp) -> StreamTable:
    return app.screen.query_one("#orders", StreamTable)


async def test_the_dashboard_shows_links_orders_and_the_log_on_eighty_columns() -> None:
    canned = Canned(*told_by(busy().seen))
    async with running(canned) as (app, _):
        text = shown(app)
    assert "1 Dash  LIVE storm  naive  real toxiproxy 2.12.0  FAULTS 2  ? 4  ! -  REC -" in text
    assert "order═3" in text
    assert "reply lost═>gateway" in text
    assert "#9      ? suspect" in text
    assert "3s 6r" in text
    assert "H heal all" in text


@pytest.mark.parametrize("size", [(20, 5), (40, 12), (60, 18), (80, 24), (120, 40), (200, 60)])
async def test_row_one_is_pinned_at_every_size(size: tuple[int, int]) -> None:
    canned = Canned(*told_by(busy().seen))
    async with running(canned, size=size) as (app, pilot):
        for screen in ("1", "5", "7"):
            await pilot.press(screen)
            first = shown(app).splitlines()[0]
            assert "LIVE" in first
            assert len(first) <= size[0]


async def test_wide_screens_say_beside_the_orders_what_is_broken_and_what_looks_wrong() -> None:
    canned = Canned(*told_by(busy().seen))
    async with running(canned, size=(120, 40)) as (app, pilot):
        canned.tell(EngineState(phase="storm", strategy="naive", undo="reply lost on 6"))
        await drawn(app, pilot, canned)
        panels = [line[91:] for line in shown(app).splitlines()]
        faults = panels[next(at for at, line in enumerate(panels) if "─ faults" in line) :]
        assert "6 reply lost < hit 4" in faults[1]
        assert "armed" in faults[2]
        assert "3 slow 500ms <" in faults[3]
        assert "u undo     H heal all" in faults[5]
        assert any("? #9 told refused, yet a" in line for line in panels)
        assert re.search(r"─ events, \d+/s ─", shown(app))
        await pilot.resize_terminal(120, 24)
        await pilot.pause()
        assert "6 reply lost < hit 4" in shown(app)
        assert "#9 told refused" in shown(app)


async def test_growing_and_shrinking_keeps_the_rows() -> None:
    canned = Canned(*told_by(busy().seen))
    async with running(canned, size=(120, 40)) as (app, pilot):
        for size in ((40, 12), (160, 48), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert "#12" in shown(app)


async def test_ascii_draws_no_other_character() -> None:
    canned = Canned(*told_by(busy().seen))
    async with running(canned, Options(ascii_only=True), size=(120, 40)) as (app, pilot):
        for keys in (("1",), ("5",), ("5", "enter"), ("escape", "7"), ("question_mark",)):
            await pilot.press(*keys)
            await pilot.pause()
            assert shown(app).isascii(), shown(app)


async def test_the_cursor_keeps_its_checkout_while_rows_stream_in() -> None:
    tale = opened()
    for number in range(1, 31):
        sound(tale, number)
    canned = Canned(*told_by(tale.seen))
    async with running(canned) as (app, pilot):
        await pilot.press("j", "j", "j")
        assert table(app).cursor == "27"
        line = next(one for one in shown(app).splitlines() if one.startswith(" >"))
        at = shown(app).splitlines().index(line)
        for number in range(31, 41):
            sound(tale, number)
        canned.tell(*tale.seen[-1:])  # beyond a gap: nothing of it may be believed
        canned.tell(*tale.seen[app.live.last_id :])
        await drawn(app, pilot, canned)
        lines = shown(app).splitlines()
        assert table(app).cursor == "27"
        assert lines[at].startswith(" > #27")


async def test_home_follows_again() -> None:
    tale = busy()
    canned = Canned(*told_by(tale.seen))
    async with running(canned) as (app, pilot):
        await pilot.press("j", "j", "g")
        seen = len(tale.seen)
        tale.order(99).placed().created()
        canned.tell(*tale.seen[seen:])
        await drawn(app, pilot, canned)
        assert table(app).cursor == "99"


async def test_moving_goes_by_line_page_and_to_both_ends() -> None:
    tale = opened()
    for number in range(1, 61):
        sound(tale, number)
    canned = Canned(*told_by(tale.seen))
    async with running(canned) as (app, pilot):
        for key, wanted in [
            ("down", "59"),
            ("k", "60"),
            ("G", "1"),
            ("up", "2"),
            ("home", "60"),
            ("end", "1"),
        ]:
            await pilot.press(key)
            assert table(app).cursor == wanted, key
        await pilot.press("g", "ctrl+d")
        page = 60 - int(table(app).cursor or 0)
        assert page > 3
        await pilot.press("pagedown", "ctrl+u")
        assert table(app).cursor == str(60 - page)


async def test_a_filter_narrows_letter_by_letter_and_escape_clears_it() -> None:
    canned = Canned(*told_by(busy().seen))
    async with running(canned) as (app, pilot):
        await pilot.press("5", "slash", *"is:suspect")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        text = shown(app)
        assert "4 of 12 rows" in text
        assert "#12" not in text
        await pilot.press("escape")
        await pilot.pause()
        assert "12 of 12 rows" in shown(app)


async def test_a_filter_that_makes_no_sense_says_which_fields_there_are() -> None:
    canned = Canned(*told_by(busy().seen))
    async with running(canned) as (app, pilot):
        await pilot.press("5", "slash", *"colour:red", "enter")
        await pilot.pause()
        assert 'no field "colour:"' in shown(app)


async def test_orders_are_sorted_four_ways() -> None:
    tale = opened()
    sound(tale, 1)
    swallowed(tale, 2)
    sound(tale, 3)
    canned = Canned(*told_by(tale.seen))
    async with running(canned) as (app, pilot):
        await pilot.press("5")
        firsts = []
        for _ in range(4):
            await pilot.press("s")
            app.draw_now()
            firsts.append(table(app).in_sight[0])
    assert firsts == ["1", "2", "2", "3"]


async def test_n_goes_from_finding_to_finding_and_round() -> None:
    canned = Canned(*told_by(busy().seen))
    async with running(canned) as (app, pilot):
        visited = []
        for key in ("n", "n", "n", "n", "n", "N"):
            await pilot.press(key)
            await pilot.pause()
            visited.append(table(app).cursor)
    assert visited == ["9", "8", "7", "6", "9", "6"]


async def test_a_frozen_display_stands_still_and_counts_what_it_missed() -> None:
    tale = busy()
    canned = Canned(*told_by(tale.seen))
    async with running(canned) as (app, pilot):
        await pilot.press("space")
        before = shown(app).splitlines()[2:-2]
        seen = len(tale.seen)
        sound(tale, 13)
        canned.tell(*tale.seen[seen:])
        await drawn(app, pilot, canned)
        text = shown(app)
        assert f"FROZEN +{len(tale.seen) - seen}" in text
        assert text.splitlines()[2:-2] == before
        await pilot.press("space")
        assert "#13" in shown(app)


async def test_violations_open_and_ever_stand_in_row_one() -> None:
    canned = Canned(*told_by(busy().seen))
    one = Violation(invariant="replies_are_true", order_id="ord_6", checkout=6, detail="")
    async with running(canned) as (app, pilot):
        canned.tell(Judged(run_id="7c1e", provisional=True, status=None, violations=(one,), ever=3))
        await drawn(app, pilot, canned)
        text = shown(app)
    assert "! 1/3" in text
    assert "#6      ! violated" in text


async def test_opening_an_order_draws_both_sides_of_its_calls() -> None:
    tale = opened()
    swallowed(tale, 1)
    canned = Canned(*told_by(tale.seen))
    async with running(canned, size=(120, 40)) as (app, pilot):
        await pilot.press("enter")
        await drawn(app, pilot, canned)
        text = shown(app)
        assert "DIFFERS: PAYMENT saw" in text
        assert "GATEWAY DID" in text
        assert "GATEWAY captured 42.00" in text
        assert "tries on 6" in text
        await pilot.press("i")
        assert '"duration_ms"' in shown(app)
        await pilot.press("v")
        assert "what the caller saw" in shown(app)
        assert "payment.recorded" not in shown(app)
        await pilot.press("v")
        assert "payment.recorded" in shown(app)
        await pilot.press("v", "h")
        assert "SHOPPER  ORDER" not in shown(app)
        await pilot.press("q")
        await pilot.pause()
        assert app.scope == "dashboard"


async def test_a_checkout_without_an_order_has_a_ladder_of_what_its_shopper_saw() -> None:
    tale = opened()
    tale.order(1).placed().hears("unknown")
    canned = Canned(*told_by(tale.seen))
    async with running(canned) as (app, pilot):
        await pilot.press("enter")
        await drawn(app, pilot, canned)
        assert "SHOPPER told nothing" in shown(app)


async def test_the_log_has_levels_and_a_filter_and_opens_orders() -> None:
    canned = Canned(*told_by(busy().seen))
    async with running(canned) as (app, pilot):
        await pilot.press("7")
        await pilot.pause()
        assert "order.created" in shown(app)
        await pilot.press("l", "l")
        await pilot.pause()
        text = shown(app)
        assert "level warn" in text
        assert "order.created" not in text
        assert "timeout after 800 ms" in text
        await pilot.press("enter")
        await pilot.pause()
        assert app.scope == "order"


async def test_help_lists_the_keys_of_the_screen_below_and_performs_the_marked_one() -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned) as (app, pilot):
        await pilot.press("5", "question_mark")
        await pilot.pause()
        text = shown(app)
        assert "keys of orders" in text
        assert "sort:" in text
        await pilot.press("slash", *"redo", "enter")
        await pilot.pause()
        await pilot.press("enter")
        async with asyncio.timeout(20):
            while not canned.sent:
                await pilot.pause()
        assert app.scope == "orders"


async def test_screens_are_reached_by_number_and_by_brackets() -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned) as (app, pilot):
        await pilot.press("7")
        await pilot.pause()
        assert app.scope == "log"
        await pilot.press("]")
        await pilot.pause()
        assert app.scope == "dashboard"
        await pilot.press("[")
        await pilot.pause()
        assert app.scope == "log"


async def test_a_screen_is_reached_by_a_click_on_its_name() -> None:
    canned = Canned(*told_by(opened().seen))
    async with running(canned, size=(120, 40)) as (app, pilot):
        row = shown(app).splitlines()[0]
        await pilot.click("#context", offset=(row.index("5 Orders") + 2, 0))
        await pilot.pause()
        assert app.scope == "orders"
        await pilot.click("#context", offset=(row.index("LIVE"), 0))
        await pilot.pause()
        assert app.scope == "orders"
