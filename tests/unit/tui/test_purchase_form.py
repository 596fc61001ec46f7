"""What the checkout form sends, and that a scenario file can say exactly the same."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from checkout_sim.model.command import Buy
from checkout_sim.model.scenario import (
    Behaviour,
    CancelAt,
    Line,
    OnEvent,
    PostOnce,
    Retry,
    Scenario,
    SubmitTwice,
    WalkAway,
)
from checkout_sim.model.wire import CARDS
from checkout_sim.scenario_files.load import load_scenario
from checkout_sim.scenario_files.units import NotAValue
from checkout_sim.tui.forms.cards import CHOICES, card_named, choice_of
from checkout_sim.tui.forms.cart import USUAL, Cart
from checkout_sim.tui.forms.purchase import (
    Purchase,
    burst,
    said_behaviour,
    single,
    typed_moment,
    typed_rate,
    yaml_of,
)

TWO_LINES = (
    Line(product="mug", quantity=2, price_minor=1250),
    Line(product="cap", quantity=1, price_minor=2900),
)


def loaded(buy: Buy, folder: Path) -> Scenario:
    path = folder / "form.yaml"
    head = "version: 1\nname: form\nwhy: The form says it.\n"
    path.write_text("\n".join([head, *yaml_of(buy), "expect: {naive: valid}", ""]))
    return load_scenario(path, links=("payment_to_gateway",))


def test_one_checkout_is_the_cart_without_its_empty_lines() -> None:
    assert single(Purchase()) == Buy(lines=TWO_LINES, seed=1)


def test_a_burst_carries_count_rate_and_seed() -> None:
    purchase = Purchase(count=40, rate_per_s=8.0, drawn_cart=True, seed=4711)

    expected = Buy(lines=TWO_LINES, count=40, rate_per_s=8.0, drawn_cart=True, seed=4711)
    assert burst(purchase) == expected


def test_an_empty_cart_is_not_sent() -> None:
    empty = Purchase(cart=Cart(lines=()))

    for send in (single, burst):
        with pytest.raises(NotAValue, match="the cart is empty"):
            send(empty)


def test_continuous_load_needs_a_rate() -> None:
    with pytest.raises(NotAValue, match="needs a rate"):
        burst(Purchase(count=0, rate_per_s=None))


@pytest.mark.parametrize(
    "behaviour",
    [
        PostOnce(),
        Retry(times=2, wait_ms=200, key="new"),
        SubmitTwice(gap_ms=30, key="same", card="pm_card_amex"),
        WalkAway(after_ms=1500),
        CancelAt(at=OnEvent(event="order.created", then_ms=50)),
    ],
    ids=said_behaviour,
)
@pytest.mark.parametrize("make", [single, burst])
def test_the_yaml_shown_loads_as_the_very_purchase_sent(
    make: Callable[[Purchase], Buy], behaviour: Behaviour, tmp_path: Path
) -> None:
    form = Purchase(behaviour=behaviour, patience_ms=2500, card="pm_card_refundFail", count=7)
    buy = make(form)

    scenario = loaded(buy, tmp_path)

    assert scenario.load.cart == buy.lines
    assert scenario.load.cards == (buy.card,)
    assert scenario.load.checkouts == buy.count
    assert scenario.load.rate_per_s == buy.rate_per_s
    assert [rule.patience_ms for rule in scenario.shoppers] == [2500]
    assert [rule.behaviour for rule in scenario.shoppers] == [behaviour]


@pytest.mark.parametrize("product", ["true", "null", "on", "tea: pot", "Kaffee [groß]", '"', "#1"])
def test_the_yaml_shown_keeps_any_name_of_a_product(product: str, tmp_path: Path) -> None:
    line = Line(product=product, quantity=1, price_minor=7)

    scenario = loaded(Buy(lines=(line,)), tmp_path)

    assert scenario.load.cart == (line,)


def test_what_no_file_can_say_is_said_in_a_comment() -> None:
    endless = burst(Purchase(count=0, drawn_cart=True, seed=9))

    assert [line for line in yaml_of(endless) if line.startswith("#")] == [
        "# sent until stopped; a file needs an end, say 100",
        "# carts drawn from seed 9; a file names each cart",
    ]


@pytest.mark.parametrize(("typed", "rate"), [("4", 4.0), ("0.5/s", 0.5), ("", None)])
def test_a_rate_is_checkouts_a_second_or_nothing(typed: str, rate: float | None) -> None:
    assert typed_rate(typed) == rate


@pytest.mark.parametrize("typed", ["0", "fast", "-1", "1e9", "nan", "inf"])
def test_what_is_no_rate_is_refused(typed: str) -> None:
    with pytest.raises(NotAValue, match="is no rate"):
        typed_rate(typed)


def test_a_moment_is_an_event_and_perhaps_some_time_more() -> None:
    assert typed_moment("order.created + 50ms") == OnEvent(event="order.created", then_ms=50)
    assert typed_moment("gateway.captured") == OnEvent(event="gateway.captured")


def test_a_moment_of_no_event_names_the_nearest() -> None:
    with pytest.raises(NotAValue, match=r'did you mean "order\.created"'):
        typed_moment("order.create")


def test_every_card_of_the_gateway_is_in_the_picker_by_meaning() -> None:
    assert {name for name in CARDS if choice_of(name) is None} == set()
    assert {choice.name for choice in CHOICES} <= set(CARDS)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("pm_card_visa", "pm_card_visa"),
        ("refundFail", "pm_card_refundFail"),
        ("4242 4242 4242 4242", "pm_card_visa"),
        ("4000-0000-0000-0069", "pm_card_chargeDeclinedExpiredCard"),
    ],
)
def test_another_card_is_named_or_numbered(typed: str, name: str) -> None:
    assert card_named(typed) == name


def test_a_number_that_is_no_test_number_is_refused_and_not_repeated() -> None:
    with pytest.raises(NotAValue, match="no test number") as refused:
        card_named("4929 1234 5678 9012")

    assert "9012" not in str(refused.value)


def test_a_name_that_is_no_test_card_brings_the_nearest() -> None:
    with pytest.raises(NotAValue, match='did you mean "pm_card_refundFail"'):
        card_named("refundFails")


def test_a_changed_form_leaves_the_first_as_it_was() -> None:
    form = Purchase()

    assert replace(form, card="pm_card_amex").cart is USUAL
    assert form.card == "pm_card_visa"
