"""The checkout form: what is typed is what is sent, and fields keep their keys."""

import asyncio

import pytest
from textual.events import Key
from textual.widgets import Input

from checkout_sim.model.command import Buy, StopBuying
from checkout_sim.model.scenario import (
    CancelAt,
    Line,
    OnEvent,
    Retry,
    SubmitTwice,
    WalkAway,
)
from checkout_sim.tui.screens.checkout import CheckoutView
from checkout_sim.tui.widgets.choice import Choice
from checkout_sim.tui.widgets.form import Form
from tests.tui.canned import opening, told_by
from tests.tui.standing import SMALL, WIDE, Standing, standing
from tests.tui.stories import busy, opened

QUIET = told_by(opened().seen)
MUG = Line(product="mug", quantity=2, price_minor=1250)
CAP = Line(product="cap", quantity=1, price_minor=2900)


def field(at: Standing, name: str) -> Input:
    return at.view.query_one(f"#{name}", Input)


async def typed(at: Standing, name: str, *keys: str) -> None:
    """Type into a field what replaces all of it."""
    field(at, name).focus()
    await at.press(*keys)


@pytest.mark.parametrize("key", ["enter", "b"])
async def test_the_form_opens_with_buy_focused_so_that_enter_buys(key: str) -> None:
    async with standing("3", *QUIET) as at:
        await at.press(key)

        assert at.sent == [Buy(lines=(MUG, CAP))]


async def test_keys_that_arrive_all_at_once_are_performed_in_the_order_they_were_typed() -> None:
    async with standing("3", *QUIET) as at:
        field(at, "count").focus()
        await at.draw()
        for key in ("end", "backspace", "backspace", "3", "0"):
            at.app.post_message(Key(key, key if len(key) == 1 else None))
        async with asyncio.timeout(60):
            while field(at, "count").value != "30":
                await at.pilot.pause()


async def test_what_was_wrong_is_told_no_more_once_it_is_mended() -> None:
    async with standing("3", *QUIET) as at:
        await typed(at, "count", "end", "backspace", "backspace")
        await at.app.perform("checkout.burst")
        assert "is not a number of checkouts" in at.told
        await typed(at, "count", "3")
        await at.app.perform("checkout.burst")

        assert at.told == ""
        assert len(at.sent) == 1


async def test_quantity_is_changed_on_the_marked_line_and_none_is_not_sent() -> None:
    async with standing("3", *QUIET) as at:
        at.view.query_one("#cart").focus()
        await at.press("=", "j", "-", "b")

        assert at.sent == [Buy(lines=(Line(product="mug", quantity=3, price_minor=1250),))]


async def test_a_line_is_typed_with_decimals_and_kept_in_minor_units() -> None:
    async with standing("3", *QUIET) as at:
        await at.press("a", *"b 2 x 0.07", "enter", "b")

        added = Line(product="b", quantity=2, price_minor=7)
        assert at.sent == [Buy(lines=(MUG, CAP, added))]


async def test_what_is_no_line_is_said_beside_it_and_the_form_stays() -> None:
    async with standing("3", *QUIET) as at:
        await at.press("a", *"b 2 0.075", "enter")

        form = at.view.query_one(Form)
        opened_before = form.is_open
        assert "is not money" in form.said
        await at.press("escape")
        assert (opened_before, form.is_open, at.sent) == (True, False, [])


async def test_a_line_is_written_anew_or_dropped() -> None:
    async with standing("3", *QUIET) as at:
        at.view.query_one("#cart").focus()
        await at.press("p", "home", *["delete"] * 20, *"cup 1 1.00", "enter", "j", "d", "b")

        assert at.sent == [Buy(lines=(Line(product="cup", quantity=1, price_minor=100),))]


async def test_an_empty_cart_is_not_sent_and_says_why() -> None:
    async with standing("3", *QUIET) as at:
        at.view.query_one("#cart").focus()
        await at.press("d", "d", "d", "b")

        assert at.sent == []
        assert "the cart is empty" in at.told


async def test_a_card_is_picked_by_what_it_does() -> None:
    async with standing("3", *QUIET) as at:
        await at.press("t", "j", "j", "enter", "b")

        card = "pm_card_visa_chargeDeclinedInsufficientFunds"
        assert at.sent == [Buy(lines=(MUG, CAP), card=card)]


async def test_another_card_goes_by_test_number_and_a_real_one_is_refused() -> None:
    async with standing("3", *QUIET) as at:
        await at.press("o", *"4929123456789012", "enter")
        assert "no test number" in at.view.query_one(Form).said
        assert "9012" not in at.told

        await at.press("home", *["delete"] * 16, *"4000000000000069", "enter", "b")
        assert [one.card for one in at.sent if isinstance(one, Buy)] == [
            "pm_card_chargeDeclinedExpiredCard"
        ]


