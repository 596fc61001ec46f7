"""The cart as it is typed: decimals in, minor units out."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkout_sim.model.scenario import Line
from checkout_sim.scenario_files.units import NotAValue
from checkout_sim.tui.forms.cart import USUAL, Cart, line_of, said_line
from checkout_sim.tui.forms.figures import said_minor, typed_minor

MUG = Line(product="mug", quantity=2, price_minor=1250)


@pytest.mark.parametrize("typed", ["mug 2 12.50", "mug 2 x 12.50", " mug  2  12.5 "])
def test_a_line_is_product_quantity_and_price(typed: str) -> None:
    assert line_of(typed) == MUG


def test_a_line_without_a_quantity_is_one_of_it() -> None:
    assert line_of("tea pot 3.07") == Line(product="tea pot", quantity=1, price_minor=307)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("mug", "write product, quantity, price"),
        ("mug 2 12.505", "is not money"),
        ("mug 2 12,50", "is not money"),
        ("mug -1 3.00", "negative"),
        ("mug 1001 3.00", "from 1 to 1000"),
        ("mug 1 1000000.01", "the dearest"),
    ],
)
def test_what_is_no_line_is_refused_with_what_to_write(typed: str, told: str) -> None:
    with pytest.raises(NotAValue, match=told):
        line_of(typed)


@given(minor=st.integers(min_value=0, max_value=100_000_000))
def test_money_is_read_back_as_it_was_written_and_never_through_a_float(minor: int) -> None:
    assert typed_minor(said_minor(minor)) == minor
    assert Decimal(said_minor(minor)) * 100 == minor


@given(
    quantity=st.integers(min_value=1, max_value=1000), minor=st.integers(min_value=0, max_value=999)
)
def test_a_line_said_is_the_line_read(quantity: int, minor: int) -> None:
    line = Line(product="mug", quantity=quantity, price_minor=minor)

    assert line_of(said_line(line)) == line


def test_the_total_counts_every_line_by_its_quantity() -> None:
    assert USUAL.total_minor == 5400


def test_a_line_of_quantity_nought_stays_on_the_form_and_is_not_sent() -> None:
    cart = Cart(lines=(MUG,)).more(-5)

    assert [line.quantity for line in cart.lines] == [0]
    assert cart.sent == ()
    assert cart.more(1).sent == (Line(product="mug", quantity=1, price_minor=1250),)


def test_the_mark_stays_within_the_lines() -> None:
    assert USUAL.moved(-1).at == 0
    assert USUAL.moved(9).at == 2
    assert Cart(lines=()).moved(1).marked is None


def test_adding_what_is_in_the_cart_already_adds_to_its_quantity() -> None:
    cart = Cart(lines=(MUG,)).with_line(MUG)

    assert cart.lines == (Line(product="mug", quantity=4, price_minor=1250),)


def test_the_same_product_at_another_price_is_another_line_and_is_marked() -> None:
    cart = Cart(lines=(MUG,)).with_line(line_of("mug 1 9.99"))

    assert (len(cart.lines), cart.at) == (2, 1)


def test_a_line_can_be_written_anew_or_removed() -> None:
    cart = USUAL.with_line(line_of("cup 3 1.00"), instead=True)

    assert cart.lines[0] == Line(product="cup", quantity=3, price_minor=100)
    assert [line.product for line in cart.without_marked().lines] == ["cap", "sticker"]
