"""A scenario and a seed make one plan, whoever asks and however often."""

from dataclasses import replace
from typing import Literal

import pytest

from checkout_sim.model.fault import GatewayFault, LinkFault, ProcessFault
from checkout_sim.model.plan import Checkout, DeclaredFault, Inject, InTurn, Lift, Shopper, Step
from checkout_sim.model.scenario import (
    AfterInjected,
    AtCalm,
    AtTime,
    BeforeCheckout,
    Behaviour,
    Drawn,
    FaultRule,
    Line,
    Load,
    OnEvent,
    PostOnce,
    Retry,
    Settle,
    ShopperRule,
    StackSpec,
    SubmitTwice,
)
from checkout_sim.planning.expand import expand
from checkout_sim.planning.windows import HORIZON_MS, MOST_WINDOWS
from tests.unit.planning.scenarios import injections, lifts, scenario, weather

DOWN = LinkFault(links=("payment_to_gateway",), down=True)


def shoppers(*, seed: int = 1, **told: object) -> list[Shopper]:
    plan = expand(scenario(**told), seed=seed)  # type: ignore[arg-type] # passed on as it came
    return [step.action.shopper for step in plan.steps if isinstance(step.action, Checkout)]


# ---- shoppers ------------------------------------------------------------------------------------


def test_shoppers_come_in_order_each_as_a_user_of_their_own() -> None:
    assert [(shopper.checkout, shopper.user) for shopper in shoppers()] == [
        (1, "shopper-1"),
        (2, "shopper-2"),
        (3, "shopper-3"),
    ]


def test_cards_are_cycled_and_a_rule_s_card_wins() -> None:
    found = shoppers(
        load=Load(checkouts=5, cards=("visa", "amex")),
        shoppers=[ShopperRule(checkouts=(4,), card="mastercard")],
    )
    assert [shopper.card for shopper in found] == ["visa", "amex", "visa", "mastercard", "visa"]


def test_a_rule_changes_cart_patience_and_behaviour_of_its_checkouts_only() -> None:
    cart = (Line(product="hat", quantity=2, price_minor=700),)
    twice = SubmitTwice(gap_ms=10)
    rule = ShopperRule(checkouts=(2,), cart=cart, patience_ms=900, behaviour=twice)
    first, second, _ = shoppers(shoppers=[rule])
    assert (Load().cart, 6_000, PostOnce()) == (first.cart, first.patience_ms, first.behaviour)
    assert (cart, 900, twice) == (second.cart, second.patience_ms, second.behaviour)


def test_patience_scales_unless_the_file_says_it() -> None:
    stack = StackSpec(time_scale=0.5)
    rule = ShopperRule(checkouts=(2,), patience_ms=900)
    assert [shopper.patience_ms for shopper in shoppers(stack=stack, shoppers=[rule])] == [
        3_000,
        900,
        3_000,
    ]


@pytest.mark.parametrize(
    ("behaviour", "attempts", "keys"),
    [
        (PostOnce(), 1, 1),
        (Retry(times=2, key="same"), 3, 1),
        (Retry(times=2, key="new"), 3, 3),
        (SubmitTwice(key="same"), 2, 1),
        (SubmitTwice(key="new"), 2, 2),
    ],
)
def test_there_is_a_key_for_each_attempt(behaviour: Behaviour, attempts: int, keys: int) -> None:
    found = shoppers(shoppers=[ShopperRule(checkouts=(2,), behaviour=behaviour)])[1].keys
    assert (attempts, keys) == (len(found), len(set(found)))


def test_keys_are_of_seed_scenario_and_checkout() -> None:
    once, again, other = shoppers(), shoppers(), shoppers(seed=2)
    assert [shopper.keys for shopper in once] == [shopper.keys for shopper in again]
    assert len({shopper.keys for shopper in (*once, *other)}) == 6


def test_a_rate_spaces_the_starts() -> None:
    load = Load(checkouts=3, concurrency=None, rate_per_s=40)
    plan = expand(scenario(load=load), seed=1)
    assert [AtTime(ms=0), AtTime(ms=25), AtTime(ms=50)] == [step.when for step in plan.steps]
    assert plan.concurrency is None


def test_start_times_are_kept() -> None:
    load = Load(checkouts=2, concurrency=None, at_ms=(0, 1_200))
    assert [AtTime(ms=0), AtTime(ms=1_200)] == [
        step.when for step in expand(scenario(load=load), seed=1).steps
    ]


def test_proof_shoppers_are_plain_and_numbered_on() -> None:
    plan = expand(
        scenario(
            load=Load(checkouts=3, cards=("pm_card_chargeDeclined",)),
            shoppers=[ShopperRule(checkouts=(1, 2, 3), behaviour=Retry(times=3))],
            settle=Settle(proof_checkouts=2),
        ),
        seed=1,
    )
    assert [(4, "pm_card_visa", PostOnce()), (5, "pm_card_visa", PostOnce())] == [
        (shopper.checkout, shopper.card, shopper.behaviour) for shopper in plan.proof
    ]


# ---- faults --------------------------------------------------------------------------------------


def test_a_window_is_an_injection_and_a_lift_ahead_of_all_checkouts() -> None:
    rule = FaultRule(
        name="cut", kind=DOWN, begin=BeforeCheckout(checkout=2), end=BeforeCheckout(checkout=3)
    )
    steps = expand(scenario(faults=[rule]), seed=1).steps
    assert (
        Step(
            number=1,
            when=BeforeCheckout(checkout=2),
            action=Inject(fault="cut", window=1, kind=DOWN),
        ),
        Step(number=2, when=BeforeCheckout(checkout=3), action=Lift(fault="cut", window=1)),
    ) == steps[:2]
    assert [(3, InTurn()), (4, InTurn()), (5, InTurn())] == [
        (step.number, step.when) for step in steps[2:]
    ]


