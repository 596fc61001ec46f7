"""A live session, from the first checkout to a scenario that repeats what was found."""

from pathlib import Path

import pytest

from checkout_sim.model.answer import Draft, EngineState, Saved, Stretch
from checkout_sim.model.command import (
    Adjust,
    Buy,
    DraftScenario,
    Inject,
    Judge,
    Kill,
    LiftAll,
    LiftFault,
    OnNextEvent,
    Record,
    Redo,
    RunScenario,
    SaveScenario,
    Start,
    Undo,
)
from checkout_sim.model.fault import GatewayFault, LinkFault, PlacedToxic
from checkout_sim.scenario_files.links import link_names
from checkout_sim.scenario_files.load import load_scenario
from checkout_sim.scenario_files.shipped import links_path
from checkout_sim.simulation.judging import judge_run
from checkout_sim.stack.postgresql_program import is_installed
from tests.integration.engine.engine import CART, a_session, an_operator, buy, reply_lost


async def test_what_an_operator_finds_is_saved_and_found_again(here: Path) -> None:
    async with a_session(here, "--strategy", "naive", "--engine", "embedded") as (_, operator):
        await operator.do(Record(mark="begin"))
        await operator.do(buy(count=2))
        await operator.until_seen("client.ended", checkout=2)
        await operator.do(reply_lost())
        await operator.until_seen("fault.injected", fault="reply_lost_6")
        await operator.do(buy())
        so_far = await operator.convicted_so_far()
        await operator.do(LiftAll())
        await operator.until_seen("fault.lifted", fault="reply_lost_6")
        await operator.do(Record(mark="end"))
        await operator.do(Judge())
        verdict = await operator.verdict()
        await operator.until_phase("storm")

        await operator.do(DraftScenario(name="found"))
        draft = await operator.until_answer(Draft)
        await operator.do(SaveScenario(name="found", text=draft.text))
        saved = await operator.until_answer(Saved)
        await operator.do(RunScenario(path=saved.path, strategies=("naive",)))
        stretch = await operator.until(
            lambda item: isinstance(item, Stretch) and item.scenario == "found", "the scenario"
        )
        again = await operator.verdict()

    assert {one.checkout for one in so_far.violations} == {3}
    assert (so_far.ever, so_far.status) == (1, "invalid")
    assert verdict.status == "invalid"
    assert set(so_far.broken) <= set(verdict.broken)
    assert draft.problems == ()
    assert load_scenario(Path(saved.path), links=link_names(links_path())).name == "found"
    assert isinstance(stretch, Stretch)
    assert again.run_id == stretch.run_id
    assert (again.status, again.as_expected) == ("invalid", True)
    assert set(again.broken) == set(verdict.broken), "the same claims, by the file alone"


async def test_a_session_is_archived_like_any_run_with_what_was_asked(here: Path) -> None:
    async with a_session(here, "--strategy", "hardened", "--engine", "embedded") as (_, operator):
        await operator.do(buy(count=3, rate_per_s=20.0))
        for number in (1, 2, 3):
            await operator.until_seen("client.ended", checkout=number)
        await operator.do(Judge())
        verdict = await operator.verdict()
        [stretch] = [item for item in operator.heard if isinstance(item, Stretch)][:1]
    run = judge_run(Path(stretch.folder))

    assert (verdict.status, run.verdict.status) == ("valid", "valid")
    assert run.verdict.orders.confirmed == 3
    asked = [one for one in operator.observations if one.kind == "operator.asked"]
    assert [one.data["command"]["is"] for one in asked] == ["Buy"]
    assert asked[0].data["by"] == "operator"


async def test_undo_lifts_redo_arms_again_and_both_are_named(here: Path) -> None:
    async with a_session(here, "--engine", "embedded") as (_, operator):
        await operator.do(reply_lost())
        state = await operator.until(
            lambda item: isinstance(item, EngineState) and bool(item.undo), "something to undo"
        )
        await operator.do(Undo())
        await operator.until_seen("fault.lifted", fault="reply_lost_6")
        await operator.do(Redo())
        await operator.until_seen("fault.injected", fault="reply_lost_6")
        nothing = await operator.refusal(Redo())

    assert isinstance(state, EngineState)
    assert state.undo == "reply lost on payment_to_gateway"
    assert nothing.message == "there is nothing to do again"


