"""A sound file becomes the model's scenario, defaults and all."""

from pathlib import Path

import pytest

from checkout_sim.model.claims import CORE, EXTENDED
from checkout_sim.model.fault import (
    GatewayFault,
    LinkFault,
    PlacedToxic,
    ProcessFault,
)
from checkout_sim.model.scenario import (
    AfterCheckouts,
    AfterInjected,
    AtCalm,
    AtTime,
    BeforeCheckout,
    CancelAt,
    Drawn,
    Expectation,
    FaultRule,
    Line,
    Load,
    Moment,
    OnEvent,
    Retry,
    Settle,
    ShopperRule,
    StackSpec,
    SubmitTwice,
    WalkAway,
)
from checkout_sim.scenario_files.load import load_scenario
from tests.unit.scenario_files.stories import HEAD, LINKS, loaded, written


def rule(folder: Path, text: str, *, stack: str = "stack: {}") -> FaultRule:
    """Return the one fault of a scenario."""
    (found,) = loaded(folder, f"{stack}\nfaults:\n  - {text}\n").faults
    return found


def test_a_scenario_that_says_little_means_the_defaults(tmp_path: Path) -> None:
    scenario = loaded(tmp_path, "")

    assert (scenario.name, scenario.why, scenario.seed) == ("story", "One sentence.", 1)
    assert Load(checkouts=8, concurrency=1) == scenario.load
    assert StackSpec() == scenario.stack
    assert Settle() == scenario.settle
    assert scenario.invariants == CORE
    assert {"naive": Expectation(verdict="valid")} == dict(scenario.expect)


def test_a_stack_may_do_without_webhooks(tmp_path: Path) -> None:
    assert not loaded(tmp_path, "stack: {webhooks: false}\n").stack.webhooks


def test_a_webhook_is_struck_by_the_type_of_its_event(tmp_path: Path) -> None:
    found = rule(
        tmp_path,
        "{name: late, gateway: event_swap, operation: payment_intent.succeeded, delay: 5s}",
    )

    assert isinstance(found.kind, GatewayFault)
    assert (found.kind.operation, dict(found.kind.parameters)) == (
        "payment_intent.succeeded",
        {"ms": 5000},
    )


def test_the_digest_is_of_the_bytes(tmp_path: Path) -> None:
    plain, spaced = loaded(tmp_path, ""), loaded(tmp_path, "\n")
    assert plain.digest != spaced.digest
    assert str(written(tmp_path, HEAD)) == plain.path


def test_a_toxic_on_both_streams_is_placed_twice_under_distinct_names(tmp_path: Path) -> None:
    found = rule(
        tmp_path,
        "{name: crumbs, link: [order_to_payment, payment_to_gateway], toxic: slicer, stream: both,"
        " attributes: {average_size: 8B, size_variation: 4B, delay: 250us}, lift: cut}",
    )
    attributes = {"average_size": 8, "size_variation": 4, "delay": 250}
    toxics = (
        PlacedToxic(
            name="crumbs_upstream", type="slicer", stream="upstream", attributes=attributes
        ),
        PlacedToxic(
            name="crumbs_downstream", type="slicer", stream="downstream", attributes=attributes
        ),
    )
    links = ("order_to_payment", "payment_to_gateway")
    expected = FaultRule(
        name="crumbs",
        kind=LinkFault(links=links, toxics=toxics, lift="cut"),
        begin=AtTime(ms=0),
        end=AtCalm(),
    )
    assert expected == found


def test_a_range_of_a_toxic_is_left_for_the_plan_to_draw(tmp_path: Path) -> None:
    found = rule(
        tmp_path,
        "{name: weather, link: order_to_payment, toxic: latency, stream: upstream, "
        "attributes: {latency: 50ms..200ms}, every: 300ms, for: 150ms, chance: 30%, "
        "optional: true}",
    )
    assert {"latency": Drawn(low_ms=50, high_ms=200)} == dict(found.drawn)
    assert (AfterInjected(ms=150), 300, 0.3, True) == (
        found.end,
        found.every_ms,
        found.chance,
        found.optional,
    )