@pytest.mark.parametrize(
    ("do", "lifted"),
    [("kill", [AfterInjected(ms=300)]), ("pause", [AfterInjected(ms=300)]), ("restart", [])],
)
def test_a_process_is_started_or_resumed_by_its_lift_unless_it_restarts_itself(
    do: Literal["kill", "pause", "restart"], lifted: list[object]
) -> None:
    rule = FaultRule(
        name="crash",
        kind=ProcessFault(processes=("payment",), do=do),
        begin=OnEvent(event="gateway.captured"),
        end=AfterInjected(ms=300),
    )
    plan = expand(scenario(faults=[rule]), seed=1)
    assert lifted == [when for when, _ in lifts(plan)]


def test_repetitions_fill_a_bounded_horizon() -> None:
    begins = [when for when, _ in injections(expand(scenario(faults=[weather()]), seed=1))]
    assert [AtTime(ms=0), AtTime(ms=300), AtTime(ms=600)] == begins[:3]
    assert AtTime(ms=HORIZON_MS) == begins[-1]


def test_repetitions_are_never_more_than_the_most() -> None:
    plan = expand(scenario(faults=[weather(every_ms=1)]), seed=1)
    assert MOST_WINDOWS == len(injections(plan)) == plan.faults[0].windows


def test_repetitions_of_an_event_come_ever_later_after_it() -> None:
    begin = OnEvent(event="order.created", nth=2, then_ms=10)
    begins = [
        when for when, _ in injections(expand(scenario(faults=[weather(begin=begin)]), seed=1))
    ]
    assert [begin, replace(begin, then_ms=310)] == begins[:2]


def test_chance_strikes_about_as_often_as_it_says_and_windows_are_counted_on() -> None:
    plan = expand(scenario(faults=[weather(chance=0.3)]), seed=1)
    struck = [action.window for _, action in injections(plan)]
    assert list(range(1, len(struck) + 1)) == struck
    # 201 slots at 30 %: 60 ± 4 standard deviations of 6.5.
    assert 34 <= len(struck) <= 86
    assert len(struck) + len(plan.draws["weather.spared"].split()) == 201


def test_a_drawn_figure_is_drawn_once_per_injection_and_written_down() -> None:
    rule = weather(drawn={"latency": Drawn(low_ms=50, high_ms=200)})
    plan = expand(scenario(faults=[rule]), seed=1)
    figures = []
    for _, action in injections(plan):
        assert isinstance(action.kind, LinkFault)
        (figure,) = {toxic.attributes["latency"] for toxic in action.kind.toxics}
        assert f"{figure}ms" == plan.draws[f"weather#{action.window}.latency"]
        figures.append(figure)
    assert 50 <= min(figures) < max(figures) <= 200
    assert min(figures) == plan.faults[0].least_delay_ms


def test_both_ends_of_a_range_can_be_drawn() -> None:
    rule = weather(drawn={"latency": Drawn(low_ms=7, high_ms=9)})
    drawn = expand(scenario(faults=[rule]), seed=1).draws.values()
    assert {"7ms", "8ms", "9ms"} == set(drawn)


def test_a_control_s_figure_is_drawn_as_well() -> None:
    rule = FaultRule(
        name="slow",
        kind=GatewayFault(control="slow_execution", operation="charge", parameters={"ms": 100}),
        begin=AtTime(ms=0),
        end=AtCalm(),
        drawn={"ms": Drawn(low_ms=700, high_ms=700)},
    )
    ((_, action),) = injections(expand(scenario(faults=[rule]), seed=1))
    assert isinstance(action.kind, GatewayFault)
    assert dict(action.kind.parameters) == {"ms": 700}


def test_another_fault_changes_no_draw_of_this_one() -> None:
    rule = weather(chance=0.3, drawn={"latency": Drawn(low_ms=50, high_ms=200)})
    other = replace(rule, name="storm")
    alone = expand(scenario(faults=[rule]), seed=1).draws
    both = expand(scenario(faults=[other, rule]), seed=1).draws
    assert dict(alone) == {name: drawn for name, drawn in both.items() if "weather" in name}


def test_another_seed_draws_otherwise() -> None:
    story = scenario(faults=[weather(chance=0.3)])
    assert expand(story, seed=1).draws != expand(story, seed=2).draws


def test_the_judge_is_told_what_was_declared() -> None:
    rule = replace(weather(every_ms=None), ahead_of="order.confirmed", optional=True, note="why")
    assert (
        DeclaredFault(
            name="weather",
            type="latency",
            links=("order_to_payment",),
            streams=("upstream", "downstream"),
            least_delay_ms=50,
            optional=True,
            ahead_of="order.confirmed",
            windows=1,
            note="why",
        ),
    ) == expand(scenario(faults=[rule]), seed=1).faults


@pytest.mark.parametrize(
    ("settle", "stalled_for_ms"), [(Settle(), 3_000), (Settle(stalled_for_ms=70), 70)]
)
def test_waiting_stops_when_nothing_was_seen_for_longer_than_any_timer(
    settle: Settle, stalled_for_ms: int
) -> None:
    plan = expand(scenario(settle=settle, stack=StackSpec(time_scale=0.5)), seed=1)
    assert stalled_for_ms == plan.settle.stalled_for_ms


def test_equal_arguments_give_equal_plans() -> None:
    story = scenario(faults=[weather(chance=0.3)])
    assert expand(story, seed=3) == expand(story, seed=3)