async def test_an_adjusted_fault_keeps_its_name_and_has_other_figures(here: Path) -> None:
    def slow(ms: int) -> LinkFault:
        toxic = PlacedToxic(
            name="slow", type="latency", stream="downstream", attributes={"latency": ms}
        )
        return LinkFault(links=("payment_to_gateway",), toxics=(toxic,))

    async with a_session(here, "--engine", "embedded") as (_, operator):
        await operator.do(Inject(name="slow_6", kind=slow(100)))
        await operator.until_seen("fault.injected", fault="slow_6")
        await operator.do(Adjust(name="slow_6", kind=slow(300)))
        again = await operator.until_seen("fault.injected", fault="slow_6")
        await operator.do(LiftFault(name="slow_6"))
        await operator.until_seen("fault.lifted", fault="slow_6")

    assert again.data["window"] == 2
    assert again.data["toxics"][0]["attributes"]["latency"] == 300


async def test_a_fault_that_waits_for_an_event_strikes_the_call_that_caused_it(
    here: Path,
) -> None:
    # Time is stretched, so that the hold outlasts whatever a loaded machine does to the strike.
    stretched = ("--engine", "embedded", "--time-scale", "4")
    async with a_session(here, *stretched) as (_, operator):
        window = OnNextEvent(event="payment.charge_requested")
        await operator.do(reply_lost("aimed", window=window))
        await operator.until_seen("fault.injected", fault="aimed_hold")
        await operator.do(buy(patience_ms=24_000))
        await operator.until_seen("fault.injected", fault="aimed")
        captured = await operator.until_seen("gateway.captured")
        ended = await operator.until_seen("call.ended", order=captured.order, source="payment")

    assert ended.data["error"] == "timeout", "the reply was swallowed, the charge was not"


async def test_a_killed_process_stays_down_until_it_is_started(here: Path) -> None:
    async with a_session(here, "--engine", "embedded") as (_, operator):
        await operator.do(Kill(process="payment"))
        await operator.until_seen("process.killed")
        twice = await operator.refusal(Kill(process="payment"))
        await operator.do(Start(process="payment"))
        started = await operator.until_seen("process.started")
        await operator.do(buy())
        ended = await operator.until_seen("client.ended", checkout=1)

    assert twice.code == "invalid"
    assert started.data["process"] == "payment"
    assert ended.data["claim"] == "confirmed"


async def test_a_control_of_the_gateway_strikes_and_is_withdrawn(here: Path) -> None:
    async with a_session(here, "--engine", "embedded") as (_, operator):
        kind = GatewayFault(control="error_500_after_effect", operation="charge")
        await operator.do(Inject(name="half_done", kind=kind))
        await operator.until_seen("fault.injected", fault="half_done")
        await operator.do(buy())
        used = await operator.until_seen("gateway.fault_used")
        await operator.do(LiftAll())
        await operator.until_seen("fault.lifted", fault="half_done")

    assert used.data["label"] == "half_done"


async def test_what_cannot_be_done_is_refused_with_what_could(here: Path) -> None:
    async with a_session(here, "--strategy", "naive", "--engine", "embedded") as (_, operator):
        gateway = await operator.refusal(Kill(process="gateway"))
        toxic = PlacedToxic(name="x", type="latency", stream="upstream", attributes={"latency": 9})
        elsewhere = await operator.refusal(
            Inject(name="a", kind=LinkFault(links=("order_to_broker",), toxics=(toxic,)))
        )
        nowhere = await operator.refusal(
            Inject(name="b", kind=LinkFault(links=("nowhere",), toxics=(toxic,)))
        )
        unknown = await operator.refusal(LiftFault(name="never"))
        empty = await operator.refusal(Buy(lines=()))
        endless = await operator.refusal(Buy(lines=CART, count=0))
        await operator.do(buy())
        await operator.until_seen("client.ended", checkout=1)

    assert "evidence" in gateway.message
    assert (elsewhere.code, nowhere.code) == ("not_in_this_strategy", "unknown_target")
    assert "payment_to_gateway" in elsewhere.hint
    assert (unknown.code, empty.code, endless.code) == ("unknown_target", "invalid", "invalid")