@pytest.mark.parametrize(
    ("written_as", "moment"),
    [
        ("1500ms", AtTime(ms=1_500)),
        ("{before_checkout: 3}", BeforeCheckout(checkout=3)),
        ("{after_checkouts: 5}", AfterCheckouts(count=5)),
        ("{event: order.created}", OnEvent(event="order.created")),
        (
            "{event: gateway.captured, checkout: 3, nth: 2, then: 1s}",
            OnEvent(event="gateway.captured", checkout=3, nth=2, then_ms=1_000),
        ),
    ],
)
def test_a_moment_is_one_of_four(tmp_path: Path, written_as: str, moment: Moment) -> None:
    text = f"{{name: a, link: order_to_payment, down: true, from: {written_as}, until: calm}}"
    found = rule(tmp_path, text)
    assert (moment, AtCalm()) == (found.begin, found.end)


@pytest.mark.parametrize(
    ("restart", "end"),
    [
        ("", AtCalm()),
        (", restart: 300ms", AfterInjected(ms=300)),
        (", restart: {before_checkout: 4}", BeforeCheckout(checkout=4)),
        (", restart: calm", AtCalm()),
    ],
)
def test_a_kill_ends_with_its_restart(tmp_path: Path, restart: str, end: Moment) -> None:
    found = rule(
        tmp_path,
        "{name: crash, process: payment, do: kill, at: {event: gateway.captured, checkout: 3}, "
        f"ahead_of: payment.charge_succeeded, note: why{restart}}}",
    )
    expected = FaultRule(
        name="crash",
        kind=ProcessFault(processes=("payment",), do="kill"),
        begin=OnEvent(event="gateway.captured", checkout=3),
        end=end,
        ahead_of="payment.charge_succeeded",
        note="why",
    )
    assert expected == found


def test_a_pause_ends_after_its_time(tmp_path: Path) -> None:
    found = rule(
        tmp_path,
        "{name: nap, process: payment, instance: 2, do: pause, at: 1s, for: 2s}",
        stack="stack: {replicas: {payment: 2}}",
    )
    assert ProcessFault(processes=("payment",), do="pause", instance=2) == found.kind
    assert AfterInjected(ms=2_000) == found.end


def test_a_control_says_its_figures_under_the_gateway_s_names(tmp_path: Path) -> None:
    found = rule(
        tmp_path,
        "{name: slow, gateway: slow_execution, operation: charge, checkout: 3, nth: 2, times: 4, "
        "delay: 100ms..700ms}",
    )
    kind = GatewayFault(
        control="slow_execution",
        operation="charge",
        checkout=3,
        nth=2,
        times=4,
        parameters={"ms": 100},
    )
    assert kind == found.kind
    assert {"ms": Drawn(low_ms=100, high_ms=700)} == dict(found.drawn)


def test_a_control_with_one_operation_needs_none_named(tmp_path: Path) -> None:
    kind = rule(tmp_path, "{name: a, gateway: refund_fails_later, delay: 300ms}").kind
    assert isinstance(kind, GatewayFault)
    assert kind.operation == "refund"


def test_overrides_are_unscaled_durations_of_the_file(tmp_path: Path) -> None:
    scenario = loaded(
        tmp_path,
        "stack: {time_scale: 0.5, settings: {order: {payment_try: 200ms, payment_tries: 1}}}\n",
    )
    # A service multiplies what it is given by the scale: 400 makes the 200ms that were asked for.
    expected = {"order": {"payment_try_ms": "400", "payment_tries": "1"}}
    assert expected == {name: dict(given) for name, given in scenario.stack.settings.items()}


