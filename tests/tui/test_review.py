"""The review: the engine cuts and writes, the operator keeps, moves, trims, writes and replays."""

from dataclasses import replace

import pytest

from checkout_sim.model.answer import Draft, DraftItem, Judged, Nack, Saved, Streamed, Stretch
from checkout_sim.model.command import DraftScenario, Judge, RunScenario, SaveScenario
from checkout_sim.model.verdict import Status
from checkout_sim.tui.options import Options
from checkout_sim.tui.screens.review import ReviewView
from checkout_sim.tui.widgets.stream_table import StreamTable
from tests.tui.canned import told_by
from tests.tui.standing import SMALL, WIDE, Standing, standing
from tests.tui.stories import busy

SESSION = told_by(busy().seen)
JUDGED = Judged(run_id="7c1e", provisional=False, status="invalid")
TEXT = "version: 1\nname: recorded-1\nwhy: A reply was lost.\n"
ITEMS = (
    DraftItem(id="checkout_1", kept=True, what="load: checkout 1", begins="mug 2", ends="1.3 s"),
    DraftItem(
        id="reply_lost_6",
        kept=True,
        what="reply lost on 6",
        begins="before checkout 1",
        ends="client.ended of #1",
        moments=("before checkout 1", "0.9s"),
    ),
    DraftItem(id="note_1", kept=True, what="note", begins="at 2 s", ends=""),
)
PLAYED = Stretch(
    run_id="7c1e", folder="/runs/7c1e", scenario="", strategy="naive", live=False, read_only=True
)
FIRST = DraftScenario(run="/runs/7c1e")
NAMED = replace(FIRST, name="recorded-1")


def draft(items: tuple[DraftItem, ...] = ITEMS, *, problems: tuple[str, ...] = ()) -> Draft:
    return Draft(
        command_id="c2",
        run_id="7c1e",
        name="recorded-1",
        items=items,
        text=TEXT,
        problems=problems,
        notes=("two checkouts keep their own start times",),
    )


async def open_review(at: Standing, *answers: Streamed) -> ReviewView:
    """Open the review from the violations board and let the engine answer."""
    await at.press("w")
    await at.draw()
    if answers:
        await at.tell(*answers)
    view = at.app.screen
    assert isinstance(view, ReviewView)
    return view


async def mark(at: Standing, item: str) -> None:
    assert at.view.query_one("#items", StreamTable).go_to(item)
    await at.draw()


async def written(at: Standing) -> None:
    """Write the file, and let the engine say where it is."""
    await at.press("w")
    command_id = at.canned.last_id
    await at.tell(Saved(command_id=command_id, path="scenarios/recorded-1.yaml"))


def replayed(run: str, status: Status) -> tuple[Streamed, ...]:
    stretch = Stretch(
        run_id=run, folder=f"/runs/{run}", scenario="recorded-1", strategy="naive", live=True
    )
    return (stretch, Judged(run_id=run, provisional=False, status=status))


async def test_a_judged_run_is_drafted_as_soon_as_the_review_opens() -> None:
    async with standing("6", *SESSION, JUDGED) as at:
        await open_review(at, draft())

        assert at.sent == [FIRST]
        assert "run 7c1e: 3 of 3 items" in at.text("#summary")
        assert "+ validates" in at.text("#verdicts")
        assert "two checkouts keep their own start times" in at.text("#verdicts")


async def test_a_session_without_a_verdict_is_judged_first_and_then_drafted() -> None:
    async with standing("6", *SESSION) as at:
        await open_review(at)
        assert at.sent == []
        assert "v judges this session" in at.text("#summary")

        await at.press("v")
        assert at.sent == [Judge()]
        await at.tell(JUDGED)
        await at.draw()
        assert at.sent == [Judge(), FIRST]


async def test_a_stopped_recording_opens_the_review() -> None:
    async with standing("1", *SESSION) as at:
        state = replace(at.app.live.session.state, recording=True)
        await at.tell(state)
        await at.press("R")

        assert isinstance(at.app.screen, ReviewView)


async def test_x_leaves_the_marked_item_out_and_asks_for_the_draft_anew() -> None:
    async with standing("6", *SESSION, JUDGED) as at:
        await open_review(at, draft())
        await mark(at, "note_1")
        await at.press("x")

        assert at.sent[1:] == [replace(NAMED, drop=("note_1",))]


async def test_a_gives_the_marked_item_its_next_moment() -> None:
    async with standing("6", *SESSION, JUDGED) as at:
        await open_review(at, draft())
        await mark(at, "reply_lost_6")
        assert "before checkout 1  >  0.9s" in at.text("#verdicts")
        await at.press("a", "a")

        assert at.sent[1:] == [
            replace(NAMED, moments={"reply_lost_6": 1}),
            replace(NAMED, moments={"reply_lost_6": 0}),
        ]


async def test_an_item_with_one_moment_asks_for_nothing() -> None:
    async with standing("6", *SESSION, JUDGED) as at:
        await open_review(at, draft())
        await mark(at, "checkout_1")
        await at.press("a")

        assert at.sent == [FIRST]
        assert at.told == "this item has one moment only"