async def test_two_operators_see_one_session_and_each_gets_its_own_answers(here: Path) -> None:
    async with (
        a_session(here, "--engine", "embedded") as (engine, one),
        an_operator(engine, by="second") as other,
    ):
        await other.until_phase("storm")
        await one.do(buy())
        await other.do(reply_lost())
        await one.until_seen("fault.injected", fault="reply_lost_6")
        await other.until_seen("fault.injected", fault="reply_lost_6")

    mine, theirs = one.observations, other.observations
    shared = min(len(mine), len(theirs))
    assert mine[:shared] == theirs[:shared]
    by = {seen.data["by"] for seen in mine if seen.kind == "operator.asked"}
    assert by == {"operator", "second"}


async def test_a_late_subscriber_gets_the_whole_session_from_its_beginning(here: Path) -> None:
    async with a_session(here, "--engine", "embedded") as (engine, operator):
        await operator.do(buy(count=3))
        last = await operator.until_seen("client.ended", checkout=3)
        async with an_operator(engine) as late:
            await late.until_seen("client.ended", checkout=3)

    numbers = [seen.id for seen in late.observations]
    assert numbers == list(range(1, len(numbers) + 1))
    assert last in late.observations


@pytest.mark.skipif(not is_installed(), reason="needs PostgreSQL's server programs")
async def test_a_session_on_postgres_breaks_the_way_to_the_database_and_heals_it(
    here: Path,
) -> None:
    arguments = ("--strategy", "hardened", "--engine", "embedded", "--database", "postgres")
    cut = Inject(name="down_b", kind=LinkFault(links=("payment_to_database",), down=True))
    async with a_session(here, *arguments) as (_, operator):
        await operator.do(cut)
        await operator.until_seen("fault.injected", fault="down_b")
        await operator.do(buy())
        struck = await operator.until_seen("client.ended", checkout=1)
        await operator.do(LiftAll())
        await operator.until_seen("fault.lifted", fault="down_b")
        await operator.do(buy())
        healed = await operator.until_seen("client.ended", checkout=2)
        await operator.do(Judge())
        verdict = await operator.verdict()
        await operator.do(DraftScenario(name="cut"))
        draft = await operator.until_answer(Draft)

    opened = next(seen for seen in operator.observations if seen.kind == "run.opened")
    assert opened.data["database"] == "postgres"
    assert struck.data["claim"] != "confirmed"
    assert healed.data["claim"] == "confirmed"
    assert verdict.status == "valid"
    assert draft.problems == ()
    assert "database: postgres" in draft.text


async def test_a_text_that_is_no_scenario_is_not_written(here: Path) -> None:
    async with a_session(here, "--engine", "embedded") as (_, operator):
        wrong = await operator.refusal(SaveScenario(name="bad", text="version: 1\nname: bad\n"))
        climbing = await operator.refusal(SaveScenario(name="../up", text="version: 1\n"))

    assert "bad.yaml:" in wrong.message
    assert climbing.code == "invalid"
    assert not (here / "scenarios").exists()


async def test_a_scenario_that_cannot_be_written_is_refused_with_path_and_reason(
    here: Path,
) -> None:
    (here / "scenarios").write_text("a file stands where the folder should be")  # also for root
    text = (Path(__file__).parents[3] / "scenarios/01-calm.yaml").read_text()
    async with a_session(here, "--engine", "embedded") as (_, operator):
        refusal = await operator.refusal(SaveScenario(name="calm", text=text))
        await operator.do(buy())
        await operator.until_seen("client.ended", checkout=1)

    assert str(here / "scenarios") in refusal.message
    assert "cannot be written" in refusal.message


async def test_a_file_that_is_there_is_replaced_only_when_asked(here: Path) -> None:
    text = (Path(__file__).parents[3] / "scenarios/01-calm.yaml").read_text()
    async with a_session(here, "--engine", "embedded") as (_, operator):
        await operator.do(SaveScenario(name="calm", text=text))
        again = await operator.refusal(SaveScenario(name="calm", text=text))
        await operator.do(SaveScenario(name="calm", text=text, replace=True))

    assert "exists already" in again.message