def test_shoppers_differ_where_they_are_told_to(tmp_path: Path) -> None:
    scenario = loaded(
        tmp_path,
        """\
        load: {checkouts: 6, card: [pm_card_visa, pm_card_mastercard]}
        shoppers:
          - {checkouts: [1, 3..4], card: pm_card_amex, patience: 1s, do: {walk_away: {after: 2s}}}
          - {checkouts: 2, do: {retry: {times: 2, key: new}}}
          - {checkouts: 5, do: {submit_twice: {card: pm_card_amex}}}
          - {checkouts: 6, do: {cancel: {at: {event: order.created, checkout: 6}}}}
        """,
    )
    assert (
        ShopperRule(
            checkouts=(1, 3, 4),
            card="pm_card_amex",
            patience_ms=1_000,
            behaviour=WalkAway(after_ms=2_000),
        ),
        ShopperRule(checkouts=(2,), behaviour=Retry(times=2, wait_ms=150, key="new")),
        ShopperRule(checkouts=(5,), behaviour=SubmitTwice(gap_ms=30, card="pm_card_amex")),
        ShopperRule(
            checkouts=(6,), behaviour=CancelAt(at=OnEvent(event="order.created", checkout=6))
        ),
    ) == scenario.shoppers
    assert scenario.load.cards == ("pm_card_visa", "pm_card_mastercard")


def test_all_checkouts_are_as_many_as_the_load_has(tmp_path: Path) -> None:
    scenario = loaded(
        tmp_path, "load: {checkouts: 3}\nshoppers: [{checkouts: all, patience: 1s}]\n"
    )
    assert scenario.shoppers[0].checkouts == (1, 2, 3)


def test_money_is_minor_units(tmp_path: Path) -> None:
    scenario = loaded(tmp_path, 'load: {cart: [{product: sticker, quantity: 3, price: "0.07"}]}\n')
    assert (Line(product="sticker", quantity=3, price_minor=7),) == scenario.load.cart


@pytest.mark.parametrize(
    ("load", "expected"),
    [
        ("{concurrency: 4}", Load(checkouts=8, concurrency=4)),
        ("{rate: 40/s}", Load(checkouts=8, concurrency=None, rate_per_s=40.0)),
        ("{at: [0s, 1200ms]}", Load(checkouts=2, concurrency=None, at_ms=(0, 1_200))),
    ],
)
def test_a_load_is_closed_open_or_listed(tmp_path: Path, load: str, expected: Load) -> None:
    assert expected == loaded(tmp_path, f"load: {load}\n").load


@pytest.mark.parametrize(
    ("judge", "claims"),
    [
        ("{}", CORE),
        ("{invariants: extended}", CORE + EXTENDED),
        ("{invariants: [every_order_ends]}", ("every_order_ends",)),
        ("{also: answers_in_time}", (*CORE, "answers_in_time")),
        ("{except: [every_order_ends]}", CORE[1:]),
    ],
)
def test_judged_are_the_core_claims_unless_said_otherwise(
    tmp_path: Path, judge: str, claims: tuple[str, ...]
) -> None:
    assert claims == loaded(tmp_path, f"judge: {judge}\n").invariants


def test_an_expectation_may_be_a_word_or_the_whole_of_it(tmp_path: Path) -> None:
    text = HEAD.replace(
        "{naive: valid}",
        "{hardened: valid, naive: {verdict: invalid, trips: [every_order_ends], "
        "may_trip: [replies_are_true], confirmed: 4..5, sees: [gateway.replayed]}}",
    )
    whole = Expectation(
        verdict="invalid",
        trips=("every_order_ends",),
        may_trip=("replies_are_true",),
        confirmed=(4, 5),
        sees=("gateway.replayed",),
    )
    scenario = load_scenario(written(tmp_path, text), links=LINKS)
    assert {"hardened": Expectation(verdict="valid"), "naive": whole} == dict(scenario.expect)


def test_words_that_yaml_1_1_would_turn_into_truth_stay_words(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD.replace("One sentence.", "no"))
    assert load_scenario(path, links=LINKS).why == "no"
