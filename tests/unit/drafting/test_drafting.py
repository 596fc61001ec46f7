"""A recorded session becomes a scenario that `validate` accepts, moments named by their cause."""

from pathlib import Path
from typing import Any

import pytest

from checkout_sim.drafting.draft import Choices, Made, Outcome, drafted
from checkout_sim.model.fault import GatewayFault, LinkFault, ProcessFault
from checkout_sim.model.scenario import (
    AfterInjected,
    AtCalm,
    AtTime,
    BeforeCheckout,
    CancelAt,
    OnEvent,
    Retry,
    Scenario,
    SubmitTwice,
    WalkAway,
)
from checkout_sim.model.verdict import Violation
from checkout_sim.scenario_files.links import link_names
from checkout_sim.scenario_files.load import load_scenario
from checkout_sim.scenario_files.shipped import links_path
from tests.unit.drafting.sessions import CAP, MUG, Session

MONEY_LOST = Outcome(
    status="invalid",
    violations=(
        Violation(
            invariant="unconfirmed_means_not_paid", order_id="ord_2", checkout=2, detail="paid"
        ),
    ),
)


def choices(**chosen: Any) -> Choices:
    return Choices(name="found", **chosen)


def made(session: Session, outcome: Outcome | None = None, **chosen: Any) -> Made:
    return drafted(session.seen, choices(**chosen), outcome or Outcome(status="valid"))


@pytest.fixture
def scenario_of(tmp_path: Path) -> Any:
    """Return what validates a draft's text, as `checkout-sim validate` does."""

    def validated(draft: Made) -> Scenario:
        path = tmp_path / "found.yaml"
        path.write_text(draft.text)
        return load_scenario(path, links=link_names(links_path()))

    return validated


def lost_reply() -> Session:
    """Two checkouts; the reply to the second's charge is swallowed, armed beforehand."""
    return (
        Session()
        .buys(1, 100, 140)
        .injects("lost", 5000)
        .buys(2, 9000, 9900)
        .lifts("lost", 30_000)
        .calms(31_000)
    )


def test_a_fault_armed_between_checkouts_begins_before_the_next(scenario_of: Any) -> None:
    scenario = scenario_of(made(lost_reply(), MONEY_LOST))

    [fault] = scenario.faults
    assert fault.begin == BeforeCheckout(checkout=2)
    assert isinstance(fault.end, AtCalm), "nothing came after it was lifted: calm does that"
    assert isinstance(fault.kind, LinkFault)
    assert fault.kind.links == ("payment_to_gateway",)
    assert fault.kind.toxics[0].attributes["timeout"] == 0
    assert scenario.load.checkouts == 2
    assert scenario.expect["naive"].trips == ("unconfirmed_means_not_paid",)


def test_a_session_on_postgres_becomes_a_scenario_on_postgres(scenario_of: Any) -> None:
    session = (
        Session("hardened", database="postgres")
        .injects("cut", 100, target="order_to_database")
        .buys(1, 200, 900)
        .calms(1000)
    )

    scenario = scenario_of(made(session))

    assert scenario.stack.database == "postgres"
    assert scenario.faults[0].kind.links == ("order_to_database",)


def test_a_fault_armed_upon_an_event_begins_on_it_and_as_much_later(scenario_of: Any) -> None:
    session = (
        Session()
        .shopper(1, 100)
        .add(120, "gateway.captured", checkout=1)
        .add(121, "call.ended", checkout=1)
        .injects("lost", 352)
        .ends(1, 900)
        .lifts("lost", 1100)
        .buys(2, 2000, 2100)
        .calms(3000)
    )
    [fault] = scenario_of(made(session)).faults

    assert fault.begin == OnEvent(event="gateway.captured", checkout=1, then_ms=230)
    assert fault.end == BeforeCheckout(checkout=2)


def test_a_fault_that_waited_for_its_event_begins_on_that_event_at_once(scenario_of: Any) -> None:
    session = (
        Session()
        .asks(
            10,
            "Inject",
            name="lost",
            kind={"is": "LinkFault"},
            window={"is": "OnNextEvent", "event": "payment.charge_requested"},
        )
        .shopper(1, 100)
        .add(110, "payment.charge_requested", checkout=1)
        .add(111, "gateway.captured", checkout=1)
        .injects("lost", 118)
        .ends(1, 900)
        .calms(3000)
    )
    draft = made(session)

    [fault] = scenario_of(draft).faults
    assert fault.begin == OnEvent(event="payment.charge_requested", checkout=1)