async def test_t_keeps_idle_time_and_p_names_the_scenario() -> None:
    async with standing("6", *SESSION, JUDGED) as at:
        await open_review(at, draft())
        await at.press("t")
        await at.app.perform("review.name", "lost-reply")

        assert at.sent[1:] == [
            replace(NAMED, trim_idle=False),
            replace(NAMED, trim_idle=False, name="lost-reply"),
        ]


async def test_w_writes_the_engines_own_text_and_says_where() -> None:
    async with standing("6", *SESSION, JUDGED) as at:
        await open_review(at, draft())
        await written(at)

        assert at.sent[1:] == [SaveScenario(name="recorded-1", text=TEXT)]
        assert "wrote scenarios/recorded-1.yaml" in at.told


async def test_a_recorded_run_can_be_cut_and_written_though_nothing_in_it_can_be_changed() -> None:
    async with standing("6", PLAYED, *busy().seen, JUDGED) as at:
        await open_review(at, draft())
        await at.press("w", "r")
        assert at.sent == [FIRST, SaveScenario(name="recorded-1", text=TEXT)]


async def test_who_only_watches_a_recorded_run_writes_nothing() -> None:
    watching = Options(read_only=True)
    async with standing("6", PLAYED, *busy().seen, JUDGED, options=watching) as at:
        await open_review(at, draft())
        await at.press("w")
        assert "read-only" in at.told
        assert at.sent == [FIRST]


async def test_a_file_that_is_there_is_replaced_only_when_w_is_pressed_again() -> None:
    async with standing("6", *SESSION, JUDGED) as at:
        await open_review(at, draft())
        await at.press("w")
        exists = Nack(
            command_id=at.canned.last_id,
            code="invalid",
            message="scenarios/recorded-1.yaml exists already",
            hint="choose another name, or replace it",
        )
        await at.tell(exists)
        assert "exists already" in at.told
        await at.press("w")

        replaced = [one.replace for one in at.sent if isinstance(one, SaveScenario)]
        assert replaced == [False, True]


async def test_another_refusal_does_not_make_the_next_w_replace_anything() -> None:
    async with standing("6", *SESSION, JUDGED) as at:
        await open_review(at, draft())
        await at.press("w")
        await at.tell(
            Nack(
                command_id=at.canned.last_id,
                code="invalid",
                message="scenarios/recorded-1.yaml cannot be written: No space left on device",
                hint="make room",
            )
        )
        await at.press("w")

        assert [one.replace for one in at.sent if isinstance(one, SaveScenario)] == [False, False]


async def test_a_draft_that_does_not_validate_is_not_written() -> None:
    problem = "recorded-1.yaml:9:3: faults[0].link: no such link"
    async with standing("6", *SESSION, JUDGED) as at:
        await open_review(at, draft(problems=(problem,)))
        await at.press("w")

        assert at.sent == [FIRST]
        assert problem in at.told
        assert problem in at.text("#verdicts")


async def test_r_replays_the_written_file_three_times_and_three_equal_are_reproducible() -> None:
    async with standing("6", *SESSION, JUDGED, size=WIDE) as at:
        await open_review(at, draft())
        await at.press("r")
        assert "write it first" in at.told
        await written(at)
        await at.press("r")

        path = "scenarios/recorded-1.yaml"
        assert at.sent[-1] == RunScenario(path=path, strategies=("naive",), repeat=3)
        assert "replaying 3 times on naive" in at.text("#verdicts")
        await at.tell(*replayed("a", "invalid"))
        assert "1 of 1 equal verdicts: invalid; 2 to come" in at.text("#verdicts")
        await at.tell(*replayed("b", "invalid"), *replayed("c", "invalid"))
        assert "3 of 3 equal verdicts: invalid; reproducible" in at.text("#verdicts")


async def test_below_three_equal_verdicts_nothing_is_called_reproducible() -> None:
    async with standing("6", *SESSION, JUDGED, size=WIDE) as at:
        await open_review(at, draft())
        await written(at)
        await at.press("r")
        runs = (*replayed("a", "invalid"), *replayed("b", "valid"), *replayed("c", "invalid"))
        await at.tell(*runs)

        assert "2 of 3 equal verdicts: invalid; NOT reproducible" in at.text("#verdicts")


async def test_a_run_that_cannot_be_cut_says_why_in_place() -> None:
    async with standing("6", *SESSION, JUDGED) as at:
        await open_review(at)
        await at.tell(
            Nack(
                command_id=at.canned.last_id,
                code="invalid",
                message="nobody bought anything in this run, and a scenario needs a checkout",
                hint="buy something, break something, then ask for the verdict",
            )
        )

        assert "buy something, break something" in " ".join(at.text("#verdicts").split())


async def test_e_before_writing_says_what_to_do_and_esc_leaves() -> None:
    async with standing("6", *SESSION, JUDGED) as at:
        await open_review(at, draft())
        await at.press("E")
        assert "write it first" in at.told
        await at.press("escape")

        assert not isinstance(at.app.screen, ReviewView)


@pytest.mark.parametrize("size", [SMALL, WIDE, (60, 18)])
async def test_the_review_draws_at_every_size(size: tuple[int, int]) -> None:
    async with standing("6", *SESSION, JUDGED, size=size) as at:
        await open_review(at, draft())

        assert "recorded" in at.app.export_screenshot()
