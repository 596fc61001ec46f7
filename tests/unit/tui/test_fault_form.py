"""Editing a fault: figures with units, ways, steps, windows, budgets and gateway controls."""

import pytest

from checkout_sim.board.places import LINK_OF_LABEL
from checkout_sim.board.presets import PRESET_OF_LETTER, PRESETS, link_fault
from checkout_sim.model.command import ForTime, OnNextEvent, UntilEvent, UntilLifted, Window
from checkout_sim.model.fault import GatewayFault, LinkFault
from checkout_sim.model.wire import CONTROLS
from checkout_sim.scenario_files.units import NotAValue
from checkout_sim.tui.forms import control, window
from checkout_sim.tui.forms import link_fault as form
from checkout_sim.tui.forms.budgets import Budget, Budgets

SIX = LINK_OF_LABEL["6"]


def fault(letter: str) -> LinkFault:
    return link_fault(PRESET_OF_LETTER[letter], SIX)


def attributes(of: LinkFault) -> dict[str, int]:
    return dict(of.toxics[0].attributes)


@pytest.mark.parametrize(("typed", "ms"), [("2s", 2000), ("750", 750), (" 1.5s ", 1500)])
def test_a_figure_is_typed_with_or_without_its_unit(typed: str, ms: int) -> None:
    assert attributes(form.edited(fault("s"), {"latency": typed}))["latency"] == ms


@pytest.mark.parametrize("letter", [preset.letter for preset in PRESETS])
def test_a_fault_typed_as_it_is_shown_stays_the_same(letter: str) -> None:
    before = fault(letter)
    typed = {figure.attribute: form.shown(figure, before) for figure in form.figures_of(before)}

    assert form.edited(before, typed) == before


@pytest.mark.parametrize(
    ("letter", "typed", "told"),
    [
        ("s", {"latency": "soon"}, "latency: .* is not a duration"),
        ("x", {"timeout": "2s"}, "reset after: 2s is above 1000ms"),
        ("b", {"average_size": "0B"}, "pieces of: 0B is below 1B"),
        ("b", {"average_size": "20B", "size_variation": "20B"}, "must be below the pieces' 20B"),
    ],
)
def test_a_figure_that_would_harm_the_proxy_server_is_refused(
    letter: str, typed: dict[str, str], told: str
) -> None:
    with pytest.raises(NotAValue, match=told):
        form.edited(fault(letter), typed)


def test_a_turned_fault_strikes_the_other_way_and_is_named_for_it() -> None:
    turned = form.turned(fault("r"), "upstream")

    assert form.way_of(turned) == "upstream"
    assert turned.toxics[0].name == "reply_lost_6_upstream"
    assert form.turned(turned, "downstream") == fault("r")


def test_a_link_that_is_down_has_neither_way_nor_figures() -> None:
    down = fault("d")

    assert form.way_of(down) is None
    assert form.figures_of(down) == ()
    assert form.turned(down, "upstream") == down
    assert form.stepped(down, 1) == down


@pytest.mark.parametrize(
    ("letter", "attribute", "stronger"),
    [("s", "latency", 625), ("b", "delay", 25_000), ("o", "bytes", 48)],
)
def test_a_step_is_a_quarter_in_the_direction_that_hurts_more(
    letter: str, attribute: str, stronger: int
) -> None:
    stepped = form.stepped(fault(letter), 1, attribute=attribute)

    assert attributes(stepped)[attribute] == stronger


def test_steps_never_pass_nought_and_leave_a_special_nought_alone() -> None:
    assert attributes(form.stepped(fault("s"), -99))["latency"] == 0
    assert form.stepped(fault("r"), 1) == fault("r")
    assert form.stepped(fault("z"), -1) == fault("z")


def test_a_latency_beyond_one_try_is_pointed_out() -> None:
    slow = form.edited(fault("s"), {"latency": "2s"})

    told = form.beyond(slow, Budgets().on("payment_to_gateway"))

    assert told == (
        "2000 ms is beyond the 800 ms a try may take on this link: every call would end unknown"
    )


def test_a_latency_within_the_budget_is_not() -> None:
    assert form.beyond(fault("s"), Budget(try_ms=800, total_ms=2600)) == ""
    assert form.beyond(fault("r"), Budget(try_ms=800, total_ms=2600)) == ""
    assert form.beyond(fault("s"), None) == ""


def test_budgets_follow_the_time_scale_of_the_run_and_its_overrides() -> None:
    run = Budgets(time_scale=0.5, settings={"order": {"payment_try_ms": "200"}})

    assert run.on("payment_to_gateway") == Budget(try_ms=400, total_ms=1300)
    assert run.on("order_to_payment") == Budget(try_ms=200, total_ms=1750)
    assert run.on("shopper_to_order") == Budget(try_ms=3000, total_ms=3000)
    assert run.on("payment_to_database") is None


@pytest.mark.parametrize(
    ("kind", "typed", "made", "said"),
    [
        ("until_lifted", "", UntilLifted(), "until lifted"),
        ("for_time", "2s", ForTime(ms=2000), "for 2s"),
        ("until_event", "client.ended", UntilEvent(event="client.ended"), "until client.ended"),
        (
            "on_event",
            "",
            OnNextEvent(event="payment.charge_requested"),
            "armed by payment.charge_requested; the link is held until then",
        ),
    ],
)
def test_a_window_is_picked_by_kind_and_said_in_words(
    kind: window.WindowKind, typed: str, made: Window, said: str
) -> None:
    assert window.window_of(kind, typed) == made
    assert window.said_window(made) == said
    assert window.window_of(window.kind_of(made), window.detail_of(made)) == made


@pytest.mark.parametrize(
    ("kind", "typed", "told"),
    [("for_time", "0", "strikes nothing"), ("until_event", "client.end", "did you mean")],
)
def test_a_window_that_cannot_be_is_refused(kind: window.WindowKind, typed: str, told: str) -> None:
    with pytest.raises(NotAValue, match=told):
        window.window_of(kind, typed)


@pytest.mark.parametrize("name", CONTROLS)
def test_every_control_of_the_gateway_can_be_armed_as_the_menu_offers_it(name: str) -> None:
    made = control.control_fault(name, control.usual(name))

    assert made.control == name
    assert made.operation in CONTROLS[name].operations
    assert set(made.parameters) <= set(CONTROLS[name].parameters)
    assert control.WHAT_IT_DOES[name]


def test_a_control_takes_operation_match_times_and_figures() -> None:
    typed = {"operation": "refund", "nth": "2", "times": "3", "ms": "1.5s"}

    made = control.control_fault("slow_execution", typed)

    assert made == GatewayFault(
        control="slow_execution", operation="refund", nth=2, times=3, parameters={"ms": 1500}
    )
    assert control.said_control(made) == "slow_execution 1.5s on refund, match 2, 3 times"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"operation": "retrieve", "ms": "1s"}, "write create or confirm"),
        ({"operation": "charge", "ms": ""}, "needs to know how long"),
        ({"operation": "charge", "ms": "1s", "nth": "0"}, "from 1 to 1000"),
    ],
)
def test_a_control_that_cannot_be_is_refused(typed: dict[str, str], told: str) -> None:
    with pytest.raises(NotAValue, match=told):
        control.control_fault("slow_execution", typed)