def test_without_a_cause_the_clock_says_when(scenario_of: Any) -> None:
    session = (
        Session()
        .shopper(1, 1000)
        .add(1010, "order.created", checkout=1)
        .injects("lost", 2500)
        .lifts("lost", 3500)
        .ends(1, 5000)
        .buys(2, 5100, 5200)
        .calms(9000)
    )
    draft = made(session, moments={"lost": 1})

    scenario = scenario_of(draft)
    [fault] = scenario.faults
    assert fault.begin == AtTime(ms=1500), "counted from the first checkout"
    assert fault.end == AtTime(ms=2500)
    assert scenario.load.at_ms == (0, 4100), "what is timed needs checkouts on time"


def test_the_moments_of_a_fault_can_be_cycled_through() -> None:
    plain = made(lost_reply())
    [fault] = [item for item in plain.items if item.id == "lost"]
    turned = made(lost_reply(), moments={"lost": 1})
    [other] = [item for item in turned.items if item.id == "lost"]

    assert len(fault.moments) > 1
    assert other.moments == (*fault.moments[1:], fault.moments[0])
    assert other.begins == fault.moments[1]


def test_idle_time_is_left_out_unless_the_rhythm_is_wanted(scenario_of: Any) -> None:
    tight = scenario_of(made(lost_reply()))
    loose = scenario_of(made(lost_reply(), trim_idle=False))

    assert tight.load.at_ms is None, "one after another says it all"
    assert loose.load.at_ms == (0, 8900)


def test_checkouts_that_overlap_keep_their_times(scenario_of: Any) -> None:
    session = Session().shopper(1, 100).shopper(2, 250).ends(1, 300).ends(2, 500).calms(900)

    assert scenario_of(made(session)).load.at_ms == (0, 150)


def test_what_most_checkouts_share_is_the_loads_and_the_rest_their_own(scenario_of: Any) -> None:
    session = (
        Session()
        .buys(1, 100, 110)
        .buys(2, 200, 210, cart=[MUG, CAP], patience_ms=900)
        .buys(3, 300, 310)
        .buys(4, 400, 410, card="pm_card_chargeDeclined")
        .calms(900)
    )
    scenario = scenario_of(made(session))

    assert scenario.load.cards == ("pm_card_visa",)
    assert [rule.checkouts for rule in scenario.shoppers] == [(2,), (4,)]
    assert scenario.shoppers[0].patience_ms == 900
    assert [line.price_minor for line in scenario.shoppers[0].cart or ()] == [1250, 2900]
    assert scenario.shoppers[1].card == "pm_card_chargeDeclined"


@pytest.mark.parametrize(
    ("behaviour", "drafted_as"),
    [
        ({"is": "Retry", "times": 2, "wait_ms": 70, "key": "new"}, Retry),
        ({"is": "SubmitTwice", "gap_ms": 30, "key": "same", "card": None}, SubmitTwice),
        ({"is": "WalkAway", "after_ms": 40}, WalkAway),
        ({"is": "CancelAt", "at": {"is": "OnEvent", "event": "order.created"}}, CancelAt),
    ],
)
def test_what_a_shopper_did_otherwise_is_kept(
    behaviour: dict[str, Any], drafted_as: type, scenario_of: Any
) -> None:
    session = Session().buys(1, 100, 110).buys(2, 200, 300, behaviour=behaviour).calms(900)

    [rule] = scenario_of(made(session)).shoppers
    assert rule.checkouts == (2,)
    assert isinstance(rule.behaviour, drafted_as)


def test_kills_and_pauses_are_deeds_that_end_as_they_ended(scenario_of: Any) -> None:
    died: dict[str, Any] = {"type": "kill", "target": "payment", "toxics": None, "instance": 1}
    slept: dict[str, Any] = {"type": "pause", "target": "order", "toxics": None, "instance": 1}
    session = (
        Session()
        .shopper(1, 100)
        .add(110, "payment.recorded", checkout=1)
        .injects("kill_payment", 130, **died)
        .ends(1, 300)
        .lifts("kill_payment", 400)
        .shopper(2, 1000)
        .injects("pause_order", 1010, **slept)
        .lifts("pause_order", 1210)
        .ends(2, 1400)
        .calms(2000)
    )
    kill, pause = scenario_of(made(session)).faults

    assert isinstance(kill.kind, ProcessFault)
    assert kill.kind.do == "kill"
    assert kill.begin == OnEvent(event="payment.recorded", checkout=1, then_ms=20)
    assert kill.end == BeforeCheckout(checkout=2)
    assert pause.end == AfterInjected(ms=200)