@pytest.mark.parametrize(
    ("rights", "behaviour"),
    [
        (1, Retry(times=1, key="same")),
        (2, SubmitTwice(gap_ms=30, key="same")),
        (3, WalkAway(after_ms=1000)),
        (4, CancelAt(at=OnEvent(event="order.created", then_ms=50))),
    ],
)
async def test_a_shoppers_manners_are_picked(rights: int, behaviour: object) -> None:
    async with standing("3", *QUIET) as at:
        at.view.query_one("#do", Choice).focus()
        await at.press(*["right"] * rights, "b")
        assert at.sent == []  # a field keeps its letters

        at.view.query_one("#buy").focus()
        await at.press("b")
        assert [one.behaviour for one in at.sent if isinstance(one, Buy)] == [behaviour]


async def test_a_retry_takes_its_number_and_a_new_key() -> None:
    async with standing("3", *QUIET) as at:
        at.view.query_one("#do", Choice).pick("retry")
        await at.draw()
        at.view.query_one("#key", Choice).pick("new")
        await typed(at, "figure", "3", "enter")

        assert at.sent == [Buy(lines=(MUG, CAP), behaviour=Retry(times=3, key="new"))]


async def test_patience_is_typed_with_or_without_its_unit() -> None:
    async with standing("3", *QUIET) as at:
        await typed(at, "patience", "1", ".", "5", "s", "enter")
        await at.press("tab")
        await typed(at, "patience", "9", "0", "0", "enter")

        assert [one.patience_ms for one in at.sent if isinstance(one, Buy)] == [1500, 900]


async def test_letters_in_a_field_stay_there() -> None:
    async with standing("3", *QUIET) as at:
        await typed(at, "patience", *"bBxHf6q=")

        assert field(at, "patience").value == "bBxHf6q="
        assert at.sent == []
        assert "WRONG" in at.text("#said")


async def test_what_cannot_be_is_said_below_and_nothing_leaves() -> None:
    async with standing("3", *QUIET) as at:
        await typed(at, "per-second", *"fast", "enter")

        assert at.sent == []
        assert "rate:" in at.told


async def test_a_burst_carries_count_rate_seed_and_drawn_carts() -> None:
    async with standing("3", *QUIET) as at:
        await typed(at, "count", "4", "0")
        await typed(at, "per-second", "8")
        await typed(at, "seed", "7")
        at.view.query_one("#drawn", Choice).pick("drawn")
        at.view.query_one("#buy").focus()
        await at.press("B")

        expected = Buy(lines=(MUG, CAP), count=40, rate_per_s=8.0, drawn_cart=True, seed=7)
        assert at.sent == [expected]


async def test_no_number_of_checkouts_is_load_until_x_stops_it() -> None:
    async with standing("3", *QUIET) as at:
        await typed(at, "count", "0")
        at.view.query_one("#buy").focus()
        await at.press("B", "x")

        assert at.sent == [Buy(lines=(MUG, CAP), count=0, rate_per_s=4.0), StopBuying()]


@pytest.mark.parametrize(
    ("button", "kind"), [("#buy", Buy), ("#burst", Buy), ("#stop", StopBuying)]
)
async def test_the_buttons_do_what_the_keys_do(button: str, kind: type) -> None:
    async with standing("3", *QUIET) as at:
        await at.pilot.click(button)
        await at.draw()

        assert [type(one) for one in at.sent] == [kind]


async def test_the_links_it_crosses_are_shown_with_their_faults_and_what_that_comes_to() -> None:
    async with standing("3", *told_by(busy().seen), size=WIDE) as at:
        shown = " ".join(at.text("#said").split())

        assert (
            "1 > 3 (slow 500ms <) > 6 (reply lost < hit 4): at least 1.3s, then unknown on 6"
        ) in shown


async def test_the_yaml_follows_what_is_typed() -> None:
    async with standing("3", *QUIET, size=WIDE) as at:
        at.view.query_one("#do", Choice).pick("walk_away")
        await at.draw()

        assert "do: {walk_away: {after: 1s}}" in " ".join(at.text("#said").split())


async def test_c_repeats_what_was_bought_last() -> None:
    async with standing("3", *QUIET) as at:
        await at.press("b", "1", "c")

        assert at.sent == [Buy(lines=(MUG, CAP)), Buy(lines=(MUG, CAP))]


async def test_nothing_is_bought_after_the_storm() -> None:
    tale = opened()
    tale.see("phase.entered", source="runner", phase="settle")
    async with standing("3", *opening(phase="settle"), *tale.seen) as at:
        await at.press("b")

        assert at.sent == []
        assert "settle" in at.told


@pytest.mark.parametrize("size", [SMALL, WIDE, (60, 18), (40, 12)])
async def test_the_form_draws_at_every_size(size: tuple[int, int]) -> None:
    async with standing("3", *QUIET, size=size) as at:
        assert isinstance(at.view, CheckoutView)
        assert "mug" in at.app.export_screenshot()
