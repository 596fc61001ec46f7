"""Scenarios run in an engine, and recorded runs played back, by the same stream as a session."""

from pathlib import Path

from checkout_sim.model.answer import EngineState, Stretch
from checkout_sim.model.command import (
    DraftScenario,
    HoldPlan,
    Inject,
    Judge,
    ReleasePlan,
    RunScenario,
    StepPlan,
    StopPlan,
)
from checkout_sim.model.fault import LinkFault
from checkout_sim.ndjson import read_history
from tests.integration.engine.engine import ROOT, Operator, a_session, an_engine, an_operator, buy

SLOW = """
version: 1
name: slow
why: Long enough to be stopped in.
load: {checkouts: 40, at: [AT]}
faults:
  - name: hold
    link: payment_to_gateway
    toxic: latency
    stream: downstream
    attributes: {latency: 100ms}
expect:
  hardened: valid
"""


async def test_a_scenario_runs_on_a_stack_of_its_own_and_a_session_follows(here: Path) -> None:
    async with a_session(here, "--engine", "embedded") as (_, operator):
        path = str(ROOT / "scenarios" / "01-calm.yaml")
        await operator.do(RunScenario(path=path, strategies=("naive", "hardened")))
        verdicts = [await operator.verdict() for _ in range(2)]
        state = await operator.until_phase("storm")

    stretches = [item for item in operator.heard if isinstance(item, Stretch)]
    assert [one.scenario for one in stretches] == ["", "calm", "calm", ""]
    assert [one.strategy for one in stretches[1:3]] == ["naive", "hardened"]
    assert all(one.as_expected for one in verdicts)
    assert state.plan == ""
    titles = {item.plan for item in operator.heard if isinstance(item, EngineState)}
    assert {"calm 1/2", "calm 2/2"} <= titles


async def test_a_scenario_that_is_stopped_still_comes_to_a_verdict(here: Path) -> None:
    path = here / "slow.yaml"
    path.write_text(SLOW.replace("AT", ", ".join(f"{second}s" for second in range(40))))
    async with a_session(here, "--engine", "embedded") as (_, operator):
        await operator.do(RunScenario(path=str(path), strategies=("hardened",)))
        await operator.until_seen("client.ended", checkout=1)
        during = await operator.refusal(buy())
        await operator.do(StopPlan())
        verdict = await operator.verdict()
        await operator.until_phase("storm")

    assert during.code == "wrong_phase"
    assert verdict.status == "unknown", "not every checkout was sent"
    assert "of 40 checkouts were sent" in verdict.unknowns["run_was_exercised"]
    assert verdict.broken == {}


def sent(operator: Operator) -> int:
    return sum(one.kind == "client.sent" for one in operator.observations)


def is_held(operator: Operator) -> bool:
    states = [item for item in operator.heard if isinstance(item, EngineState)]
    return states[-1].held


async def test_a_scenario_that_is_held_goes_on_step_by_step_and_is_not_compared(
    here: Path,
) -> None:
    path = here / "slow.yaml"
    path.write_text(SLOW.replace("AT", ", ".join(f"{second}s" for second in range(3, 43))))
    async with a_session(here, "--engine", "embedded") as (_, operator):
        await operator.do(RunScenario(path=str(path), strategies=("hardened",)))
        await operator.until_seen("fault.injected")
        await operator.do(HoldPlan())
        await operator.until(lambda _: is_held(operator), "a plan that is held")
        for number in (1, 2):
            await operator.do(StepPlan())
            await operator.until(lambda _: sent(operator) == number and is_held(operator), "a step")  # noqa: B023 - awaited at once
        await operator.do(ReleasePlan())
        await operator.until_seen("client.ended", checkout=3)
        await operator.do(StopPlan())
        verdict = await operator.verdict()

    assert verdict.as_expected is None


async def test_a_scenario_that_cannot_be_used_is_refused_by_line(here: Path) -> None:
    path = here / "broken.yaml"
    path.write_text("version: 1\nname: broken\nfaults: none\n")
    async with a_session(here, "--engine", "embedded") as (_, operator):
        refusal = await operator.refusal(RunScenario(path=str(path), strategies=()))
        nowhere = await operator.refusal(RunScenario(path=str(here / "no"), strategies=()))

    assert refusal.code == "invalid"
    assert "broken.yaml:3:" in refusal.message
    assert nowhere.code in ("invalid", "unknown_target")


async def test_a_recorded_session_is_played_back_and_nothing_can_be_changed_in_it(
    here: Path,
) -> None:
    hardened = ("--strategy", "hardened", "--engine", "embedded")
    async with a_session(here, *hardened) as (engine, operator):
        await operator.do(buy(count=2))
        await operator.until_seen("client.ended", checkout=2)
        await operator.do(Judge())
        verdict = await operator.verdict()
        [history] = [path for path in engine.histories if verdict.run_id in str(path)]
    async with (
        an_engine(here, "--replay", str(history.parent), "--speed", "0") as playing,
        an_operator(playing) as watcher,
    ):
        again = await watcher.verdict()
        kind = LinkFault(links=("payment_to_gateway",), down=True)
        refusal = await watcher.refusal(Inject(name="down_6", kind=kind))
        drafted = await watcher.ask(DraftScenario(run=verdict.run_id, name="again"))

    assert watcher.observations == list(read_history(history))
    assert (again.status, again.judged) == (verdict.status, verdict.judged)
    assert refusal.code == "read_only"
    assert type(drafted).__name__ == "Ack"
    stretch = next(item for item in watcher.heard if isinstance(item, Stretch))
    assert (stretch.live, stretch.read_only) == (False, True)
    states = [item for item in watcher.heard if isinstance(item, EngineState)]
    assert states[-1].strategy == stretch.strategy == "hardened"