def test_a_control_of_the_gateway_is_written_as_it_was_asked_for(scenario_of: Any) -> None:
    kind = {
        "is": "GatewayFault",
        "control": "delay_after_commit",
        "operation": "charge",
        "nth": 2,
        "times": 1,
        "parameters": {"ms": 300},
    }
    session = (
        Session()
        .asks(50, "Inject", name="late", kind=kind, window={"is": "UntilLifted"})
        .add(
            60,
            "fault.injected",
            fault="late",
            window=1,
            target=kind["control"],
            type=kind["control"],
        )
        .buys(1, 100, 500)
        .calms(900)
    )
    [fault] = scenario_of(made(session)).faults

    assert isinstance(fault.kind, GatewayFault)
    assert (fault.kind.control, fault.kind.nth) == ("delay_after_commit", 2)
    assert fault.kind.parameters == {"ms": 300}


def test_a_fault_for_a_time_keeps_that_time(scenario_of: Any) -> None:
    session = (
        Session()
        .asks(
            40, "Inject", name="lost", kind={"is": "LinkFault"}, window={"is": "ForTime", "ms": 700}
        )
        .injects("lost", 50)
        .buys(1, 100, 500)
        .lifts("lost", 760)
        .calms(900)
    )
    [fault] = scenario_of(made(session)).faults

    assert fault.end == AfterInjected(ms=700)


def test_only_the_marked_stretch_is_drafted_with_the_faults_it_began_with(
    scenario_of: Any,
) -> None:
    session = (
        Session()
        .buys(1, 100, 110)
        .injects("early", 150)
        .injects("gone", 160)
        .lifts("gone", 170)
        .marks(200, "begin")
        .buys(2, 300, 310)
        .marks(400, "end")
        .buys(3, 500, 510)
        .calms(900)
    )
    draft = made(session, MONEY_LOST)

    scenario = scenario_of(draft)
    assert scenario.load.checkouts == 1
    assert [fault.name for fault in scenario.faults] == ["early"]
    assert scenario.expect["naive"].verdict == "invalid", "checkout 2 is in the stretch"


def test_what_went_wrong_outside_the_stretch_is_not_expected_of_it(scenario_of: Any) -> None:
    session = (
        Session()
        .marks(50, "begin")
        .buys(1, 100, 110)
        .marks(200, "end")
        .buys(2, 300, 310)
        .calms(900)
    )

    assert scenario_of(made(session, MONEY_LOST)).expect["naive"].verdict == "valid"


def test_parts_can_be_left_out_and_the_rest_is_numbered_anew(scenario_of: Any) -> None:
    draft = made(lost_reply(), MONEY_LOST, drop=frozenset({"checkout_1"}))

    scenario = scenario_of(draft)
    assert scenario.load.checkouts == 1
    assert scenario.faults[0].begin == BeforeCheckout(checkout=1)
    assert [item.id for item in draft.items if not item.kept] == ["checkout_1"]


def test_a_fault_nobody_could_notice_is_left_out_and_that_is_said(scenario_of: Any) -> None:
    session = (
        Session()
        .buys(1, 100, 110)
        .injects("idle", 500)
        .lifts("idle", 600)
        .buys(2, 700, 710)
        .calms(900)
    )
    draft = made(session)

    assert scenario_of(draft).faults == ()
    [item] = [item for item in draft.items if item.id == "idle"]
    assert not item.kept
    assert "under way" in item.why_dropped


def test_a_fault_adjusted_is_two_faults(scenario_of: Any) -> None:
    session = (
        Session()
        .injects("lost", 50)
        .buys(1, 100, 110)
        .lifts("lost", 200)
        .injects("lost", 210, window=2)
        .buys(2, 300, 310)
        .calms(900)
    )

    assert [fault.name for fault in scenario_of(made(session)).faults] == ["lost", "lost_2"]


def test_a_patience_beyond_the_usual_gives_settling_the_time_it_needs(scenario_of: Any) -> None:
    session = Session().buys(1, 100, 110, patience_ms=60_000).calms(900)

    assert scenario_of(made(session)).settle.within_ms >= 62_000


def test_notes_are_kept_as_comments_whatever_is_in_them(scenario_of: Any) -> None:
    session = Session().buys(1, 100, 110)
    session.add(120, "operator.noted", text='paid: "twice"\nfaults: []', mark="none").calms(900)

    draft = made(session)
    assert scenario_of(draft).faults == ()
    assert "# noted: paid" in draft.text


def test_of_a_session_in_which_nobody_bought_there_is_no_text() -> None:
    assert made(Session().calms(900)).text == ""
