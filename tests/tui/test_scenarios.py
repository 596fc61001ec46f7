"""The scenario runner: what is marked is what runs, verdict and expectation are two marks."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from checkout_sim.model.answer import EngineState, Judged, Nack, Streamed, Stretch
from checkout_sim.model.command import HoldPlan, ReleasePlan, RunScenario, StepPlan, StopPlan
from checkout_sim.model.verdict import Status
from checkout_sim.tui.editor import editor_words
from checkout_sim.tui.options import Options
from checkout_sim.tui.screens.scenarios import ScenariosView
from checkout_sim.tui.widgets.stream_table import StreamTable
from tests.tui.canned import opening
from tests.tui.standing import SMALL, WIDE, Standing, standing
from tests.tui.stories import LOST, broken, opened, swallowed

SOUND = """\
version: 1
name: {name}
why: The reply is lost, and the card was charged.
load: {{checkouts: 3}}
faults:
  - name: reply_lost_6
    link: payment_to_gateway
    toxic: timeout
    stream: downstream
    attributes: {{timeout: 0ms}}
    from: {{before_checkout: 2}}
    until: {{before_checkout: 3}}
expect:
  naive: {{verdict: invalid, trips: [replies_are_true]}}
  hardened: valid
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two sound scenarios and a broken one."""
    (tmp_path / "01-lost.yaml").write_text(SOUND.format(name="lost"))
    (tmp_path / "02-again.yaml").write_text(SOUND.format(name="again"))
    (tmp_path / "03-torn.yaml").write_text("version: 1\nname: torn\nwhy: [\n")
    return tmp_path


async def until(at: Standing, holds: Callable[[], bool]) -> None:
    """Wait for what a worker thread brings."""
    async with asyncio.timeout(30):
        while not holds():
            await at.draw()
    await at.draw()


async def ready(at: Standing) -> ScenariosView:
    """Wait until the files were read."""
    view = at.view
    assert isinstance(view, ScenariosView)
    await until(at, lambda: view.read)
    return view


def options(folder: Path) -> Options:
    return Options(scenarios_folders=(folder,))


def cells(at: Standing) -> list[list[str]]:
    table = at.view.query_one("#scenarios", StreamTable)
    lines = [table.source.line(key, 100) for key in table.source.keys()]  # noqa: SIM118 - a Source
    return [[token.text.strip() for token in line if token.text.strip()] for line in lines]


def run_of(name: str = "lost", *, run: str = "r1", strategy: str = "naive") -> Stretch:
    return Stretch(run_id=run, folder=f"/{run}", scenario=name, strategy=strategy, live=True)


def verdict(status: Status, *, run: str = "r1", expected: bool = True) -> Judged:
    return Judged(
        run_id=run,
        provisional=False,
        status=status,
        broken={"replies_are_true": 1} if status == "invalid" else {},
        as_expected=expected,
        surprises=() if expected else ("expected invalid, found valid",),
    )


async def test_every_file_has_a_row_and_a_broken_one_says_what_is_wrong(folder: Path) -> None:
    async with standing("4", *opening(), options=options(folder)) as at:
        await ready(at)

        rows = cells(at)
        assert [row[0] for row in rows] == ["01-lost", "02-again", "03-torn"]
        assert rows[0][1:3] == ["not run", "not run"]
        assert rows[2][1].startswith("! line ")


async def test_enter_runs_the_marked_scenario_against_every_strategy_it_names(
    folder: Path,
) -> None:
    async with standing("4", *opening(), options=options(folder)) as at:
        await ready(at)
        await at.press("j", "enter")

        path = str(folder / "02-again.yaml")
        assert at.sent == [RunScenario(path=path, strategies=("naive", "hardened"))]


async def test_strategies_and_repeats_are_chosen_for_the_next_run(folder: Path) -> None:
    async with standing("4", *opening(), options=options(folder)) as at:
        await ready(at)
        await at.press("S", "S", "l", "enter")

        path = str(folder / "01-lost.yaml")
        assert at.sent == [RunScenario(path=path, strategies=("hardened",), repeat=3)]
        assert "hardened, 3 times" in at.text("#run")


async def test_a_broken_file_is_not_run_and_says_where_it_is_wrong(folder: Path) -> None:
    async with standing("4", *opening(), options=options(folder)) as at:
        await ready(at)
        await at.press("G", "enter")

        assert at.sent == []
        assert "03-torn.yaml:" in at.told


async def test_a_scenario_is_run_by_name_on_the_command_line(folder: Path) -> None:
    async with standing("4", *opening(), options=options(folder)) as at:
        await ready(at)
        await at.app.perform("scenario.run", "again", "naive")
        await at.app.perform("scenario.run", "nowhere")

        path = str(folder / "02-again.yaml")
        assert at.sent == [RunScenario(path=path, strategies=("naive",))]
        assert 'no scenario is called "nowhere"' in at.told


async def test_x_stops_the_run(folder: Path) -> None:
    async with standing("4", *opening(), options=options(folder)) as at:
        await ready(at)
        await at.press("x")

        assert at.sent == [StopPlan()]


async def test_p_holds_the_run_and_lets_it_go_on_and_a_full_stop_takes_one_step(
    folder: Path,
) -> None:
    held = EngineState(phase="storm", strategy="naive", plan="again 1/1", held=True)
    async with standing("4", *opening(), run_of(run="r1"), options=options(folder)) as at:
        await ready(at)
        await at.press("p", "full_stop")
        await at.tell(held)
        assert "HELD" in at.text("#run")
        await at.press("p")

        assert at.sent == [HoldPlan(), StepPlan(), ReleasePlan()]


async def test_verdict_and_expectation_are_two_marks_and_outlive_the_run(folder: Path) -> None:
    told: tuple[Streamed, ...] = (
        run_of(run="r1"),
        verdict("invalid", run="r1"),
        run_of(run="r2", strategy="hardened"),
        verdict("valid", run="r2", expected=False),
        *opening(),
    )
    async with standing("4", *told, options=options(folder)) as at:
        await ready(at)

        assert cells(at)[0][1:3] == ["invalid=", "valid  !"]


async def test_a_run_under_way_shows_its_steps_and_what_comes_next(folder: Path) -> None:
    tale = opened()
    tale.seen[0] = replace(
        tale.seen[0], data={**tale.seen[0].data, "scenario": "lost", "checkouts": 3}
    )
    broken(tale, LOST, "payment_to_gateway", "timeout", timeout=0)
    swallowed(tale, 1)
    state = EngineState(phase="storm", strategy="naive", plan="2/3")
    async with standing("4", run_of(), state, *tale.seen, options=options(folder)) as at:
        await ready(at)
        shown = at.text("#run")

        assert "RUN lost  naive" in shown
        assert "[storm####" in shown
        assert "2/3" in shown
        assert " +  before checkout 2" in shown
        assert " >  before checkout 3" in shown
        assert "sent 1/3" in shown
        assert "naive: invalid by replies_are_true" in shown
        assert cells(at)[0][1] == "running"


async def test_a_verdict_is_shown_against_what_was_expected(folder: Path) -> None:
    told: tuple[Streamed, ...] = (run_of(), *opened().seen, verdict("valid", expected=False))
    async with standing("4", *told, options=options(folder), size=WIDE) as at:
        await ready(at)

        assert "valid   ! not as expected" in at.text("#run")
        assert "expected invalid, found valid" in at.text("#run")


async def test_a_refused_run_is_told_in_place_with_every_problem(folder: Path) -> None:
    async with standing("4", *opening(), options=options(folder)) as at:
        await ready(at)
        await at.press("enter")
        await at.tell(
            Nack(
                command_id=at.canned.last_id,
                code="invalid",
                message="01-lost.yaml:5:3: the file was changed since it was read and is wrong",
                hint="`checkout-sim validate` tells the same",
            )
        )

        assert "validate` tells the same" in " ".join(at.text("#run").split())


async def test_d_shows_every_strategy_beside_what_the_file_expects(folder: Path) -> None:
    async with standing(
        "4", run_of(), verdict("invalid"), *opening(), options=options(folder)
    ) as at:
        await ready(at)
        await at.press("d")

        shown = " ".join(at.text("#detail").split())
        assert "naive: invalid by replies_are_true" in shown
        assert "seen invalid by replies_are_true" in shown
        assert "hardened: valid" in shown


async def test_r_reads_the_folders_again(folder: Path) -> None:
    async with standing("4", *opening(), options=options(folder)) as at:
        await ready(at)
        (folder / "04-new.yaml").write_text(SOUND.format(name="new"))
        await at.press("r")
        await until(at, lambda: len(cells(at)) == 4)

        assert [row[0] for row in cells(at)][-1] == "04-new"


async def test_an_editor_that_cannot_be_opened_here_is_said(folder: Path) -> None:
    async with standing("4", *opening(), options=options(folder)) as at:
        await ready(at)
        await at.press("E")

        # Textual's test driver has no terminal to give to an editor; a browser has none either.
        assert "no terminal to edit in" in at.told


async def test_a_folder_without_scenarios_says_so(tmp_path: Path) -> None:
    async with standing("4", *opening(), options=options(tmp_path)) as at:
        await ready(at)

        assert "no *.yaml in" in at.text("#run")
        await at.press("enter")
        assert at.sent == []


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"VISUAL": "code --wait", "EDITOR": "nano"}, ["code", "--wait"]),
        ({"EDITOR": "'/opt/my editor' -f"}, ["/opt/my editor", "-f"]),
        ({"EDITOR": "broken'"}, ["broken'"]),
        ({}, ["vi"]),
    ],
)
def test_the_editor_is_visual_then_editor_then_vi(
    environment: dict[str, str], words: list[str]
) -> None:
    assert editor_words(environment) == words


@pytest.mark.parametrize("size", [SMALL, WIDE, (60, 18), (40, 12)])
async def test_the_runner_draws_at_every_size(folder: Path, size: tuple[int, int]) -> None:
    async with standing("4", *opening(), options=options(folder), size=size) as at:
        await ready(at)
        assert "01-lost" in at.app.export_screenshot()
